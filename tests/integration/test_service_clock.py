"""What a service does with time: firings that it missed, a clock that is set, closed windows, and
each device's turn. In tests it is what the test says it is: see service.ServiceTest.clock."""

import os
import signal
import time
import unittest

import rig
import service

HOURLY = 'schedule: {{cron: "0 * * * *", zone: UTC, {}}}\n'
DAY = 86400


class Clock(service.ServiceTest):
    def hourly(self, name, more="", inventory=None):
        self.job(name, inventory or self.devices(2), HOURLY.format(more))

    def serve_at(self, at, **options):
        return self.serve(env=self.clock(at), **options)

    def check_told(self, job, *patterns):
        """Of each of its firings: when it was due, what came of it, and why."""
        told = [f"{one['due'][11:16]} {one['what']} {one['why']}" for one in self.firings(job)]
        self.assertEqual(len(told), len(patterns), told)
        for text, pattern in zip(told, patterns):
            self.assertRegex(text, f"^{pattern}$")

    # ---- what is missed

    def test_missed_firings_are_skipped_or_made_up_for(self):
        inventory = self.devices(2)
        self.hourly("skip", "missed: skip", inventory)
        self.hourly("once", "missed: once, latest: 10m", inventory)
        self.stop(self.serve_at("2026-03-01 11:30:00"))
        process = self.serve_at("2026-03-01 14:05:00")
        self.fired("once", 2)
        before = r"13:00 skipped missed: it was due \S+ ago, and 1 before it"
        self.check_told("skip", before, r"14:00 skipped missed: it was due \S+ ago")
        self.check_told("once", before, "14:00 started None")
        made_up = self.firings("once")[1]["sweep"]
        self.assertEqual(self.ended(made_up)["outcomes"], {"ok": 2})
        process.kill()
        process = self.serve_at("2026-03-01 15:10:30")
        self.check_told("once", before, "14:00 started None", r"15:00 skipped missed: it was due "
                        r"\S+ ago, more than the 10m that it may be late")
        self.stop(process)
        # What was told is not told again.
        self.stop(self.serve_at("2026-03-01 15:20:00"))
        self.serve_at("2026-03-01 15:21:00")
        self.assertEqual([len(self.firings(job)) for job in ("once", "skip")], [3, 3])

    def test_the_first_firing_of_a_new_schedule_is_not_forgotten(self):
        """Nothing has come of the schedule yet when the service is killed."""
        self.hourly("new", "missed: once")
        self.serve_at("2026-03-01 11:59:00").kill()
        process = self.serve_at("2026-03-01 12:05:00")
        firing = self.fired("new", 1)[0]
        self.assertEqual((firing["due"][:16], firing["what"]), ("2026-03-01T12:00", "started"))
        self.ended(firing["sweep"])
        # The same for one that is added while it runs.
        self.hourly("newer", "missed: skip", self.path("devices.txt"))
        process.send_signal(signal.SIGHUP)
        process.wait_for("read the jobs again: 2 of 2 are right")
        process.kill()
        self.serve_at("2026-03-01 13:02:00")
        self.fired("newer", 1)
        self.check_told("newer", r"13:00 skipped missed: it was due \S+ ago")

    # ---- the clock

    def test_the_clock_is_set_back_by_a_day(self):
        self.hourly("hourly", "missed: skip")
        process = self.serve_at("2026-03-02 11:59:59")
        self.ended(self.fired("hourly", 1)[0]["sweep"])
        self.stop(process)
        process = self.serve_at("2026-03-01 11:59:58")
        process.wait_for("the clock was set back: it goes on from 2026-03-01T11:59:5")
        told = self.fired("hourly", 3)
        self.assertEqual([(one["due"][:13], one["what"]) for one in told],
                         [("2026-03-02T12", "started"), ("2026-03-01T11", "skipped"),
                          ("2026-03-01T12", "started")])
        self.assertEqual(self.ended(told[2]["sweep"])["outcomes"], {"ok": 2})

    def test_the_clock_is_set_back_by_half_an_hour(self):
        """What was taken is not due again."""
        self.hourly("hourly", "missed: once")
        process = self.serve_at("2026-03-02 11:59:59")
        self.ended(self.fired("hourly", 1)[0]["sweep"])
        self.stop(process)
        process = self.serve_at("2026-03-02 11:59:58.5")
        self.assertIn("2026-03-02T13:00", self.ask("schedule", "-o", "jsonl").out.decode())
        noon = service.seconds_of("2026-03-02T12:00:00") - self.offset
        rig.wait_until(lambda: time.time() > noon, "it is noon again")
        process.send_signal(signal.SIGHUP)
        process.wait_for("read the jobs again")
        self.ask("submit", "hourly", "--watch")  # it goes on meanwhile
        self.check_told("hourly", "12:00 started None")

    def test_the_clock_is_set_while_it_runs(self):
        """The kernel wakes who waits for a time when the clock is set; here it is a reload."""
        self.hourly("hourly")
        stamp = self.write("clock", "2026-03-02 11:30:00")
        environment = self.clock("2026-03-02 11:30:00")
        del environment["FAKETIME"]
        process = self.serve(env={**environment, "FAKETIME_TIMESTAMP_FILE": stamp,
                                  "FAKETIME_NO_CACHE": "1"})
        self.write("clock", "2026-03-02 12:00:20")
        process.send_signal(signal.SIGHUP)
        sweep = self.fired("hourly", 1)[0]["sweep"]
        self.write("clock", "2026-03-01 12:30:00")
        process.send_signal(signal.SIGHUP)
        process.wait_for("the clock was set back")
        self.assertIn("2026-03-01T13:00", self.ask("schedule", "-o", "jsonl").out.decode())
        self.assertEqual(self.view(sweep)["total"], 2)

    # ---- when nothing may be started

    def test_closed_windows(self):
        """Nothing is started in one; what runs when one opens is finished, the rest is deferred."""
        inventory = self.devices(6)
        self.job("open", inventory, 'schedule: {cron: "* * * * *", zone: UTC, not_in: '
                 '[{cron: "0 12 * * *", lasts: 5m}]}\nlimits: {sessions: 2}\n')
        self.hold(1, 2)
        process = self.serve_at("2026-03-01 11:59:56")
        asked = self.submit("open")
        closed = self.fired("open", 1)[0]["sweep"]
        self.release(1, 2)
        tasks = self.results_of_ended(asked)
        self.assertEqual([task["outcome"] for task in tasks], ["ok"] * 2 + ["deferred"] * 4)
        self.assertIn("not_in", tasks[5]["error"])
        self.assertEqual([task["outcome"] for task in self.results_of_ended(closed)],
                         ["deferred"] * 6)
        self.assertEqual(len(rig.login_attempts(self.record)), 2)
        self.stop(process)
        self.serve_at("2026-03-01 12:05:58")
        last = self.fired("open", lambda all: all[-1]["due"][:16] == "2026-03-01T12:06")[-1]
        self.assertEqual(self.ended(last["sweep"])["outcomes"], {"ok": 6})

    def results_of_ended(self, sweep):
        self.ended(sweep)
        return self.results(sweep, status=1)

    def test_each_device_has_its_turn_every_day(self):
        """Nobody is visited before its turn, which is the same part of the splay on each day."""
        splay = 8
        inventory = self.devices(24)
        self.job("spread", inventory,
                 f'schedule: {{cron: "0 12 * * *", zone: UTC, splay: {splay}s}}\n')
        turns = [stable_part(host, splay) for host in self.hosts]
        self.assertGreater(max(turns) - min(turns), splay / 2)
        for day in 1, 2:
            process = self.serve_at(f"2026-03-0{day} 11:59:58")
            noon = service.seconds_of(f"2026-03-0{day}T12:00:00") - self.offset
            sweep = self.fired("spread", day)[-1]["sweep"]
            self.assertEqual(self.ended(sweep)["outcomes"], {"ok": 24})
            logins = {event["device"]: event["time_ns"] / 1e9 - noon
                      for event in rig.recorded(self.record, "login")}
            self.assertEqual(len(logins), 24)
            for number, turn in enumerate(turns, 1):
                self.assertGreaterEqual(logins[f"sim-{number}"], turn - 0.1, number)
            os.truncate(self.record, 0)
            self.stop(process)


def stable_part(key, span):
    """What part of `span` seconds this key has: FNV-1a, then the last steps of SplitMix64."""
    mask = (1 << 64) - 1
    value = 0xcbf29ce484222325
    for byte in key.encode():
        value = (value ^ byte) * 0x100000001b3 & mask
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9 & mask
    value = (value ^ value >> 27) * 0x94d049bb133111eb & mask
    value ^= value >> 31
    return value % (span * 1000) / 1000


if __name__ == "__main__":
    unittest.main()

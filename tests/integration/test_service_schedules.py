"""Jobs that a service runs by their schedules: no firing is forgotten, none is taken twice, and of
each it is written down what became of it, whatever overlaps, dies, or happens to the clock."""

import signal
import time
import unittest

import fleet
import rig
import service

EVERY_MINUTE = 'schedule: {{cron: "* * * * *", zone: UTC, {more}}}\n'
STILL_RUNS = "the sweep before it still runs"
# What comes of which devices; two are slow besides, which is no fault.
FAULTS = {"silent": ((7, 77), "unreachable"), "refuse": ((13, 130), "unreachable"),
          "wrong-password": ((44,), "auth_failed"),
          "close-at-command": ((20, 90, 180), "disconnected"),
          "hang-at-command": ((1, 50, 101), "timed_out")}


def minutely(more=""):
    return EVERY_MINUTE.format(more=more)


class Schedules(service.ServiceTest):
    @staticmethod
    def sweeps(firings):
        return [firing["sweep"] for firing in firings if firing["what"] == "started"]

    def check_one_after_the_other(self, sweeps):
        views = [self.ended(sweep) for sweep in sweeps]
        for before, after in zip(views, views[1:]):
            self.assertGreaterEqual(after["started_at"], before["ended_at"])
        self.assertEqual(fleet.sessions_together(self.record), [])

    # ---- what overlaps; a minute takes some seconds

    def test_skip_over_200_devices_with_faults(self):
        faults = [argument for name, (devices, _) in FAULTS.items() for argument in
                  ("--fault", f"{name}:{','.join(map(str, devices))}")]
        port = rig.free_port(10)
        inventory = self.devices(190, *faults, "--fault", "slow:60,160")
        changing, hosts = self.edges(port, "edge-{n}"), self.hosts
        self.job("watch", f"[{inventory}, {changing}]", minutely("overlap: skip") +
                 "max_auth_failures: 100\n", timeouts="{connect: 3s, command: 9s}")
        self.serve(env=self.clock("2026-03-01 11:59:55", speed=10))
        firings = self.fired("watch", lambda all: len(self.sweeps(all)) >= 2, 90)
        self.ask("schedule", "pause", "watch")
        first, second = self.sweeps(firings)[:2]
        self.ended(second)
        self.simulator.stop()
        self.edges(port, "core-{n}")
        self.ask("schedule", "resume", "watch")
        third = self.sweeps(self.fired("watch", lambda all: len(self.sweeps(all)) >= 3))[2]
        self.ended(third)
        self.check_minutes(firings)
        self.assertEqual({(one["what"], one["why"]) for one in firings},
                         {("started", None), ("skipped", STILL_RUNS)})
        self.check_one_after_the_other([first, second, third])

        hosts += [f"127.0.0.1:{number}" for number in range(port, port + 10)]
        expected = {number: outcome for devices, outcome in FAULTS.values() for number in devices}
        for sweep in first, second, third:
            tasks = self.results(sweep, status=1)
            self.assertEqual([task["host"] for task in tasks], hosts)
            self.assertEqual([task["outcome"] for task in tasks],
                             [expected.get(number, "ok") for number in range(1, 201)])
            for number, task in enumerate(tasks[:190], 1):
                if task["outcome"] == "ok":
                    self.assertEqual(task["commands"][0]["output"].encode(),
                                     self.simulated_output("show version", number))
        same = self.ask("diff", first, second, status=1)
        self.assertIn(f"0 of 200 hosts differ, {len(expected)} not or not wholly", same.err)
        other = self.ask("diff", second, third, status=1).out.decode()
        differ = [line.split()[1] for line in other.splitlines() if line.startswith("+++ ")]
        self.assertEqual(differ, hosts[190:])
        self.assertIn("-edge-1 uptime is", other)
        self.assertIn("+core-1 uptime is", other)

    def edges(self, port, hostname):
        """Ten devices that can be exchanged for others. Their inventory."""
        return self.devsim(10, "--record", self.record, "--hostname", hostname,
                           listen=f"127.0.0.1:{port}-{port + 9}", name="edges.txt")

    def test_queue_lets_the_newest_wait(self):
        self.job("behind", self.devices(3), minutely("overlap: queue"))
        self.hold(2)
        self.serve(env=self.clock("2026-03-01 11:59:55", speed=10))
        firings = self.fired("behind", 3)
        self.assertEqual([one["what"] for one in firings[:3]], ["started", "skipped", "skipped"])
        self.assertIn(f"still ran when {firings[2]['due'][:19]}Z was due", firings[1]["why"])
        self.release(2)
        firings = self.fired("behind", lambda all: len(self.sweeps(all)) >= 3)
        self.check_minutes(firings)
        self.check_one_after_the_other(self.sweeps(firings))

    def test_cancel_makes_room_for_the_next(self):
        self.job("instead", self.devices(4), minutely("overlap: cancel"))
        self.hold(1, 2)
        self.serve(env=self.clock("2026-03-01 11:59:55", speed=10))
        firings = self.fired("instead", 2)
        self.release(1, 2)
        firings = self.fired("instead", lambda all: len(self.sweeps(all)) >= 3)
        self.check_minutes(firings)
        self.check_one_after_the_other(self.sweeps(firings)[:3])
        tasks = self.results(self.sweeps(firings)[0], status=1)
        self.assertEqual([task["outcome"] for task in tasks], ["cancelled"] * 2 + ["ok"] * 2)

    def test_cancel_lets_a_change_finish_what_it_has_begun(self):
        self.job("instead", self.devices(4), minutely("overlap: cancel") +
                 "configuration: ['ntp server 192.0.2.1']\nlimits: {sessions: 2}\n")
        self.hold(1, 2)
        process = self.serve(env=self.clock("2026-03-01 11:59:55", speed=10))
        process.wait_for("is cancelled by schedule")
        self.release(1, 2)
        firings = self.fired("instead", 2)
        tasks = self.results(self.sweeps(firings)[0], status=1)
        self.assertEqual([task["outcome"] for task in tasks], ["ok"] * 2 + ["cancelled"] * 2)

    def test_a_sweep_that_goes_on_is_cancelled_too(self):
        self.job("instead", self.devices(2), minutely("overlap: cancel"))
        self.hold(1, 2)
        process = self.serve(env=self.clock("2026-03-01 11:59:58"))
        first = self.fired("instead", 1)[0]
        process.kill()
        self.serve(env=self.clock("2026-03-01 12:01:00"))
        self.assertEqual(self.ended(first["sweep"])["outcomes"], {"cancelled": 2})
        self.release(1, 2)
        second = self.fired("instead", 2)[1]
        self.assertEqual(self.ended(second["sweep"])["outcomes"], {"ok": 2})

    def test_what_waits_is_told_when_the_schedule_is_paused(self):
        self.job("behind", self.devices(1), minutely("overlap: queue"))
        self.hold(1)
        process = self.serve(env=self.clock("2026-03-01 11:59:58", speed=10))
        self.fired("behind", 2)
        self.ask("schedule", "pause", "behind")
        firings = self.firings("behind")
        self.assertEqual(firings[-1]["why"], "its schedule was paused")
        self.check_minutes(firings)
        self.release(1)
        self.ended(firings[0]["sweep"])
        self.stop(process)
        # A broken job file at the start, mended later, does not make it forget that.
        job = rig.read(self.path("jobs/behind.yaml")).decode()
        self.write("jobs/behind.yaml", "inventory: [\n")
        process = self.serve(env=self.clock("2026-03-01 12:30:30"))
        self.write("jobs/behind.yaml", job)
        process.send_signal(signal.SIGHUP)
        process.wait_for("read the jobs again: 1 of 1 are right")
        self.assertIn("paused", self.ask("schedule").out.decode())

    # ---- what dies

    def test_killed_at_the_very_instant(self):
        """Nothing is forgotten, nothing is run twice. The clock goes on from try to try."""
        change = "ntp server 192.0.2.1"
        self.job("now", self.devices(3), minutely() + f"configuration: ['{change}']\n")
        instants = [f"2026-03-01 12:{minute:02}:00" for minute in range(24)]
        for number, instant in enumerate(instants):
            before = f"2026-03-01 {11 + min(number, 1)}:{(number + 59) % 60:02}:57.5"
            environment = self.clock(before)
            process = self.serve(env=environment)
            due = service.seconds_of(instant) - self.offset  # on our own clock
            kill_at = due + (number - 8) * 0.004
            rig.wait_until(lambda at=kill_at: time.time() >= at, "the instant", 10)
            process.kill()
            process = self.serve(env=environment)
            firings = self.fired("now", number + 1)
            self.ended(firings[-1]["sweep"])
            process.kill()
        self.assertEqual([one["what"] for one in firings], ["started"] * len(instants))
        self.check_minutes(firings)
        self.assertEqual(len(set(self.sweeps(firings))), len(instants))
        self.assertLessEqual(len(rig.commands_seen(self.record, change)), 3 * len(instants))


if __name__ == "__main__":
    unittest.main()

"""What the tests of a long-lived dispatcher have in common: its jobs, its devices, its clock, and
the verbs that ask it."""

import datetime
import os
import signal
import time

import rig

JOB = """
inventory: {inventory}
{commands}credentials: {{user: admin, password_file: secret}}
ssh: {{host_key_policy: off}}
timeouts: {timeouts}
retries: 0
"""
FAKETIME = "/usr/$LIB/faketime/libfaketime.so.1"


class ServiceTest(rig.RigTest):
    """The service's store and token are where its user's are, so that the verbs find them."""

    def setUp(self):
        super().setUp()
        os.mkdir(self.path("jobs"))
        self.write("jobs/secret", rig.PASSWORD + "\n", mode=0o600)
        self.record = self.path("record")
        self.holds = self.path("holds")
        os.mkdir(self.holds)
        self.port = rig.free_port()
        self.env["NETFLEET_SERVER"] = f"http://127.0.0.1:{self.port}"

    def job(self, name, inventory, more="", timeouts="{connect: 3s}",
            commands="commands: show version\n"):
        return self.write(f"jobs/{name}.yaml", JOB.format(inventory=inventory, timeouts=timeouts,
                                                          commands=commands) + more)

    def devices(self, count, *arguments):
        """Their inventory; self.hosts are their names in it."""
        inventory = self.devsim(count, "--record", self.record, "--hold", self.holds, *arguments)
        self.hosts = [line.split()[0] for line in rig.read(inventory).decode().splitlines()]
        return inventory

    def hold(self, *numbers):
        for number in numbers:
            self.write(f"holds/sim-{number}", "")

    def release(self, *numbers):
        for number in numbers:
            os.remove(os.path.join(self.holds, f"sim-{number}"))

    def clock(self, at, speed=1):
        """The environment in which it is `at` ("2026-03-01 11:59:50", UTC) now, and the time passes
        so many times faster from the start of a program on. Durations are not touched by it, only
        what time it is. self.offset: what was added to the real time, in seconds."""
        self.offset = seconds_of(at) - time.time()
        return {**self.env, "LD_PRELOAD": FAKETIME, "TZ": "UTC", "DONT_FAKE_MONOTONIC": "1",
                "FAKETIME": f"{self.offset:+f}s x{speed}",
                "ASAN_OPTIONS": self.env["ASAN_OPTIONS"] + ":verify_asan_link_order=0"}

    def serve(self, *arguments, **options):
        service = self.start(f"{rig.BIN}/netfleet", "serve", self.path("jobs"), "--http",
                             f"127.0.0.1:{self.port}", "--lease", "3s", *arguments, **options)
        service.wait_for("netfleet: ready: .*API at ")
        return service

    def argv(self, *arguments):
        return [f"{rig.BIN}/netfleet", *map(str, arguments)]

    def ask(self, *arguments, status=0, **options):
        ran = self.finish(self.argv(*arguments), **options)
        self.assertEqual(ran.status, status, str(ran))
        return ran

    def view(self, sweep):
        return self.ask("status", sweep, "-o", "jsonl").objects()[0]

    def submit(self, *arguments, **options):
        return self.ask("submit", *arguments, **options).out.decode().strip()

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(), 0, process.text())

    def fired(self, job, enough, seconds=rig.DEADLINE):
        """Its firings once there are enough: so many, or as a function says."""
        if isinstance(enough, int):
            return self.fired(job, lambda firings: len(firings) >= enough, seconds)

        def found():
            firings = self.firings(job)
            return firings if enough(firings) else None
        return rig.wait_until(found, f"job {job} has fired", seconds)

    def ended(self, sweep):
        def over():
            view = self.view(sweep)
            return view if view["state"] == "ended" else None
        return rig.wait_until(over, f"sweep {sweep} ends")

    def firings(self, job):
        """What became of them, the oldest first."""
        return self.ask("schedule", "history", job, "-o", "jsonl").objects()[::-1]

    def results(self, sweep, status=0):
        return self.ask("results", sweep, "-o", "jsonl", status=status).objects()

    def check_minutes(self, firings):
        """Nothing was forgotten or taken twice: every minute from the first to the last is there,
        once, in order."""
        due = [minutes_of(firing["due"]) for firing in firings]
        self.assertEqual(due, list(range(due[0], due[0] + len(due))))


def seconds_of(timestamp):
    """Since the epoch, in UTC."""
    then = datetime.datetime.fromisoformat(timestamp.removesuffix("Z"))
    return then.replace(tzinfo=datetime.timezone.utc).timestamp()


def minutes_of(timestamp):
    return int(seconds_of(timestamp) // 60)

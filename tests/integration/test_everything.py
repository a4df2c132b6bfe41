"""Everything at once: 2,000 devices, 4 workers behind networks of their own, and accidents from a
seed all along; workers and dispatcher are killed and started again, stopped and resumed, cut off.
Then the books must balance.

NETFLEET_SEED and NETFLEET_MINUTES choose another course: a failure prints its seed.
"""

import json
import os
import random
import signal
import subprocess
import time
import unittest

import fleet
import relay
import rig

DEVICES = 2000
WORKERS = 4
SEED = int(os.environ.get("NETFLEET_SEED", "20261124"))
MINUTES = float(os.environ.get("NETFLEET_MINUTES", "0.75"))
SHARE_OF_A_SWEEP = 0.5  # of the minutes: there are two, one that reads and one that changes
SESSION_SECONDS = 1.0  # that a device takes
LEASE_SECONDS = 3


class Accidents:
    """What goes wrong, one thing after another, until the sweep ends."""

    def __init__(self, test, seed):
        self.test, self.random = test, random.Random(seed)
        self.done = []  # for the report
        self.repairs = []  # (when, what): resumes what was stopped, heals what was cut

    def run(self):
        choices = [(self.kill_worker, 4), (self.stop_worker, 4), (self.cut, 3), (self.reset, 3),
                   (self.one_way, 3), (self.kill_dispatcher, 2)]
        kinds, weights = zip(*choices)
        next_accident = time.monotonic()
        while not self.test.dispatcher_process.ended():
            now = time.monotonic()
            for repair in [repair for repair in self.repairs if repair[0] <= now]:
                self.repairs.remove(repair)
                repair[1]()
            if now >= next_accident:
                next_accident = now + self.random.uniform(0.2, 1.5)
                accident = self.random.choices(kinds, weights)[0]
                self.done.append(accident.__name__)
                accident()
            soonest = min([next_accident, *(when for when, _ in self.repairs)])
            try:  # the dispatcher's end is the event, the next accident the deadline
                self.test.dispatcher_process.popen.wait(max(0.01, soonest - time.monotonic()))
            except subprocess.TimeoutExpired:
                pass
        for _, repair in self.repairs:
            repair()

    def later(self, repair):
        # As often shorter than a lease as longer.
        self.repairs.append((time.monotonic() + self.random.uniform(0.1, 2 * LEASE_SECONDS),
                             repair))

    def any_worker(self):
        return self.random.randrange(WORKERS)

    def kill_worker(self):
        number = self.any_worker()
        self.test.workers[number].kill()
        self.test.start_worker(number)

    def stop_worker(self):
        worker = self.test.workers[self.any_worker()]
        worker.send_signal(signal.SIGSTOP)
        self.later(lambda: worker.send_signal(signal.SIGCONT))

    def cut(self):
        network = self.test.networks[self.any_worker()]
        network.stall()
        self.later(network.heal)

    def one_way(self):
        network = self.test.networks[self.any_worker()]
        offset = self.random.choice([relay.CONTROL, relay.SINK, relay.LANE])
        network.stall((offset, self.random.choice([relay.UP, relay.DOWN])))
        self.later(network.heal)

    def reset(self):
        self.test.networks[self.any_worker()].reset()

    def kill_dispatcher(self):
        self.test.dispatcher_process.kill()
        self.test.dispatches += 1
        self.test.start_dispatcher("--resume", "last")


class Everything(fleet.FleetTest):
    def setUp(self):
        super().setUp()
        self.lease = f"{LEASE_SECONDS}s"
        self.dispatches = 0
        # A session lasts a second: as many at once as make the sweep take its share of the time.
        self.sessions = max(1, round(DEVICES * SESSION_SECONDS / WORKERS /
                                     (MINUTES * 60 * SHARE_OF_A_SWEEP)))

    def start_dispatcher(self, *arguments):
        with open(self.path(f"out{self.dispatches}"), "wb") as out:
            self.dispatcher_process = self._dispatch(*arguments, stdout=out)

    def start_worker(self, number):
        self.workers[number] = self.worker(f"w{number}", self.sessions,
                                           endpoint=self.networks[number].endpoint)

    def sweep_with_accidents(self, seed, *arguments):
        inventory = self.devices(DEVICES, "--command-delay", "500ms", "--threads", 2)
        self.networks = [relay.Relay(self, self.port) for _ in range(WORKERS)]
        self.workers = [None] * WORKERS
        self.start_dispatcher("-i", inventory, "-u", "admin", "-c", fleet.COMMAND, *arguments)
        for number in range(WORKERS):
            self.start_worker(number)
        # Before that there is nothing to go on with.
        self.dispatcher_process.wait_for(rig.log_line("worker joined"))
        print(f"seed {seed}, {MINUTES} minutes", flush=True)
        accidents = Accidents(self, seed)
        accidents.run()
        self.assertIn(self.dispatcher_process.wait(), (0, 1), self.dispatcher_process.text())
        tasks = [json.loads(line) for line in
                 rig.read(self.path(f"out{self.dispatches}")).splitlines()]
        self.check_order(tasks)
        self.check_stored(tasks)
        print(f"{fleet.count(task['outcome'] for task in tasks)}; attempts: "
              f"{fleet.count(task['attempt'] for task in tasks)}; "
              f"{fleet.count(accidents.done)}", flush=True)
        return tasks

    def test_reading(self):
        tasks = self.sweep_with_accidents(SEED)
        self.check_books(tasks)
        for task in tasks:  # lost only after it has cost two workers their lives
            if task["outcome"] != "ok":
                self.assertEqual(task["outcome"], "lost", task)
                self.assertIn("quarantined", task["error"])

    def test_changing(self):
        tasks = self.sweep_with_accidents(SEED + 1, "--changes")
        self.check_books(tasks, changes=True)
        self.assertLessEqual({task["outcome"] for task in tasks}, {"ok", "lost"})


if __name__ == "__main__":
    unittest.main()

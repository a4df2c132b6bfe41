"""A dispatcher, workers and simulated devices that are about to have accidents, and the books that
must balance afterwards: what the devices recorded against what the sweep says.
"""

import collections
import json
import os

import relay
import rig

COMMAND = "show version"
SHORT_LEASE = "3s"  # for tests that wait for the end of one
LEASE = "10s"  # for tests in which none must end, however slow the machine is


class FleetTest(rig.RigTest):
    def setUp(self):
        super().setUp()
        self.port = rig.free_port(3)
        self.endpoint = f"tcp://127.0.0.1:{self.port}"
        self.record = self.path("record")
        self.store = self.path("store.db")
        self.lease = LEASE
        self.holds = self.path("holds")
        os.mkdir(self.holds)

    # ---- devices; numbered from 1

    def devices(self, count, *arguments, **options):
        self.count = count
        return self.devsim(count, "--record", self.record, "--hold", self.holds, *arguments,
                           **options)

    def hold(self, *numbers):
        """These devices keep their commands waiting (none given: all)."""
        for number in numbers or range(1, self.count + 1):
            self.write(f"holds/sim-{number}", "")

    def release(self, *numbers):
        for number in numbers or range(1, self.count + 1):
            os.remove(os.path.join(self.holds, f"sim-{number}"))

    def executions(self, command=COMMAND):
        return executions(self.record, command)

    def wait_for_commands(self, count, command=COMMAND):
        rig.wait_until(lambda: sum(self.executions(command).values()) >= count,
                       f"{count} devices at work")

    def wait_for_ends(self, count):
        rig.wait_until(lambda: len(rig.recorded(self.record, "disconnect")) >= count,
                       f"{count} ended sessions")

    # ---- processes

    def dispatcher(self, inventory, *arguments, command=COMMAND, **options):
        return self._dispatch("-i", inventory, "-u", "admin", "-c", command, *arguments, **options)

    def resumed(self, *arguments, **options):
        """A dispatcher that goes on where one before it was killed."""
        return self._dispatch("--resume", "last", *arguments, **options)

    def _dispatch(self, *arguments, **options):
        return self.start(*self.run_argv("-o", "jsonl", "-v", "--lease", self.lease, "--listen",
                                         self.endpoint, "--store", self.store, *arguments),
                          **options)

    def worker(self, name, sessions, *arguments, endpoint=None, **options):
        worker = self.start(f"{rig.BIN}/netfleet-worker", "--dispatcher", endpoint or self.endpoint,
                            "--name", name, "--sessions", sessions, "--password-env",
                            "NETFLEET_TEST_PASSWORD", "--known-hosts",
                            self.path(f"known_hosts_{name}"), "-v", *arguments, **options)
        self.addCleanup(worker.kill)
        return worker

    def tasks(self, dispatcher, status=0, seconds=rig.DEADLINE):
        """The results of a dispatcher that ends by itself: every host once, in order."""
        self.assertEqual(dispatcher.wait(seconds), status, dispatcher.text())
        dispatcher.stop()
        tasks = [json.loads(line) for line in dispatcher.lines if line.startswith("{")]
        self.check_order(tasks)
        return tasks

    # ---- the books

    def check_order(self, tasks):
        self.assertEqual([task["index"] for task in tasks], list(range(self.count)))

    def check_stored(self, tasks):
        """The store has the same results."""
        ran = self.finish([f"{rig.BIN}/netfleet", "results", "last", "-o", "jsonl", "--store",
                           self.store])
        self.assertEqual(ran.objects(), tasks)

    def check_books(self, tasks, command=COMMAND, changes=False):
        """What the devices saw agrees with what the sweep says."""
        seen = self.executions(command)
        for number, task in enumerate(tasks, 1):
            executed = seen[f"sim-{number}"]
            if task["outcome"] == "ok":
                self.assertGreaterEqual(executed, 1, task)
                self.assertEqual(task["commands"][0]["output"].encode(),
                                 self.simulated_output(command, number))
            self.assertLessEqual(executed, 1 if changes else task["attempt"], task)
        self.assertEqual(acts_of_former_owners(self.record), [])

    def check_once(self, tasks, command=COMMAND):
        """As if nothing had happened: every device was asked once and said everything."""
        self.check_books(tasks, command, changes=True)
        self.assertEqual({task["outcome"] for task in tasks}, {"ok"})
        self.assertEqual({task["attempt"] for task in tasks}, {1})


class BehindANetwork(FleetTest):
    """The worker w1 reaches its dispatcher through a relay, which can be cut."""

    def setUp(self):
        super().setUp()
        self.network = relay.Relay(self, self.port)

    def start_all(self, count, *arguments, sessions=None):
        """A dispatcher, and w1 with as many devices as it can hold."""
        dispatcher = self.dispatcher(self.devices(count), *arguments)
        self.hold()
        self.w1 = self.worker("w1", sessions or count, endpoint=self.network.endpoint)
        self.wait_for_commands(sessions or count)
        return dispatcher


def count(values):
    """For people: how often each value occurs."""
    return ", ".join(f"{number} {value}" for value, number in
                     sorted(collections.Counter(values).items()))


def executions(record, command):
    """How often each device was given the command."""
    return collections.Counter(e["device"] for e in rig.commands_seen(record, command))


def acts_of_former_owners(record):
    """Commands typed by a session on whose device another one has logged in since."""
    owner, acts = {}, []
    for event in rig.recorded(record, "login", "command"):
        if event["event"] == "login":
            owner[event["device"]] = event["session"]
        elif owner[event["device"]] != event["session"]:
            acts.append(event)
    return acts


def sessions_together(record):
    """Logins to a device while an earlier session of it was still open."""
    opened, together = collections.defaultdict(set), []
    for event in rig.recorded(record, "login", "disconnect"):
        sessions = opened[event["device"]]
        if event["event"] == "disconnect":
            sessions.discard(event["session"])
            continue
        if sessions:
            together.append(event)
        sessions.add(event["session"])
    return together

"""Outputs far larger than memory should be: they travel in parts and lie in files. What a large one
costs, and what becomes of it when its parts are lost on the way or whoever has them dies."""

import json
import os
import unittest

import fleet
import relay
import rig

MEBIBYTE = 1 << 20
SINK_UP = (relay.SINK, relay.UP)


def show_tech(mebibytes):
    """A command with so much output."""
    return f"show tech {mebibytes << 10}"


class LargeOutputs(fleet.BehindANetwork):
    SIZE = 16  # MiB
    COMMAND = show_tech(SIZE)

    def begin(self, devices=1, *arguments):
        inventory = self.devices(devices)
        with open(self.path("out"), "ab") as out:
            return self.dispatcher(inventory, *arguments, command=self.COMMAND, stdout=out)

    def slow_worker(self, name="w1", *arguments):
        """Its results need seconds; some parts of one have arrived."""
        self.network.trickle(SINK_UP, 32 << 10)
        worker = self.worker(name, 4, *arguments, endpoint=self.network.endpoint)
        rig.wait_until(lambda: self.network.arrived[SINK_UP] > 2 * MEBIBYTE, "parts on their way")
        return worker

    def hurry(self):
        self.network.trickle(SINK_UP, None)

    def ended(self, dispatcher, attempts):
        self.assertEqual(dispatcher.wait(180), 0, dispatcher.text())
        with open(self.path("out"), "rb") as lines:
            tasks = [json.loads(line) for line in lines]
        self.check_order(tasks)
        self.check_books(tasks, self.COMMAND)
        self.assertEqual([task["attempt"] for task in tasks], attempts)
        self.assertEqual({task["outcome"] for task in tasks}, {"ok"})
        self.check_stored(tasks)

    def test_parts_are_lost(self):
        """Connections are reset in mid-output: the result that follows is not complete, is not
        acknowledged, and comes again as a whole."""
        dispatcher = self.begin(2)
        self.slow_worker()
        self.network.reset()
        self.hurry()
        self.ended(dispatcher, [1, 1])

    def test_a_rehearsed_configuration_is_larger_than_outputs_may_be(self):
        """What would be typed is shown whole, whatever --max-output says of devices."""
        lines = "".join(f"interface Loopback{n}\n" for n in range(30_000))
        ran = self.sweep("-H", "10.0.0.1", "-u", "admin", "-P", "cisco_ios", "-o", "jsonl",
                         "--config-file", self.write("c.cfg", lines), "--dry-run",
                         "--max-output", "1K")
        self.assertEqual(ran.objects()[0]["commands"][0]["output"], lines)

    def test_the_worker_dies(self):
        self.lease = fleet.SHORT_LEASE
        dispatcher = self.begin()
        self.slow_worker().kill()
        self.worker("w2", 4)
        self.ended(dispatcher, [2])

    def test_the_dispatcher_dies(self):
        dispatcher = self.begin()
        self.slow_worker()
        dispatcher.kill()
        self.hurry()
        with open(self.path("out"), "wb") as out:
            resumed = self.resumed(stdout=out)
        self.ended(resumed, [1])
        self.assertEqual(sum(self.executions(self.COMMAND).values()), 1)


# Runs a program from a small process: a child's peak begins with its parent's size.
MEASURE = """
import os, sys
out = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ,
                     file_actions=[(os.POSIX_SPAWN_DUP2, out, 1)])
_, status, usage = os.wait4(pid, 0)
print(usage.ru_maxrss << 10)
sys.exit(os.waitstatus_to_exitcode(status))
"""


class Memory(rig.RigTest):
    """The peak of a process that handled 200 MiB of one device, against one that handled 2 MiB."""

    def setUp(self):
        super().setUp()
        self.inventory = self.devsim(1)

    def peak(self, *argv):
        ran = self.finish(["/usr/bin/python3", "-c", MEASURE, self.path("out"), *argv])
        self.assertEqual(ran.status, 0, str(ran))
        return int(ran.out)

    def peak_of_run(self, mebibytes, *arguments):
        return self.peak(*self.run_argv("-i", self.inventory, "-u", "admin", "-c",
                                        show_tech(mebibytes), "--max-output", "256M", *arguments))

    def check(self, little, much, written="out"):
        self.assertEqual(os.path.getsize(self.path(written)) // MEBIBYTE, 200)
        self.assertLess(much - little, 40 * MEBIBYTE)

    def test_to_files(self):
        name = f"outputs/{rig.read(self.inventory).decode().split()[0].rpartition('@')[2]}.txt"
        arguments = ("--output-dir", self.path("outputs"), "-o", "summary")
        self.check(self.peak_of_run(2, *arguments), self.peak_of_run(200, *arguments), name)

    def test_to_standard_output(self):
        self.check(self.peak_of_run(2), self.peak_of_run(200))

    def test_out_of_the_store(self):
        results = [f"{rig.BIN}/netfleet", "results", "last"]
        self.peak_of_run(2)
        little = self.peak(*results)
        self.peak_of_run(200)
        self.check(little, self.peak(*results))


if __name__ == "__main__":
    unittest.main()

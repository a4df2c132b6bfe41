"""Where room ends: full disks at the store and at the spool, outputs of 64 MiB."""

import json
import os
import re
import subprocess
import unittest

import fleet
import relay
import rig

USAGE = 2


class Bounds(fleet.FleetTest):
    def small_disk(self, kib):
        place = self.path("disk")
        os.mkdir(place)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kib}k", "none", place], check=True,
                       timeout=30)
        self.addCleanup(subprocess.run, ["umount", "-l", place], check=True, timeout=30)
        return place

    def ended(self, dispatcher, out, status):
        """The results of a dispatcher that writes to a file: too much for a list of lines."""
        self.assertEqual(dispatcher.wait(180), status, dispatcher.text())
        with open(out, "rb") as lines:
            tasks = [json.loads(line) for line in lines]
        self.check_order(tasks)
        return tasks

    def test_64_mib(self):
        """Three at once, through a worker; each is whole."""
        command = f"show tech {64 << 10}"
        with open(self.path("out"), "wb") as out:
            dispatcher = self.dispatcher(self.devices(3), command=command, stdout=out)
        worker = self.worker("w1", 3)
        tasks = self.ended(dispatcher, self.path("out"), 0)
        self.check_once(tasks, command)
        for task in tasks:
            self.assertEqual(len(task["commands"][0]["output"]), 64 << 20)
            self.assertFalse(task["commands"][0]["truncated"])
        self.assertFalse(worker.ended(), worker.text())

    def test_a_full_disk_at_the_store(self):
        """What a worker may do cannot be written down any more: nothing more is begun, what ran is
        shown."""
        place = self.small_disk(400)
        self.store = f"{place}/store.db"
        command = "show tech 1000"
        with open(self.path("out"), "wb") as out:
            dispatcher = self.dispatcher(self.devices(20), "--changes", command=command, stdout=out)
        self.hold()
        self.worker("w1", 4)
        self.wait_for_commands(4, command)
        with open(f"{place}/ballast", "wb", buffering=0) as ballast:
            with self.assertRaises(OSError):  # full
                while True:
                    ballast.write(b"-" * 512)
        self.release()
        dispatcher.wait_for(re.escape(place))
        tasks = self.ended(dispatcher, self.path("out"), USAGE)
        self.check_books(tasks, command, changes=True)
        self.assertEqual([task["outcome"] for task in tasks], ["ok"] * 4 + ["skipped"] * 16)
        self.assertEqual(sum(self.executions(command).values()), 4)

    def test_a_full_disk_at_the_spool(self):
        """Results that the dispatcher does not take pile up beyond the memory for them and beyond
        the disk: the worker takes no more until there is room, and loses none."""
        self.store = "none"
        network = relay.Relay(self, self.port)
        command = f"show tech {8 << 10}"  # 8 MiB
        with open(self.path("out"), "wb") as out:
            dispatcher = self.dispatcher(self.devices(20), "--changes", command=command, stdout=out)
        network.stall((relay.SINK, relay.UP))
        worker = self.worker("w1", 1, "--spool", self.small_disk(10 << 10),
                             endpoint=network.endpoint)
        worker.wait_for("(?i)spool.*(space|full|room)")
        begun = sum(self.executions(command).values())
        self.assertLess(begun, 20)
        network.heal()
        self.check_once(self.ended(dispatcher, self.path("out"), 0), command)
        self.assertFalse(worker.ended(), worker.text())


if __name__ == "__main__":
    unittest.main()

"""Regions behind jump hosts that are OpenSSH at its defaults: many devices over few connections, jump
hosts that die in the middle, large uploads through chains, names that only a jump host knows.
"""

import os
import unittest

import fleet
import regions
import rig
import servers
from rig import log_line


def setUpModule():
    servers.take_machine()


class TwoRegions(regions.RegionTest):
    def setUp(self):
        super().setUp()
        self.endpoint = f"tcp://{regions.HUB}:7600"
        self.hub = servers.Lan(self, "-hub", f"{regions.HUB}/24")
        self.regions = [regions.Region(self, name) for name in ("east", "west")]
        self.make_keys(*(region.name for region in self.regions))
        for number, region in enumerate(self.regions, 11):
            self.hub.connect(region.worker, f"198.18.0.{number}/24")
            for hop in region.jumps:
                hop.start()

    def test_a_jump_host_dies_half_way_and_every_device_is_done(self):
        """500 devices a region, a worker each; the one that dies has sessions at work."""
        east, west = self.regions
        for region in self.regions:
            region.start_devices(500, "--command-delay", "100ms", "--hold", self.holds)
        held = [f"east-{number}" for number in range(241, 261)]
        for name in held:
            self.write(f"holds/{name}", "")
        dispatcher = self.start(*self.run_argv(
            "-o", "jsonl", "-v", "--lease", self.lease, "--listen", self.endpoint, "--store",
            self.store, "--keys", self.keys, "--send-credentials", "--min-workers", 2,
            "-i", self.inventory(*self.regions), "-c", fleet.COMMAND), inside=self.hub.inside)
        for region in self.regions:
            self.worker(region.name, 100, "--region", region.name, "--keys", self.keys,
                        inside=region.worker.inside)
        rig.wait_until(lambda: set(held) <= set(fleet.executions(east.record, fleet.COMMAND)),
                       "half of the devices")
        east.jumps[0].kill()
        for name in held:
            os.remove(self.path(f"holds/{name}"))
        tasks = self.tasks(dispatcher)
        self.check_region_books(tasks, east, west)
        self.check_stored(tasks)
        self.assertEqual(self.outcomes(tasks), {"ok": 1000})
        self.assertEqual([task["host"] for task in tasks],
                         [f"{name}-{number}" for number in range(1, 501)
                          for name in ("east", "west")])
        for task in tasks:
            self.assertEqual(task["worker"], task["region"])
            self.assertIn(task["jump"], {f"{task['region']}-a", f"{task['region']}-b"})
        again = [task for task in tasks if task["attempt"] > 1]
        self.assertEqual({task["region"] for task in again}, {"east"})
        self.assertEqual({task["jump"] for task in again}, {"east-b"})
        shares = {jump: sum(task["jump"] == jump for task in tasks)
                  for jump in ("west-a", "west-b")}
        self.assertGreater(min(shares.values()), 200, shares)


if __name__ == "__main__":
    unittest.main()

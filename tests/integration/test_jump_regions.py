"""Regions behind jump hosts that are OpenSSH at its defaults: many devices over few connections, a
jump host that dies half-way, large uploads through a chain, names that only a jump host knows.
"""

import collections
import os
import unittest

import fleet
import regions
import rig
import servers


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


class OneRegion(regions.RegionTest):
    def setUp(self):
        super().setUp()
        self.region = regions.Region(self, "east")
        self.first, self.second = (hop.start() for hop in self.region.jumps)

    def test_a_thousand_devices_behind_one_jump_host(self):
        self.region.start_devices(1000)
        tasks = self.sweep_inside(self.region, "-i", self.inventory(self.region, jump="east-a"),
                                  "-c", fleet.COMMAND, "-s", 500)
        self.check_region_books(tasks, self.region)
        self.assertEqual(self.outcomes(tasks), {"ok": 1000})
        self.assertEqual({task["attempt"] for task in tasks}, {1})
        self.assertLessEqual(self.first.logged("Accepted password"), 4 * os.cpu_count())
        self.assertEqual(self.first.logged("MaxStartups"), 0)

    def test_an_upload_of_3_mb_through_two_hops(self):
        """What a session may type at most, three at once; each device counts what it got."""
        self.region.start_devices(3)
        line = "description " + "x" * 987
        config = self.write("config", f"{line}\n" * 1000)
        tasks = self.sweep_inside(
            self.region, "-i", self.inventory(self.region, jump="east-b",
                                              jumps={"east-b": {"via": "east-a"}}),
            "--config-file", config)
        self.assertEqual([(task["outcome"], task["jump"]) for task in tasks],
                         [("ok", "east-a,east-b")] * 3)
        typed = collections.Counter(event["device"] for event in
                                    rig.commands_seen(self.region.record, line))
        self.assertEqual(typed, {f"east-{number}": 1000 for number in (1, 2, 3)})

    def test_a_name_that_only_the_jump_host_knows(self):
        self.region.start_devices(2)
        name = "edge-7.inside.example"
        with open("/etc/resolv.conf", encoding="ascii") as file:
            server = next((line.split()[1] for line in file if line.startswith("nameserver")),
                          "127.0.0.1")
        machine = self.first.machine
        if server != "127.0.0.1":
            machine.ip("address", "add", f"{server}/32", "dev", "lo")
        names = self.start(*machine.inside, "/usr/bin/python3", os.path.join(
            os.path.dirname(__file__), "name_server.py"), server, name, regions.DEVICES)
        names.wait_for("ready")
        inventory = self.inventory(self.region, jump="east-a",
                                   hosts={"east-2": {"hostname": name}})
        tasks = self.sweep_inside(self.region, "-i", inventory, "-c", fleet.COMMAND)
        self.check_region_books(tasks, self.region)
        self.assertEqual(self.outcomes(tasks), {"ok": 2}, tasks)
        names.wait_for(f"asked for {name}")


if __name__ == "__main__":
    unittest.main()

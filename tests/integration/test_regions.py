"""Regions: a lane each, served by the workers that say so, and by nobody when there is none."""

import json
import unittest

import rig


class Regions(rig.RigTest):
    def setUp(self):
        super().setUp()
        self.endpoint = f"tcp://127.0.0.1:{rig.free_port(5)}"

    def inventory(self, *regions):
        """A simulated device for each region named, in this order."""
        devices = self.devsim(len(regions), "--record", self.path("record"))
        rows = ["name,address,platform,region"]
        with open(devices, encoding="utf-8") as file:
            lines = [line.split("#")[0].split() for line in file]
        addresses = [line[0].rpartition("@")[2] for line in lines if line]
        rows += [f"h{i},{address},cisco_ios,{region}"
                 for i, (address, region) in enumerate(zip(addresses, regions))]
        return self.write("hosts.csv", "\n".join(rows) + "\n")

    def dispatcher(self, inventory, *arguments):
        return self.start(*self.run_argv("-i", inventory, "-u", "admin", "-c", "show version", "-o",
                                         "jsonl", "--listen", self.endpoint, *arguments))

    def worker_of(self, name, *regions):
        return self.worker(self.endpoint, name, 5,
                           *(word for region in regions for word in ("--region", region)))

    def finished(self, dispatcher, status=0):
        self.assertEqual(dispatcher.wait(), status, dispatcher.text())
        dispatcher.stop()
        tasks = [json.loads(line) for line in dispatcher.lines if line.startswith("{")]
        self.assertEqual([task["index"] for task in tasks], list(range(len(tasks))))
        return tasks

    def test_each_host_goes_to_a_worker_of_its_region(self):
        regions = ["eu", "us", "asia"] * 4
        dispatcher = self.dispatcher(self.inventory(*regions), "--min-workers", 2)
        self.worker_of("w-eu", "eu")
        self.worker_of("w-us-asia", "us", "asia")
        tasks = self.finished(dispatcher)
        self.assertEqual([task["outcome"] for task in tasks], ["ok"] * 12)
        self.assertEqual([task["region"] for task in tasks], regions)
        self.assertEqual([task["worker"] for task in tasks],
                         ["w-eu", "w-us-asia", "w-us-asia"] * 4)

    def test_a_region_that_nobody_serves_is_given_up(self):
        dispatcher = self.dispatcher(self.inventory("eu", "moon", "eu", "moon"),
                                     "--region-timeout", "4s")
        self.worker_of("w-eu", "eu")
        dispatcher.wait_for(
            r"no worker serves region 'moon': its 2 hosts wait \(region-timeout 4s\).*region=moon")
        tasks = self.finished(dispatcher, 1)
        self.assertEqual([task["outcome"] for task in tasks],
                         ["ok", "unreachable", "ok", "unreachable"])
        for task in (tasks[1], tasks[3]):
            self.assertRegex(task["error"], "^no worker serves region moon$")
            self.assertEqual(task["commands"], [])
        moon = {event["device"] for event in rig.recorded(self.path("record"), "connect")}
        self.assertEqual(moon, {"sim-1", "sim-3"})

    def test_a_worker_that_comes_late_serves_its_region(self):
        dispatcher = self.dispatcher(self.inventory("eu", "us"))
        self.worker_of("w-eu", "eu")
        dispatcher.wait_for("no worker serves region 'us': its 1 host waits")
        self.worker_of("w-us", "us")
        tasks = self.finished(dispatcher)
        self.assertEqual([(task["outcome"], task["worker"]) for task in tasks],
                         [("ok", "w-eu"), ("ok", "w-us")])

    def test_the_only_worker_of_a_region_is_killed_and_another_comes(self):
        inventory = self.inventory("eu", "us")
        dispatcher = self.dispatcher(inventory, "--min-workers", 2, "--lease", "2s", "-v")
        first = self.worker_of("w-us", "us")
        dispatcher.wait_for("worker joined: worker=w-us")
        first.popen.kill()
        self.worker_of("w-eu", "eu")
        dispatcher.wait_for("worker left: worker=w-us")
        self.worker_of("w-us-2", "us")
        tasks = self.finished(dispatcher)
        self.assertEqual([(task["outcome"], task["worker"]) for task in tasks],
                         [("ok", "w-eu"), ("ok", "w-us-2")])

    def test_without_workers_elsewhere_all_regions_are_served_here(self):
        ran = self.sweep("-i", self.inventory("eu", "us", ""), "-u", "admin", "-c", "show version",
                         "-o", "jsonl")
        self.assertEqual(ran.outcomes(), {"ok": 3})
        self.assertEqual([task["region"] for task in ran.objects()], ["eu", "us", ""])


if __name__ == "__main__":
    unittest.main()

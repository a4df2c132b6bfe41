"""Limits hold over the whole fleet: the devices' own books are compared with what was allowed."""

import json
import time
import unittest

import rig

COMMAND_SECONDS = 1.5  # for which a device is at work, at least


class Limits(rig.RigTest):
    def setUp(self):
        super().setUp()
        self.endpoint = f"tcp://127.0.0.1:{rig.free_port(3)}"

    def devices(self, count, *arguments):
        """Addresses of simulated devices that write down what happens to them."""
        devices = self.devsim(count, "--record", self.path("record"), *arguments)
        with open(devices, encoding="utf-8") as file:
            lines = [line.split("#")[0].split() for line in file]
        return [line[0].rpartition("@")[2].rpartition(":")[::2] for line in lines if line]

    def inventory(self, hosts, **sections):
        """A YAML inventory: JSON is YAML."""
        return self.write("inventory.yaml", json.dumps({"hosts": hosts, **sections}))

    @staticmethod
    def host(device, **more):
        address, port = device
        return {"hostname": address, "port": int(port), "platform": "cisco_ios", **more}

    def dispatch_to_two_workers(self, inventory, *arguments):
        """The tasks, and when (wall clock, ns) the first of them can have been offered at the
        earliest: when the second worker was started."""
        dispatcher = self.start(*self.run_argv(
            "-i", inventory, "-u", "admin", "-c", "show version", "-o", "jsonl", "--listen",
            self.endpoint, "--min-workers", 2, *arguments))
        self.worker(self.endpoint, "w1", 20)
        dispatcher.wait_for("1 of 2 there")
        begun = time.time_ns()
        self.worker(self.endpoint, "w2", 20)
        self.assertEqual(dispatcher.wait(), 0, dispatcher.text())
        dispatcher.stop()
        tasks = [json.loads(line) for line in dispatcher.lines if line.startswith("{")]
        self.assertEqual({task["outcome"] for task in tasks}, {"ok"})
        return tasks, begun

    def most_at_once(self, devices=None):
        """The most devices that surely ran the command at the same time."""
        begins = sorted(event["time_ns"] for event in rig.recorded(self.path("record"), "command")
                        if event["text"] == "show version" and
                        (devices is None or event["device"] in devices))
        self.assertTrue(begins)
        length = int(COMMAND_SECONDS * 0.9 * 1e9)
        return max(sum(1 for other in begins if begin - length < other <= begin)
                   for begin in begins)

    def assert_login_rate(self, begun, rate, burst, count):
        """The n-th login cannot come before the bucket, full at `begun`, has brought n."""
        logins = sorted(event["time_ns"] for event in rig.recorded(self.path("record"), "login"))
        self.assertEqual(len(logins), count)
        for number, login in enumerate(logins, 1):
            earliest = max(0.0, (number - burst) / rate)
            self.assertGreaterEqual((login - begun) / 1e9, earliest, f"login {number} of {count}")

    def test_sessions_of_a_group_over_two_workers(self):
        devices = self.devices(20, "--command-delay", f"{COMMAND_SECONDS}s")
        hosts = {f"h{i}": self.host(device, groups=["core" if i < 10 else "edge"])
                 for i, device in enumerate(devices)}
        inventory = self.inventory(hosts, groups={"core": {}, "edge": {}},
                                   limits={"core-group": {"group": "core", "sessions": 3}})
        tasks, _ = self.dispatch_to_two_workers(inventory)
        self.assertEqual(len(tasks), 20)
        core = {f"sim-{i}" for i in range(1, 11)}
        edge = {f"sim-{i}" for i in range(11, 21)}
        self.assertLessEqual(self.most_at_once(core), 3)
        self.assertGreater(self.most_at_once(edge), 3, "without a limit it is seen")

    def test_logins_of_a_domain_over_two_workers(self):
        devices = self.devices(30)
        hosts = {f"h{i}": self.host(device) for i, device in enumerate(devices)}
        inventory = self.inventory(
            hosts, defaults={"limits": ["tacacs-eu"]},
            limits={"tacacs-eu": {"logins_per_second": 10, "burst": 5}})
        _, begun = self.dispatch_to_two_workers(inventory)
        self.assert_login_rate(begun, 10, 5, 30)

    def test_a_host_is_under_all_of_its_limits(self):
        devices = self.devices(8, "--command-delay", f"{COMMAND_SECONDS}s")
        hosts = {f"h{i}": self.host(device, region="eu", limits=["tacacs"])
                 for i, device in enumerate(devices)}
        inventory = self.inventory(
            hosts, limits={"eu": {"region": "eu", "sessions": 4},
                           "tacacs": {"logins_per_second": 2, "burst": 2}})
        ran = self.sweep("-i", inventory, "-u", "admin", "-c", "show version", "-o", "jsonl",
                         status=0)
        self.assertEqual(ran.outcomes(), {"ok": 8})
        self.assertLessEqual(self.most_at_once(), 4)

    def test_logins_per_second_for_any_inventory(self):
        devices = self.devsim(12, "--record", self.path("record"))
        begun = time.time_ns()
        ran = self.sweep("-i", devices, "-u", "admin", "-c", "show version", "-o", "jsonl",
                         "--logins-per-second", 5)
        self.assertEqual(ran.outcomes(), {"ok": 12})
        self.assert_login_rate(begun, 5, 1, 12)

    def test_one_device_under_many_names_is_visited_by_one_task_at_a_time(self):
        device, other = self.devices(2, "--command-delay", f"{COMMAND_SECONDS}s")
        hosts = {f"name-{i}": self.host(device) for i in range(4)} | {"other": self.host(other)}
        tasks, _ = self.dispatch_to_two_workers(self.inventory(hosts))
        self.assertEqual(len(tasks), 5)
        self.assertEqual(self.most_at_once({"sim-1"}), 1)
        self.assertEqual(len(rig.commands_seen(self.path("record"), "show version")), 5)

    def test_what_is_wrong_with_limits_names_the_line(self):
        inventory = self.write("bad.yaml", "hosts:\n  a: {limits: [tacacs-ue]}\n"
                                           "limits:\n  tacacs-eu: {sessions: 5}\n")
        ran = self.sweep("-i", inventory, "-u", "admin", "-c", "show version", status=2)
        self.assertIn(f"{inventory}:2: unknown limit 'tacacs-ue', did you mean 'tacacs-eu'?",
                      ran.err)


if __name__ == "__main__":
    unittest.main()

"""Jump hosts in trouble: each failure names the hop and the cause, blames no device, and costs
those behind it nothing when there is another way.
"""

import os
import signal
import unittest

import fleet
import regions
import relay
import rig
import servers

BOTH = [["east-a"], ["east-b"]]  # the second only when the first does not work


def setUpModule():
    servers.take_machine()


class Trouble(regions.RegionTest):
    jumps = 2

    def setUp(self):
        super().setUp()
        self.region = regions.Region(self, "east", self.jumps)

    def run_all(self, count, *arguments, status=0, jump="east-a", jumps=None):
        """All devices, in order; the books balance."""
        if not hasattr(self.region, "count"):
            self.region.start_devices(count)
        inventory = self.inventory(self.region, jump=jump, jumps=jumps)
        tasks = self.sweep_inside(self.region, "-i", inventory, "-c", fleet.COMMAND, *arguments,
                                  status=status)
        self.check_region_books(tasks, self.region)
        return tasks

    def assert_all_ok(self, tasks, *jumps):
        self.assertEqual(self.outcomes(tasks), {"ok": self.count}, tasks[0])
        self.assertEqual({task["jump"] for task in tasks}, set(jumps))

    def assert_blamed(self, tasks, pattern, jump="east-a"):
        """The hop, for each device."""
        self.assertEqual(self.outcomes(tasks), {"jump_failed": len(tasks)}, tasks[0])
        for task in tasks:
            port = regions.PORTS + int(task["host"].split("-")[1])
            self.assertRegex(task["error"], rf"^\w[\w ]* {task['host']} \(192\.0\.2\.1:{port}\) "
                             rf"via {jump}: {pattern}")
            self.assertNotIn("the device", task["error"])
            self.assertRegex(task["jump"], f"^{jump}$")
            self.assertEqual(task["commands"], [])


class OneHop(Trouble):
    def setUp(self):
        super().setUp()
        self.first, self.second = self.region.jumps

    def test_down(self):
        tasks = self.run_all(5, "--retries", 0, status=1)
        self.assert_blamed(tasks, r"connect to east-a \(203\.0\.113\.1:22\): connection refused")
        self.second.start()
        self.assert_all_ok(self.run_all(5, jump=BOTH), "east-b")

    def test_unreachable(self):
        """A ban by a firewall, for example."""
        for hop in (self.first.start(), self.second.start()):
            hop.machine.ip("route", "add", "unreachable", "203.0.113.100/32")
            self.region.worker.ip("route", "add", "unreachable", f"{hop.address}/32")
        tasks = self.run_all(5, "--retries", 0, status=1, jump=BOTH)
        self.assert_blamed(tasks, r"connect to east-a \(203\.0\.113\.1:22\): no route to host; "
                           r"connect to east-b \(203\.0\.113\.2:22\): no route to host",
                           "east-[ab]")

    def test_a_refused_login(self):
        """By password or key: tried once, by all devices together."""
        self.first.start()
        wrong = servers.client_key(self, "wrong_key")
        definition = {"address": self.first.address, "user": self.user, "key": wrong}
        for jumps, method in (({"east-a": {"password": "wrong"}}, "password"),
                              ({"wrong": definition}, "publickey")):
            name = list(jumps)[0]
            tasks = self.run_all(20, status=1, jump=name, jumps=jumps)
            self.assert_blamed(tasks, rf"authentication on {name} \(203\.0\.113\.1:22\) as "
                               rf"{self.user} refused: refused \(tried {method}; it offers ", name)
        self.assertEqual(self.first.logged("Failed password"), 1)
        self.assertEqual(self.first.logged("Connection closed by authenticating user"), 2)

    def test_another_host_key(self):
        self.first.start()
        self.assert_all_ok(self.run_all(5), "east-a")
        self.first.kill()
        self.first.start(host_key="other_key")
        tasks = self.run_all(5, "--retries", 0, status=1)
        self.assert_blamed(tasks, r"connect to east-a \(203\.0\.113\.1:22\): its host key is not "
                           r"the one on record at ")
        self.assertEqual(self.first.logged("Accepted"), 0)

    def test_forwarding_is_forbidden(self):
        self.first.start("AllowTcpForwarding no")
        tasks = self.run_all(5, "--retries", 0, status=1)
        self.assert_blamed(tasks, r"east-a \(203\.0\.113\.1:22\) does not forward to it "
                           r"\(AllowTcpForwarding, PermitOpen\)")
        self.second.start()
        self.assert_all_ok(self.run_all(5, jump=BOTH), "east-b")

    def test_one_device_is_forbidden(self):
        self.first.start("PermitOpen " + " ".join(
            f"{regions.DEVICES}:{regions.PORTS + number}" for number in (1, 2, 4, 5)))
        tasks = self.run_all(5, "--retries", 0, status=1)
        self.assert_blamed(tasks[2:3], r"east-a \(203\.0\.113\.1:22\) does not forward to it ")
        self.assertEqual([task["outcome"] for task in tasks],
                         ["ok", "ok", "jump_failed", "ok", "ok"])
        self.second.start()
        tasks = self.run_all(5, jump=BOTH)
        self.assertEqual([task["jump"] for task in tasks],
                         ["east-a", "east-a", "east-b", "east-a", "east-a"])

    def test_two_kilobytes_a_second(self):
        self.first.start()
        slow = relay.Relay(self, 22, 1, self.first.address, self.region.worker.name)
        for way in (relay.UP, relay.DOWN):
            slow.trickle((0, way), 20)
        tasks = self.run_all(3, jumps={"east-a": {"address": "127.0.0.1", "port": slow.port}})
        self.assert_all_ok(tasks, "east-a")

    def test_a_loop(self):
        self.region.start_devices(1)
        loop = {"east-a": {"via": "east-b"}, "east-b": {"via": "east-a"}}
        ran = self.finish([*self.region.worker.inside, *self.run_argv(
            "-i", self.inventory(self.region, jump="east-a", jumps=loop), "-c", fleet.COMMAND)])
        self.assertEqual((ran.status, ran.out), (2, b""))
        self.assertIn("jump host 'east-a': a loop: east-a -> east-b -> east-a", ran.err)


class InTheMiddle(Trouble):
    """Something happens to the first of two jump hosts while it carries sessions at work."""

    def begin(self, count, *arguments):
        self.first, self.second = (hop.start() for hop in self.region.jumps)
        self.region.start_devices(count, "--hold", self.holds)
        self.names = [f"east-{number}" for number in range(1, count + 1)]
        for name in self.names:
            self.write(f"holds/{name}", "")
        self.netfleet = self.start(*self.region.worker.inside, *self.run_argv(
            "-o", "jsonl", "--store", "none", "--known-hosts", self.path("known_hosts"),
            "-i", self.inventory(self.region, jump=BOTH), "-c", fleet.COMMAND, "-s", count,
            *arguments))
        rig.wait_until(lambda: len(fleet.executions(self.region.record, fleet.COMMAND)) == count,
                       f"{count} sessions at work")

    def end(self, status=0):
        for name in self.names:
            os.remove(self.path(f"holds/{name}"))
        tasks = self.tasks(self.netfleet, status, seconds=150)
        self.check_region_books(tasks, self.region)
        return tasks

    def test_it_dies_with_200_sessions(self):
        self.begin(200)
        self.first.kill()
        tasks = self.end()
        self.assert_all_ok(tasks, "east-b")
        self.assertEqual({task["attempt"] for task in tasks}, {2})

    def test_it_dies_with_changes_at_work(self):
        """What was sent is not sent again."""
        self.begin(20, "--changes")
        self.first.kill()
        tasks = self.end(status=1)
        self.assertEqual(self.outcomes(tasks), {"jump_failed": 20})
        for task in tasks:
            self.assertIn(f"run '{fleet.COMMAND}' on {task['host']} (", task["error"])
            self.assertIn(" via east-a: the connection to east-a (203.0.113.1:22) was lost: ",
                          task["error"])
        self.assertEqual(set(fleet.executions(self.region.record, fleet.COMMAND).values()), {1})

    def test_it_stops_reading(self):
        """Its machine is well, so that only its silence tells."""
        self.begin(20)
        self.first.signal(signal.SIGSTOP)
        self.addCleanup(self.first.signal, signal.SIGCONT)
        tasks = self.end()
        self.assert_all_ok(tasks, "east-b")
        self.assertEqual({task["attempt"] for task in tasks}, {2})


class Chain(Trouble):
    jumps = 6

    def test_six_hops(self):
        chain = [hop.start().name for hop in self.region.jumps]
        vias = {name: {"via": before} for before, name in zip(chain, chain[1:])}
        self.assert_all_ok(self.run_all(20, jump=chain[-1], jumps=vias), ",".join(chain))
        self.region.jumps[2].kill()
        tasks = self.run_all(3, "--retries", 0, status=1, jump=chain[-1], jumps=vias)
        self.assert_blamed(tasks, r"connect to east-c \(203\.0\.113\.3:22\) via east-a,east-b: "
                           r"connection refused", ",".join(chain))


if __name__ == "__main__":
    unittest.main()

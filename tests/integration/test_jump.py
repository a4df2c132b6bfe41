"""Devices behind jump hosts, from the command line, the inventory and ssh_config to the result.
The jump hosts are OpenSSH on loopback, each with a user of its own; the devices are simulated and
in truth reached directly as well: `jump` and the servers' logs say which way was taken. Needs root.
"""

import datetime
import json
import os
import re
import sqlite3
import unittest

import rig
import servers

DEVICES = 4


def setUpModule():
    servers.take_machine()


class JumpTest(rig.RigTest):
    def setUp(self):
        super().setUp()
        self.key = servers.client_key(self)
        self.start_devices()

    def start_devices(self, *arguments):
        self.devices = self.devsim(DEVICES, *arguments)
        with open(self.devices, encoding="utf-8") as file:
            self.addresses = [line.split()[0].rpartition("@")[2] for line in file]

    def hop(self, name, *options):
        """A jump host whose user logs in with servers.PASSWORD or the test's key."""
        user = servers.add_user(self, name, "/usr/sbin/nologin")
        return servers.sshd(self, user, name=f"sshd_{name}",
                            options=["AllowTcpForwarding yes", *options])

    def closed_port(self):
        return rig.free_port()

    def inventory(self, jumps, hosts=None, name="inventory.yaml", **defaults):
        """The devices as edge-1, edge-2 ..., `hosts` adds to them by name."""
        entries = {}
        for number, address in enumerate(self.addresses, 1):
            host, _, port = address.rpartition(":")
            entries[f"edge-{number}"] = {"hostname": host, "port": int(port),
                                         **(hosts or {}).get(f"edge-{number}", {})}
        return self.write(name, json.dumps({
            "hosts": entries,
            "defaults": {"platform": "cisco_ios", "username": "admin", **defaults},
            **({"jumps": jumps} if jumps is not None else {})}, indent=1))

    def definition(self, hop, **more):
        return {"address": "127.0.0.1", "port": hop.port, "user": hop.user,
                "password": servers.PASSWORD, **more}

    def show_clock(self, *arguments, status=0, **options):
        return self.sweep("-c", "show clock", "-o", "jsonl", *arguments, status=status, **options)

    def assert_ways(self, ran, *ways):
        """All devices were reached, in order, and so."""
        self.assertEqual(ran.outcomes(), {"ok": DEVICES}, str(ran))
        self.assertEqual([task["index"] for task in ran.objects()], list(range(DEVICES)))
        self.assertEqual([task["jump"] for task in ran.objects()],
                         list(ways) if len(ways) > 1 else list(ways) * DEVICES, str(ran))

    @staticmethod
    def spans(ran):
        """When each task ran."""
        begins = [datetime.datetime.fromisoformat(task["started_at"]) for task in ran.objects()]
        return [(begin, begin + datetime.timedelta(milliseconds=task["duration_ms"] - 1))
                for begin, task in zip(begins, ran.objects())]

    def logins(self, hop):
        """How many connections the jump host let in, one at least."""
        hop.process.wait_for(r"Accepted \w+ for")
        return len([line for line in hop.process.lines if re.search(r"Accepted \w+ for", line)])


class TestCommandLine(JumpTest):
    def test_one_hop_carries_all_devices_on_few_connections(self):
        hop = self.hop("one")
        typed = f"{hop.user}@127.0.0.1:{hop.port}"
        ran = self.show_clock("-i", self.devices, "-u", "admin", "-J", typed, "--key", self.key,
                              "--session-threads", 1)
        self.assert_order(ran, self.devices)
        self.assert_ways(ran, typed)
        self.assertEqual(self.logins(hop), 1)

    def test_two_hops_nearest_first(self):
        near, far = self.hop("near"), self.hop("far")
        typed = [f"{hop.user}@127.0.0.1:{hop.port}" for hop in (near, far)]
        ran = self.show_clock("-i", self.devices, "-u", "admin", "-J", ",".join(typed), "--key",
                              self.key)
        self.assert_ways(ran, ",".join(typed))
        far.process.wait_for(r"Accepted publickey")
        self.assertGreater(self.logins(near), 0)

    def test_a_hop_has_the_users_name_and_password(self):
        """-u, and the password that is for everything."""
        hop = self.hop("both")
        devices = self.devsim(DEVICES, "--user", hop.user, "--password", servers.PASSWORD,
                              name="same.txt")
        ran = self.show_clock("-i", devices, "-u", hop.user, "-J", f"127.0.0.1:{hop.port}",
                              "--password-env", "HOP_PASSWORD", password=None,
                              env={"HOP_PASSWORD": servers.PASSWORD})
        self.assert_ways(ran, f"127.0.0.1:{hop.port}")

    def test_the_inventory_goes_first_and_none_is_directly(self):
        hop, other = self.hop("inventory"), self.hop("typed")
        inventory = self.inventory({"bastion": self.definition(hop)},
                                   {"edge-1": {"jump": "bastion"}, "edge-2": {"jump": "none"}})
        typed = f"{other.user}@127.0.0.1:{other.port}"
        ran = self.show_clock("-i", inventory, "-J", typed, "--key", self.key)
        self.assert_ways(ran, "bastion", None, typed, typed)
        ran = self.show_clock("-i", inventory, "-J", "bastion")
        self.assert_ways(ran, "bastion", None, "bastion", "bastion")

    def test_what_cannot_be_a_hop_is_an_error_before_anything_starts(self):
        for hops, message in (("a,,b", "a jump host without a name"),
                              ("x y", "'x y' is no host name"), ("a:99999", "is no port"),
                              ("a,b,a", "jump host 'a': a loop: a -> b -> a")):
            ran = self.show_clock("-i", self.devices, "-u", "admin", "-J", hops, status=2)
            self.assertIn(message, ran.err)


class TestInventory(JumpTest):
    def test_each_hop_has_its_own_user_and_key(self):
        """One by a password, the one behind it by a key that no other has."""
        near, far = self.hop("near"), self.hop("far")
        key = servers.client_key(self, "far_key")
        self.write(f"{far.user}/.ssh/authorized_keys", rig.read(f"{key}.pub"), 0o644)
        inventory = self.inventory(
            {"bastion": self.definition(near),
             "core": {"address": "127.0.0.1", "port": far.port, "user": far.user,
                      "key": "~/far_key", "via": "bastion"}}, jump="core")
        ran = self.show_clock("-i", inventory)
        self.assert_ways(ran, "bastion,core")
        near.process.wait_for(r"Accepted password")
        far.process.wait_for(r"Accepted publickey")

    def test_the_next_tier_serves_when_the_first_does_not(self):
        hop = self.hop("second")
        inventory = self.inventory(
            {"dead": {"address": "127.0.0.1", "port": self.closed_port()},
             "dying": {"address": "127.0.0.1", "port": self.closed_port()},
             "second": self.definition(hop)}, jump=[["dead", "dying"], ["second"]])
        ran = self.show_clock("-i", inventory)
        self.assert_ways(ran, "second")

    def test_alternatives_share_by_weight(self):
        left, right = self.hop("left"), self.hop("right")
        inventory = self.inventory({"left": self.definition(left, weight=1),
                                    "right": self.definition(right, weight=3)},
                                   jump=[["left", "right"]])
        ran = self.show_clock("-i", inventory, "--session-threads", 1)
        ways = [task["jump"] for task in ran.objects()]
        self.assertEqual((ways.count("left"), ways.count("right")), (1, 3), str(ran))

    def test_a_wrong_password_at_the_hop_is_the_hops_and_the_rest_goes_on(self):
        good, bad = self.hop("good"), self.hop("bad")
        inventory = self.inventory(
            {"good": self.definition(good), "bad": self.definition(bad, password="wrong")},
            {"edge-2": {"jump": "bad"}, "edge-4": {"jump": "bad"}}, jump="good")
        ran = self.show_clock("-i", inventory, "--retries", 0, status=1)
        self.assertEqual([task["outcome"] for task in ran.objects()],
                         ["ok", "jump_failed", "ok", "jump_failed"], str(ran))
        self.assertEqual([task["jump"] for task in ran.objects()], ["good", "bad", "good", "bad"])
        error = ran.objects()[1]["error"]
        self.assertRegex(error, r"edge-2 \(127\.0\.0\.1:\d+\) via bad: authentication on bad")
        bad.process.wait_for("Failed password")
        refused = [line for line in bad.process.lines if "Failed password" in line]
        self.assertEqual(len(refused), 1, "it is not tried again, so that nobody is locked out")

    def test_names_that_nobody_defines_are_errors_with_their_line(self):
        inventory = self.inventory({"bastion": {"address": "127.0.0.1"}},
                                   {"edge-3": {"jump": "bastoin"}})
        line = next(number for number, text in enumerate(
            rig.read(inventory).decode().splitlines(), 1) if "bastoin" in text)
        ran = self.show_clock("-i", inventory, status=2)
        self.assertIn(f"{inventory}:{line}: unknown jump host 'bastoin', did you mean 'bastion'?",
                      ran.err)
        ran = self.finish([f"{rig.BIN}/netfleet", "check", "-i", inventory])
        self.assertEqual(ran.status, 2)
        self.assertIn("unknown jump host 'bastoin'", ran.err)

    def test_a_limit_of_a_jump_host_holds_for_all_behind_it(self):
        self.start_devices("--command-delay", "500ms")
        hop = self.hop("hop")
        inventory = self.inventory(
            {"narrow": self.definition(hop, sessions=1), "wide": self.definition(hop)},
            {"edge-1": {"jump": "narrow"}, "edge-2": {"jump": [["narrow", "wide"]]}}, jump="wide")
        ran = self.show_clock("-i", inventory)
        self.assertEqual(ran.outcomes(), {"ok": DEVICES}, str(ran))
        spans = self.spans(ran)
        self.assertFalse(overlap(spans[0], spans[1]), "edge-2 may go over the narrow one, too")
        self.assertTrue(overlap(spans[2], spans[3]), "without a limit it is seen")

    def test_the_same_address_behind_two_jump_hosts_is_two_devices(self):
        """Each has its own host key on record, and both may be worked on at the same time."""
        self.start_devices("--command-delay", "500ms")
        east, west = self.hop("east"), self.hop("west")
        host, _, port = self.addresses[0].rpartition(":")
        inventory = self.write("twins.yaml", json.dumps({
            "hosts": {"twin-east": {"jump": "east"}, "twin-west": {"jump": "west"}},
            "defaults": {"hostname": host, "port": int(port), "username": "admin",
                         "platform": "cisco_ios"},
            "jumps": {"east": self.definition(east), "west": self.definition(west)}}))
        known_hosts = self.path("known_hosts")
        run = ["-i", inventory, "--known-hosts", known_hosts, "--retries", 0]
        ran = self.show_clock(*run, "-l", "twin-east")
        self.assertEqual(ran.outcomes(), {"ok": 1}, str(ran))
        # Another device has that address now, as if it were the west's.
        self.simulator.stop()
        self.devsim(1, listen=self.addresses[0], name="another.txt")
        ran = self.show_clock(*run, status=1)
        self.assertEqual([task["outcome"] for task in ran.objects()], ["host_key_rejected", "ok"],
                         str(ran))
        text = rig.read(known_hosts).decode()
        for hop in (east, west):
            self.assertIn(f"[127.0.0.1:{hop.port}>127.0.0.1]:{port} ssh-", text)

    def test_twins_do_not_wait_for_each_other(self):
        self.start_devices("--command-delay", "500ms")
        hop = self.hop("hop")
        host, _, port = self.addresses[0].rpartition(":")
        inventory = self.write("twins.yaml", json.dumps({
            "hosts": {"a": {"jump": "east"}, "b": {"jump": "west"}, "c": {"jump": "west"}},
            "defaults": {"hostname": host, "port": int(port), "username": "admin",
                         "platform": "cisco_ios"},
            "jumps": {"east": self.definition(hop), "west": self.definition(hop)}}))
        a, b, c = self.spans(self.show_clock("-i", inventory))
        self.assertTrue(overlap(a, b) or overlap(a, c))
        self.assertFalse(overlap(b, c), "one device is in one task at a time")


class TestSshConfig(JumpTest):
    def configure(self, text):
        os.makedirs(self.path(".ssh"), exist_ok=True)
        self.write(".ssh/config", text, 0o600)

    def test_proxy_jump_and_each_hops_own_block(self):
        near, far = self.hop("near"), self.hop("far")
        key = servers.client_key(self, "far_key")
        self.write(f"{far.user}/.ssh/authorized_keys", rig.read(f"{key}.pub"), 0o644)
        self.configure(f"""
            Host near
                HostName 127.0.0.1
                Port {near.port}
                User {near.user}
                IdentityFile {self.key}
            Host far
                HostName 127.0.0.1
                User {far.user}
                IdentityFile {key}
                ProxyJump nowhere
            Host edge-4
                ProxyJump none
            Host edge-*
                ProxyJump near,far:{far.port}
            """)
        ran = self.show_clock("-i", self.inventory(None))
        way = f"near,far:{far.port}"
        self.assert_ways(ran, way, way, way, None)
        far.process.wait_for("Accepted publickey")

    def test_the_first_hops_own_proxy_jump_is_followed(self):
        near, far = self.hop("near"), self.hop("far")
        self.configure(f"""
            Host near
                ProxyJump none
            Host far
                ProxyJump near
            Host near far
                HostName 127.0.0.1
                IdentityFile {self.key}
            Match originalhost near
                Port {near.port}
                User {near.user}
            Match originalhost far
                Port {far.port}
                User {far.user}
            """)
        ran = self.show_clock("-i", self.inventory(None), "-J", "far")
        self.assert_ways(ran, "near,far")

    def test_a_loop_is_an_error_that_names_it(self):
        self.configure("Host a\n ProxyJump b\nHost b\n ProxyJump a\nHost edge-*\n ProxyJump a\n")
        ran = self.show_clock("-i", self.inventory(None), status=2)
        self.assertIn("jump host 'a': a loop: a -> b -> a", ran.err)

    def test_a_proxy_command_is_still_refused(self):
        self.configure("Host edge-2\n ProxyCommand nc %h %p\n")
        ran = self.show_clock("-i", self.inventory(None), "--retries", 0, status=1)
        self.assertEqual(ran.outcomes(), {"ok": DEVICES - 1, "unreachable": 1}, str(ran))
        self.assertIn("netfleet starts no commands to connect through", ran.objects()[1]["error"])


class TestFleet(JumpTest):
    def setUp(self):
        super().setUp()
        self.endpoint = f"ipc://{self.path('fleet')}"

    def dispatch(self, *arguments):
        return self.start(*self.run_argv("-c", "show clock", "-o", "jsonl", "--listen",
                                         self.endpoint, *arguments))

    def tasks(self, dispatcher, status=0):
        self.assertEqual(dispatcher.wait(), status, dispatcher.text())
        dispatcher.stop()
        return [json.loads(line) for line in dispatcher.lines if line.startswith("{")]

    def jump_file(self, jumps):
        return self.write("jumps.yaml", json.dumps({"jumps": jumps}))

    def test_what_only_the_workers_know(self):
        """Jump hosts and their secrets; the dispatcher warns of the name."""
        near, far = self.hop("near"), self.hop("far")
        inventory = self.inventory(None, jump=[["core"], ["other"]])
        jumps = self.jump_file({"bastion": self.definition(near),
                                "core": self.definition(far, via="bastion"),
                                "other": self.definition(near)})
        dispatcher = self.dispatch("-i", inventory)
        dispatcher.wait_for("jump host 'core' is not defined here: workers need it")
        self.worker(self.endpoint, "w1", 10, "--jumps", jumps)
        tasks = self.tasks(dispatcher)
        self.assertEqual([(task["outcome"], task["jump"]) for task in tasks],
                         [("ok", "bastion,core")] * DEVICES)

    def test_a_worker_on_this_machine_is_told_all_that_it_needs(self):
        near, far = self.hop("near"), self.hop("far")
        inventory = self.inventory({"bastion": self.definition(near),
                                    "core": self.definition(far, via="bastion")}, jump="core")
        dispatcher = self.dispatch("-i", inventory)
        self.start(f"{rig.BIN}/netfleet-worker", "--dispatcher", self.endpoint, "--known-hosts",
                   self.path("known_hosts"))
        tasks = self.tasks(dispatcher)
        self.assertEqual([(task["outcome"], task["jump"]) for task in tasks],
                         [("ok", "bastion,core")] * DEVICES)

    def test_the_workers_own_definition_replaces_the_dispatchers(self):
        hop = self.hop("hop")
        inventory = self.inventory({"bastion": {"address": "192.0.2.1", "user": "nobody"}},
                                   jump="bastion")
        dispatcher = self.dispatch("-i", inventory)
        self.worker(self.endpoint, "w1", 10, "--jumps",
                    self.jump_file({"bastion": self.definition(hop)}))
        tasks = self.tasks(dispatcher)
        self.assertEqual([(task["outcome"], task["jump"]) for task in tasks],
                         [("ok", "bastion")] * DEVICES)

    def test_a_worker_without_the_jump_host_leaves_it_to_others(self):
        hop = self.hop("hop")
        dispatcher = self.dispatch("-i", self.inventory(None, jump="bastion"))
        lost = self.worker(self.endpoint, "w1", 10)
        lost.wait_for("no jump host 'bastion' is defined, neither by the dispatcher nor")
        self.assertEqual(lost.wait(), 3)
        self.worker(self.endpoint, "w2", 10, "--jumps",
                    self.jump_file({"bastion": self.definition(hop)}))
        tasks = self.tasks(dispatcher)
        self.assertEqual({(task["outcome"], task["worker"]) for task in tasks}, {("ok", "w2")})

    def test_a_workers_file_is_checked_before_it_joins(self):
        for jumps, message in (({"a": {"via": "b", "user": "u"}, "b": {"via": "a", "user": "u"}},
                                "jumps.yaml:1: jump host 'a': a loop: a -> b -> a"),
                               ({"a": {"address": "x"}}, "give the user to log in as"),
                               ({"a": {"user": "u", "sessions": 5}}, "limits over the fleet"),
                               ({"a": {"user": "u", "key": "/nowhere"}}, "/nowhere"),
                               ({"a": {"adress": "x"}}, "did you mean 'address'?")):
            worker = self.worker(self.endpoint, "w1", 10, "--jumps", self.jump_file(jumps))
            worker.wait_for(re.escape(message))
            self.assertEqual(worker.wait(), 2)

    def test_resume_keeps_the_way(self):
        """It is in the store; only secrets must be given again."""
        hold = self.path("hold")
        os.mkdir(hold)
        self.write("hold/sim-3", "")
        self.start_devices("--hold", hold)
        near, far = self.hop("near"), self.hop("far")
        inventory = self.inventory({"bastion": self.definition(near, sessions=4),
                                    "core": self.definition(far, via="bastion")}, jump="core")
        store = self.path("store.db")
        arguments = ["--store", store, "-o", "jsonl"]
        begun = self.start(*self.run_argv("-i", inventory, "-c", "show clock", *arguments))
        rig.wait_until(lambda: self.stored(store) == DEVICES - 1, "all but the held one")
        begun.kill()
        os.unlink(f"{hold}/sim-3")
        ran = self.sweep("--resume", "last", *arguments, status=2)
        self.assertIn("give its inventory again with -i", ran.err)
        other = self.inventory({"bastion": self.definition(near, sessions=4),
                                "core": self.definition(far)}, name="other.yaml", jump="bastion")
        ran = self.sweep("--resume", "last", "-i", other, *arguments)
        self.assert_ways(ran, "bastion,core")

    @staticmethod
    def stored(store):
        if not os.path.exists(store):
            return 0
        with sqlite3.connect(store) as database:
            return database.execute("select count(*) from results").fetchone()[0]


def overlap(one, other):
    return one[0] < other[1] and other[0] < one[1]


if __name__ == "__main__":
    unittest.main()

"""Configuration: pushed to real FRR routers and read back over a channel of our own, and to
simulated devices, which write down every line that they were sent.
"""

import os
import signal
import unittest

import rig
import servers


def setUpModule():
    servers.take_machine()


class Configuration(rig.RigTest):
    def setUp(self):
        super().setUp()
        self.known_hosts = self.path("known_hosts")
        self.record = self.path("record")

    def configure(self, inventory, *arguments, status=0, **options):
        return self.sweep("-i", inventory, "-u", "admin", "--known-hosts", self.known_hosts,
                          "-o", "jsonl", *arguments, status=status, **options)

    def seen(self, device="sim-1"):
        """The lines that a device was sent, without those that set up the terminal or leave: the
        last one may not be there yet."""
        return [event["text"] for event in rig.recorded(self.record, "command")
                if event["device"] == device and event["text"] != "exit"
                and not event["text"].startswith(("terminal ", "set cli "))]

    def only(self, ran):
        tasks = ran.objects()
        self.assertEqual(len(tasks), 1, str(ran))
        return tasks[0]


class OnRouters(Configuration):
    def setUp(self):
        super().setUp()
        self.env["NETFLEET_TEST_PASSWORD"] = servers.PASSWORD
        self.user = servers.add_user(self, "vty", "/bin/bash", ["frrvty"])
        self.routers = [servers.Router(self, n, f"edge-{n}", self.user) for n in (1, 2, 3)]
        hosts = "".join(
            f"  edge-{n}:\n    hostname: {r.address}\n    username: {self.user}\n"
            f"    data: {{description: uplink of {n}, blackholes: [10.{70 + n}.1.0/24, "
            f"10.{70 + n}.2.0/24]}}\n" for n, r in enumerate(self.routers, 1))
        self.inventory = self.write(
            "fleet.yaml",
            f"hosts:\n{hosts}defaults: {{platform: frr_vtysh, data: {{lan: lan0}}}}\n")

    def running(self):
        return [router.show("show running-config").decode() for router in self.routers]

    def test_a_template_is_pushed_and_read_back(self):
        template = self.write("edge.mustache", "{{! each its own }}\ninterface {{data.lan}}\n"
                              " description {{data.description}}\nexit\n{{#data.blackholes}}\n"
                              "ip route {{.}} blackhole\n{{/data.blackholes}}\n")
        dry = self.configure(self.inventory, "--config-file", template, "--dry-run")
        for n, task in enumerate(dry.objects(), 1):
            self.assertEqual(task["outcome"], "ok", str(dry))
            self.assertIn(f" description uplink of {n}\n", task["commands"][0]["output"])
        before = self.running()
        for config in before:
            self.assertNotIn("uplink of", config)

        ran = self.configure(self.inventory, "--config-file", template, "--save",
                             "-c", "show running-config")
        for n, (task, config) in enumerate(zip(ran.objects(), self.running()), 1):
            self.assertEqual(task["outcome"], "ok", str(ran))
            self.assertEqual([c["command"] for c in task["commands"]],
                             ["configure", "write memory", "show running-config"])
            self.assertIn(f"interface lan0\n description uplink of {n}\nexit\n", config)
            for third in (1, 2):
                self.assertIn(f"ip route 10.{70 + n}.{third}.0/24 blackhole\n", config)
        for router in self.routers:
            self.assertIn(b"uplink of", rig.read(f"{router.directory}/zebra.conf"))

        text = self.finish([f"{rig.BIN}/netfleet", "results", "last"])
        self.assertEqual(text.status, 0, str(text))
        self.assertIn(b"ip route 10.72.2.0/24 blackhole", text.out)

    def test_what_follows_a_refused_line_is_not_sent(self):
        config = self.write("routes", "ip route 10.91.0.0/24 blackhole\ninterface lan0\n"
                            "nonsense here\nip route 10.92.0.0/24 blackhole\n")
        ran = self.configure(self.inventory, "--config-file", config, "--save",
                             "-c", "show version", status=1)
        for task, config in zip(ran.objects(), self.running()):
            self.assertEqual(task["outcome"], "command_failed", str(ran))
            self.assertIn("line 3 of 4 'nonsense here': refused: % Unknown command",
                          task["error"])
            self.assertEqual([c["command"] for c in task["commands"]], ["configure"])
            self.assertIn("ip route 10.91.0.0/24 blackhole", config)
            self.assertNotIn("10.92.0.0", config)

    def test_an_undefined_value_is_found_before_anything_is_sent(self):
        inventory = self.write("broken.yaml", rig.read(self.inventory).replace(
            b"uplink of 2, ", b"uplink of 2, only_here: x, "))
        template = self.write("edge.mustache", "interface lan0\n description {{data.only_here}}\n")
        before = self.running()
        ran = self.configure(inventory, "--config-file", template, status=2)
        self.assertEqual(ran.out, b"")
        self.assertIn(f"{template}:2: {{{{data.only_here}}}} is not defined for edge-1, edge-3\n",
                      ran.err)
        self.assertEqual(self.running(), before)
        for router in self.routers:
            self.assertNotIn("Accepted", router.server.process.text())


    def test_a_mode_that_cannot_be_reached(self):
        """vtysh for users does not know `enable`: nothing is typed in another mode instead."""
        router = self.routers[0]
        server = servers.sshd(self, self.user, router.address, 2222, router.namespace,
                              name="sshd_user",
                              options=[f"ForceCommand {' '.join(router.vtysh)} --user"])
        inventory = self.write("user.txt", server.line("frr_vtysh") + "\n")
        before = self.running()[0]
        for arguments in (["--mode", "privileged", "-c", "show version"],
                          ["--config-line", "ip route 10.99.1.0/24 blackhole"]):
            ran = self.finish(self.run_argv("-i", inventory, "--known-hosts", self.known_hosts,
                                            "-o", "jsonl", *arguments))
            task = self.only(ran)
            self.assertNotEqual(task["outcome"], "ok", str(ran))
            self.assertIn("enable refused: % Unknown command: enable", task["error"])
            self.assertEqual(task["commands"], [])
        self.assertEqual(self.running()[0], before)


class OnSimulatedDevices(Configuration):
    def test_lines_blocks_and_save(self):
        inventory = self.devsim(2, "--record", self.record, "--confirm-save")
        config = self.write("config", "hostname renamed\r\n\ninterface GigabitEthernet0/1\n"
                            " description up\nbanner motd ^\nrenamed#\n\n  % Invalid input ^\n"
                            "ntp server 192.0.2.1\n")
        ran = self.configure(inventory, "--config-line", "vlan 7", "--config-file", config,
                             "--config-line", "end-of-it", "--save", "-c", "show clock")
        for number in (1, 2):
            self.assertEqual(
                self.seen(f"sim-{number}"),
                ["configure terminal", "vlan 7", "hostname renamed",
                 "interface GigabitEthernet0/1", "description up", "banner motd ^", "renamed#", "",
                 "  % Invalid input ^", "ntp server 192.0.2.1", "end-of-it", "end",
                 "write memory", "show clock"], str(ran))
        task = ran.objects()[0]
        self.assertEqual([c["command"] for c in task["commands"]],
                         ["configure", "write memory", "show clock"])
        self.assertIn("[OK]", task["commands"][1]["output"])

    def test_a_refused_line_leaves_the_mode_and_ends_it(self):
        inventory = self.devsim(1, "--record", self.record)
        ran = self.configure(inventory, "--config-line", "vlan 7", "--config-line", "invalid x",
                             "--config-line", "vlan 8", "--save", "-c", "show clock", status=1)
        self.assertEqual(self.seen(), ["configure terminal", "vlan 7", "invalid x", "end"])
        self.assertIn("line 2 of 3 'invalid x': refused: % Invalid input",
                      self.only(ran)["error"])

    def test_nothing_is_sent_without_need(self):
        inventory = self.devsim(3, "--record", self.record)
        template = self.write("t.mustache", "ok\n{{data.x}}\n")
        for arguments, message in (
                (["--config-file", template], f"{template}:2: {{{{data.x}}}} is not defined for "),
                (["--config-line", "x", "-P", "fortinet", "--commit-confirmed", "1m"],
                 "platform fortinet has no confirmed commit"),
                (["-c", "x", "--mode", "nowhere"], "platform cisco_ios has no mode 'nowhere'"),
                (["-c", "x", "--answer", "(=y"], "--answer '('"),
                (["--config-line", "banner motd ^"], "the block that begins here has no end"),
                (["--config-file", self.write("big", "x" * 999 + "\n" + "y" * 1_000_000)],
                 "more than 1000000 bytes of configuration")):
            with self.subTest(message=message):
                ran = self.configure(inventory, *arguments, status=2)
                self.assertIn(message, ran.err)
        dry = self.configure(inventory, "--config-line", "vlan 7", "--dry-run")
        self.assertEqual([t["commands"][0]["output"] for t in dry.objects()], ["vlan 7\n"] * 3)
        self.assertEqual(rig.recorded(self.record, "connect"), [])

    def test_other_platforms(self):
        inventory = self.devsim(2, "--record", self.record, "--platform", "arista_eos:1",
                                "--platform", "mikrotik_routeros:2")
        eos, ros = rig.read(inventory).decode().splitlines()
        ran = self.configure(self.write("eos", eos), "--config-line", "banner motd",
                             "--config-line", "edge#", "--config-line", "EOF",
                             "--config-line", "hostname renamed", "--save", "-c", "show hostname")
        self.assertEqual(self.seen("sim-1"),
                         ["configure terminal", "banner motd", "edge#", "EOF",
                          "hostname renamed", "end", "write memory", "show hostname"])
        self.assertEqual(self.only(ran)["commands"][2]["output"],
                         "Hostname: renamed\nFQDN:     renamed\n")
        address = self.write("ros", ros.split()[0])  # its platform is found out
        ran = self.configure(address, "--config-line", "/system identity set name=renamed",
                             "--config-line", "nonsense", "--config-line", "/ip x", status=1)
        task = self.only(ran)
        self.assertEqual(task["platform"], "mikrotik_routeros", str(ran))
        self.assertIn("line 2 of 3 'nonsense': refused: bad command name", task["error"])
        self.assertNotIn("/ip x", self.seen("sim-2"))

    def test_enable(self):
        inventory = self.devsim(1, "--record", self.record, "--privilege", 1,
                                "--enable-password", "open sesame")
        secret = {"env": {"RIGHT": "open sesame", "WRONG": "sesame, open"}}
        arguments = ["--mode", "privileged", "-c", "show running-config"]
        task = self.only(self.configure(inventory, *arguments, "--enable-password-env", "RIGHT",
                                        **secret))
        self.assertIn("version 15.2", task["commands"][0]["output"])
        for more in (["--enable-password-env", "WRONG"], []):
            # Exit status 4: the guard ends a sweep after a refused secret, too.
            ran = self.configure(inventory, *arguments, *more, status=4, **secret)
            self.assertEqual(self.only(ran)["outcome"], "auth_failed", str(ran))
        ran = self.configure(inventory, "--config-line", "vlan 7", "--enable-password-env",
                             "RIGHT", **secret)
        self.assertEqual(self.only(ran)["outcome"], "ok", str(ran))
        self.assertNotIn("sesame", rig.read(self.record).decode())
        self.assertEqual(self.seen().count("show running-config"), 1)

    def test_questions(self):
        inventory = self.devsim(1, "--record", self.record)
        ran = self.configure(inventory, "-c", "clear counters", status=1)
        self.assertIn("[confirm]", self.only(ran)["error"])
        self.configure(inventory, "-c", "clear counters", "--answer", r"counters .*\[confirm\]$=")


class OnDevicesThatCommit(Configuration):
    def setUp(self):
        super().setUp()
        self.inventory = self.devsim(1, "--record", self.record, "--platform", "juniper_junos")

    def junos(self, *arguments, **options):
        return self.configure(self.inventory, "--config-line", "set system host-name renamed",
                              *arguments, **options)

    def begun(self, *lines):
        return ["configure", "set system host-name renamed", *lines]

    def test_commit(self):
        ran = self.junos("-c", "show version")
        self.assertEqual(self.seen(), self.begun(
            "commit check", "show | compare", "commit", "exit configuration-mode",
            "show version"), str(ran))
        task = self.only(ran)
        self.assertEqual(task["outcome"], "ok", str(ran))
        outputs = {c["command"]: c["output"] for c in task["commands"]}
        self.assertIn("[edit]\n+  system host-name renamed;\n", outputs["show | compare"])
        self.assertIn("Hostname: renamed", outputs["show version"])

    def test_a_failed_check_is_taken_back(self):
        ran = self.junos("--config-line", "set system missing thing", "-c", "show version",
                         status=1)
        self.assertNotIn("commit", self.seen())
        self.assertEqual(self.seen()[2:5],
                         ["set system missing thing", "commit check", "rollback 0"])
        self.assertIn("commit check", self.only(ran)["error"])

    def test_a_refused_line_is_taken_back(self):
        ran = self.junos("--config-line", "set system invalid", "--config-line", "set x",
                         status=1)
        self.assertEqual(self.seen(), self.begun("set system invalid", "rollback 0",
                                                 "exit configuration-mode"), str(ran))
        self.assertIn("line 2 of 3", self.only(ran)["error"])

    def test_dry_run_lets_the_device_check_and_compare(self):
        ran = self.junos("--dry-run")
        self.assertEqual(self.seen(), self.begun(
            "commit check", "show | compare", "rollback 0", "exit configuration-mode"), str(ran))

    def test_commit_confirmed(self):
        self.junos("--commit-confirmed", "90s", "-c", "show version")
        self.assertEqual(self.seen(), self.begun(
            "commit check", "show | compare", "commit confirmed 2", "exit configuration-mode",
            "show version", "configure", "commit", "exit configuration-mode"))

    def test_commit_that_is_not_confirmed(self):
        ran = self.junos("--commit-confirmed", "5m", "-c", "show nonsense", status=1)
        self.assertEqual([line for line in self.seen() if line.startswith("commit")],
                         ["commit check", "commit confirmed 5"])
        self.assertIn("not confirmed, since 'show nonsense' was refused", self.only(ran)["error"])
        self.assertIn("takes the configuration back within 5m", self.only(ran)["error"])


class OnManyWorkers(Configuration):
    def hosts(self, inventory, **data):
        """The devices of a text inventory, with data, as YAML."""
        lines = [line.split() for line in rig.read(inventory).decode().splitlines()]
        hosts = "".join(f"  edge-{n}: {{hostname: {place.split(':')[0]}, port: "
                        f"{place.split(':')[1]}, platform: {platform}, data: {{n: {n}}}}}\n"
                        for n, (place, platform) in enumerate(lines, 1))
        return self.write("hosts.yaml", f"hosts:\n{hosts}")

    def test_large_configurations_reach_workers(self):
        """Three hosts with 900 KB each, which no grant can hold together."""
        inventory = self.hosts(self.devsim(3, "--record", self.record))
        filler = "".join(f"access-list {n} remark {'x' * 3900}\n" for n in range(225))
        template = self.write("large.mustache", "hostname edge{{data.n}}\n" + filler)
        port = rig.free_port(4)
        endpoint = f"tcp://127.0.0.1:{port}"
        worker = self.worker(endpoint, "w", 10)
        ran = self.configure(inventory, "--listen", endpoint, "--config-file",
                             template)
        self.assertEqual(ran.outcomes(), {"ok": 3}, str(ran))
        for number in (1, 2, 3):
            lines = self.seen(f"sim-{number}")
            self.assertEqual(len(lines), 2 + 225 + 1)
            self.assertEqual(lines[1], f"hostname edge{number}")
        worker.wait_for("goodbye|dismissed|finished")

    def test_a_killed_run_goes_on_with_what_each_host_gets(self):
        hold = self.path("hold")
        os.mkdir(hold)
        open(f"{hold}/sim-2", "w", encoding="utf-8").close()
        inventory = self.hosts(self.devsim(4, "--record", self.record, "--hold", hold))
        template = self.write("t.mustache", "hostname edge{{data.n}}\n")
        first = self.start(*self.run_argv(
            "-i", inventory, "-u", "admin", "--known-hosts", self.known_hosts, "--sessions", 1,
            "--config-file", template, "--lease", "1s"))
        rig.wait_until(lambda: rig.commands_seen(self.record, "configure terminal")
                       and "sim-2" in {e["device"] for e in rig.recorded(self.record, "shell")},
                       "the second device")
        first.send_signal(signal.SIGKILL)
        first.wait()
        os.unlink(template)
        os.unlink(f"{hold}/sim-2")
        ran = self.sweep("--resume", "last", "--known-hosts", self.known_hosts, "-o", "jsonl",
                         status=1)
        self.assertEqual([t["outcome"] for t in ran.objects()], ["ok", "lost", "ok", "ok"],
                         str(ran))
        for number in (1, 3, 4):
            self.assertEqual(self.seen(f"sim-{number}"),
                             ["configure terminal", f"hostname edge{number}", "end"])


if __name__ == "__main__":
    unittest.main()

"""Which platform a device is, found out on real ones: FRR, BIRD, shells, and SSH servers of several
makes. Then a sweep's output is what the device's own client shows.
"""

import os
import re
import unittest

import rig
import servers


def without_milliseconds(output):
    """BIRD reckons anew when something began each time that it is asked, to a millisecond or so."""
    return re.sub(rb"(\d\d:\d\d:\d\d)\.\d{3}", rb"\1", output)


SHELL_COMMANDS = ["uname -a", "seq 1 500", r"printf '$ \n# \nroot@host:~# \nbird> \n'"]
BIRD_COMMANDS = ["show protocols all", "show route", "show symbols"]
ROUTER_COMMANDS = ["show interface brief", "show version"]
EOS = {"show version": "Arista vEOS\nSoftware image version: 4.20.5F\n",
       "show clock": "Thu Nov 26 12:00:00 2026\nTimezone: UTC\nClock source: local\n"}
REFUSAL = "% Invalid input\n"
REMEMBERED = "remembered by its host key"


def setUpModule():
    servers.take_machine()


class Detect(rig.RigTest):
    def setUp(self):
        super().setUp()
        self.env["NETFLEET_TEST_PASSWORD"] = servers.PASSWORD
        self.known_hosts = self.path("known_hosts")

    def detect(self, inventory, *more, status=0):
        ran = self.finish([f"{rig.BIN}/netfleet", "detect", "-i", inventory, "--password-env",
                           "NETFLEET_TEST_PASSWORD", "--known-hosts", self.known_hosts,
                           *map(str, more)])
        self.assertEqual(ran.status, status, str(ran))
        return ran

    def inventory(self, *devices, name="devices.txt"):
        return self.write(name, "".join(f"{device.line()}\n" for device in devices))

    def check(self, devices, platform, commands, expected, *login):
        """All of them are `platform`, and a sweep shows what `expected(device, command)` does."""
        inventory = self.inventory(*devices)
        found = self.detect(inventory, "-o", "jsonl", *login).objects()
        for device, task in zip(devices, found, strict=True):
            self.assertEqual((task["platform"], task["outcome"]), (platform, "ok"), task)
            self.assertIsNone(task["error"])
            self.assertTrue(task["evidence"])
        arguments = [word for command in commands for word in ("-c", command)]
        ran = self.sweep("-i", inventory, "--known-hosts", self.known_hosts, *arguments, *login,
                         "-o", "jsonl")
        for device, task in zip(devices, ran.objects(), strict=True):
            self.assertEqual(task["platform"], platform)
            for command in task["commands"]:
                with self.subTest(device=device.line(), command=command["command"]):
                    self.assertEqual(
                        without_milliseconds(command["output"].encode()),
                        without_milliseconds(expected(device, command["command"])))
        return found

    def test_shells_behind_openssh_and_dropbear(self):
        devices = servers.shells(self)
        devices.append(servers.dropbear(self, devices[0].user))
        self.check(devices, "linux", SHELL_COMMANDS, servers.Server.ssh)

    def test_tinysshd(self):
        device = servers.tinysshd(self)
        self.check([device], "linux", SHELL_COMMANDS, servers.Server.ssh,
                   "--key", servers.client_key(self))

    def test_routers(self):
        user = servers.add_user(self, "vty", "/bin/bash", ["frrvty"])
        routers = [servers.Router(self, 1, "edge-1", user),
                   servers.Router(self, 2, "edge-2", user, "--user")]
        show = {router.address: router.show for router in routers}
        self.check([router.server for router in routers], "frr_vtysh", ROUTER_COMMANDS,
                   lambda device, command: show[device.address](command))

    def test_bird_is_nobodys_platform(self):
        bird = servers.Bird(self, servers.add_user(self, "bird", "/bin/bash"))
        found = self.check([bird.server], "generic", BIRD_COMMANDS,
                           lambda device, command: bird.show(command))
        self.assertNotEqual(found[0]["evidence"], REMEMBERED)
        again = self.detect(self.inventory(bird.server), "-o", "jsonl").objects()[0]
        self.assertNotEqual(again["evidence"], REMEMBERED)

    def test_ssh_servers_of_other_makes(self):
        for make in "asyncssh", "paramiko":
            with self.subTest(make=make):
                device = servers.other_ssh(self, make, prompt="sw1#", outputs=EOS, refusal=REFUSAL)
                self.check([device], "arista_eos", ["show clock"],
                           lambda device, command: EOS[command].encode())

    def test_is_remembered_by_host_key(self):
        user = servers.add_user(self, "bash", "/bin/bash")
        bird = servers.Bird(self, user)
        device = servers.sshd(self, user)
        inventory = self.inventory(device)
        policy = ["-o", "jsonl", "--host-key-policy", "off"]

        def evidence(*more):
            task = self.detect(inventory, *policy, *more).objects()[0]
            return task["platform"], task["evidence"]
        first = evidence()
        self.assertEqual(first[0], "linux")
        self.assertNotEqual(first[1], REMEMBERED)
        self.assertEqual(evidence(), ("linux", REMEMBERED))
        self.assertEqual(evidence("--store", "none"), first)
        ran = self.sweep("-i", inventory, *policy, "-c", "true")
        self.assertEqual(ran.objects()[0]["platform"], "linux")

        # Another device at its place; then one that kept the key.
        def replace(name, *options):
            device.process.stop()
            device.process = servers.sshd(self, user, port=device.port, name=name,
                                          options=options).process
        replace("another")
        self.assertEqual(evidence(), first)
        self.assertEqual(evidence(), ("linux", REMEMBERED))
        replace("another", f"ForceCommand {' '.join(bird.birdc)}")
        self.assertEqual(evidence()[0], "generic")

    def test_says_what_it_did_not_find(self):
        device = servers.sshd(self, servers.add_user(self, "bash", "/bin/bash"))
        inventory = self.write("devices.txt", f"{device.line('cisco_ios')}\n"
                                              f"{device.user}@127.0.0.1:1\n")
        lines = self.detect(inventory, "--retries", 0, status=1).out.decode().splitlines()
        self.assertEqual(lines[0].split(), ["host", "platform", "why"])
        self.assertEqual(lines[1].split()[1], "linux")  # whatever the inventory says
        self.assertEqual(lines[2].split()[1:3], ["-", "unreachable:"])
        found, lost = self.detect(inventory, "--retries", 0, "-o", "jsonl", status=1).objects()
        self.assertEqual(list(found), ["host", "address", "port", "platform", "evidence",
                                       "outcome", "error", "duration_ms"])
        self.assertEqual((lost["platform"], lost["evidence"], lost["outcome"]),
                         (None, None, "unreachable"))
        self.assertIn("refused", lost["error"])


if __name__ == "__main__":
    unittest.main()

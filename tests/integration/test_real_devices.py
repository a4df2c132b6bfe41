"""Real FRR routers, real shells behind OpenSSH, and dropbear: each output exactly as `ssh` and
`vtysh` themselves show it, in the order of the inventory.
"""

import os
import shutil
import unittest

import rig
import servers

SHELL_COMMANDS = [
    "uname -a",
    "cat /etc/os-release",
    "seq 1 3000",
    r"printf '$ \n# \nroot@host:~# \nedge-1> \n'",  # what looks like prompts
    r"printf 'a\tb  \n\n\n  c\n'",
    r"printf '\303\274\342\202\254\n'",
    "true",
    "head -c 60000 /dev/zero | tr '\\0' x | fold -w 300",
    "echo out; echo err >&2",
]
ROUTER_COMMANDS = ["show running-config", "show interface brief", "show version",
                   "show interface", "show ip route 10.99.0.0/24"]


def setUpModule():
    servers.take_machine()


class RealDevices(rig.RigTest):
    def setUp(self):
        super().setUp()
        self.env["NETFLEET_TEST_PASSWORD"] = servers.PASSWORD
        self.known_hosts = self.path("known_hosts")

    def run_sweep(self, inventory, commands, *more, status=0):
        arguments = [word for command in commands for word in ("-c", command)]
        return self.sweep("-i", inventory, "--known-hosts", self.known_hosts, "--sessions", 4,
                          *arguments, *more, status=status)

    def check(self, ran, order, commands, expected):
        """`expected(device, command)` is what the device's own client shows."""
        tasks = ran.objects()
        self.assertEqual([task["address"] for task in tasks], [o.address for o in order], str(ran))
        self.assertEqual([task["outcome"] for task in tasks], ["ok"] * len(order), str(ran))
        for task, device in zip(tasks, order):
            self.assertEqual([c["command"] for c in task["commands"]], commands)
            for command in task["commands"]:
                with self.subTest(device=device.line(), command=command["command"]):
                    self.assertEqual(command["output"].encode(),
                                     expected(device, command["command"]))
                    self.assertFalse(command["truncated"])

    def test_shells_show_what_ssh_shows(self):
        devices = servers.shells(self)
        box = servers.dropbear(self, devices[0].user)
        # One host a line: the shells share an address and a port, so each gets a name.
        hosts = "".join(f"shell{n}:\n  hostname: {d.address}\n  port: {d.port}\n"
                        f"  username: {d.user}\n  platform: linux\n"
                        for n, d in enumerate([*devices, box]))
        folder = self.path("inventory")
        os.mkdir(folder)
        self.write("inventory/hosts.yaml", hosts)
        ran = self.run_sweep(folder, SHELL_COMMANDS, "-o", "jsonl")
        order = [*devices, box]
        self.assertEqual([t["port"] for t in ran.objects()], [d.port for d in order], str(ran))

        def expected(device, command):
            if command == "echo out; echo err >&2":
                return b"out\nerr\n"  # a terminal has both; ssh without one keeps them apart
            return device.ssh(command)
        self.check(ran, order, SHELL_COMMANDS, expected)

    def test_platform_is_found_out(self):
        devices = servers.shells(self)[:2]
        user = servers.add_user(self, "vty", "/bin/bash", ["frrvty"])
        router = servers.Router(self, 1, "edge-1", user)
        inventory = self.write("devices.txt", "".join(
            f"{line}\n" for line in (devices[0].line(), router.server.line())))
        ran = self.run_sweep(inventory, ["show version"], "-o", "jsonl", "--platform", "auto",
                             status=1)
        shell, vtysh = ran.objects()
        self.assertEqual(vtysh["outcome"], "ok", str(ran))
        self.assertEqual(vtysh["commands"][0]["output"].encode(), router.show("show version"))
        self.assertEqual(shell["outcome"], "command_failed", str(ran))  # bash has no `show`

    def test_routers_show_what_vtysh_shows(self):
        user = servers.add_user(self, "vty", "/bin/bash", ["frrvty"])
        routers = [servers.Router(self, n, f"edge-{n}", user) for n in (1, 2, 3)]
        show = {router.address: router.show for router in routers}
        inventory = self.write("devices.txt", "# three routers\n" + "".join(
            f"{router.server.line('frr_vtysh')}\n" for router in routers))
        order = [router.server for router in routers]
        ran = self.run_sweep(inventory, ROUTER_COMMANDS, "-o", "jsonl")
        self.check(ran, order, ROUTER_COMMANDS, lambda device, c: show[device.address](c))

        # Text: a header line a host, its output, a blank line; never interleaved.
        text = self.run_sweep(inventory, ["show interface brief"]).out
        blocks = [show[d.address]("show interface brief") for d in order]
        places = [text.find(block) for block in blocks]
        self.assertNotIn(-1, places, text.decode())
        self.assertEqual(places, sorted(places))
        for device, place, block in zip(order, places, blocks):
            header = text[:place].splitlines()[-1].decode()
            self.assertIn(device.address, header)
            self.assertTrue(text[place + len(block):].startswith(b"\n"), text.decode())

    def test_everything_in_one_sweep(self):
        """3 routers, 4 shells, 1 dropbear."""
        user = servers.add_user(self, "vty", "/bin/bash", ["frrvty"])
        routers = [servers.Router(self, n, f"edge-{n}", user) for n in (1, 2, 3)]
        shells = servers.shells(self)
        box = servers.dropbear(self, shells[0].user)
        devices = [shells[3], routers[2].server, shells[0], routers[0].server, box, shells[1],
                   routers[1].server, shells[2]]
        is_router = {router.server: router for router in routers}
        hosts = "".join(
            f"d{n}: {{hostname: {d.address}, port: {d.port}, username: {d.user}, "
            f"platform: {'frr_vtysh' if d in is_router else 'linux'}}}\n"
            for n, d in enumerate(devices))
        inventory = self.write("fleet.yaml", "hosts:\n" + "".join(
            f"  {line}\n" for line in hosts.splitlines()))
        # A router refuses what a shell knows and the other way round.
        for command, chosen in (("show interface brief", routers), ("uname -a", shells + [box])):
            limit = " or ".join(f"d{n}" for n, d in enumerate(devices)
                                if d in chosen or is_router.get(d) in chosen)
            ran = self.run_sweep(inventory, [command], "-o", "jsonl", "-l", limit)
            order = [d for d in devices if d in chosen or is_router.get(d) in chosen]
            self.check(ran, order, [command], lambda d, c: is_router[d].show(c)
                       if d in is_router else d.ssh(c))

    def test_keys_agent_and_certificate(self):
        device = servers.shells(self)[0]
        inventory = self.write("devices.txt", device.line("linux") + "\n")
        common = ["-i", inventory, "--known-hosts", self.known_hosts, "-c", "id -un", "-o", "jsonl"]
        key = servers.client_key(self)

        def works(*arguments, **options):
            ran = self.sweep(*common, *arguments, password=None, **options)
            self.assertEqual(ran.objects()[0]["commands"][0]["output"], f"{device.user}\n")
        works("--key", key)

        locked = servers.client_key(self, "locked_key", passphrase="open sesame")
        self.authorize(device, rig.read(f"{locked}.pub"))
        works("--key", locked, "--key-passphrase-env", "NETFLEET_TEST_PHRASE",
              env={"NETFLEET_TEST_PHRASE": "open sesame"})

        socket = self.path("agent")
        agent = self.start("/usr/bin/ssh-agent", "-D", "-a", socket)
        rig.wait_until(lambda: os.path.exists(socket) or agent.ended(), "ssh-agent")
        servers.call("ssh-add", "-q", key, env={**self.env, "SSH_AUTH_SOCK": socket})
        works(env={"SSH_AUTH_SOCK": socket})

    def test_certificates(self):
        user = servers.add_user(self, "bash", "/bin/bash")
        authority = servers.client_key(self, "authority")
        device = servers.sshd(self, user, options=[f"TrustedUserCAKeys {authority}.pub"])
        inventory = self.write("devices.txt", device.line("linux") + "\n")
        common = ["-i", inventory, "--known-hosts", self.known_hosts, "-c", "id", "--key"]
        for kind in "ed25519", "ecdsa", "rsa":
            key = servers.client_key(self, f"certified_{kind}", kind=kind)
            servers.call("ssh-keygen", "-q", "-s", authority, "-I", "test", "-n", user,
                         f"{key}.pub")
            with self.subTest(kind=kind):
                self.sweep(*common, key, password=None)
        shutil.copy(self.path("certified_rsa-cert.pub"), self.path("certified_ecdsa-cert.pub"))
        ran = self.sweep(*common, self.path("certified_ecdsa"), password=None, status=2)
        self.assertIn("certified_ecdsa-cert.pub", ran.err)

    def authorize(self, device, public_key):
        with open(self.path(f"{device.user}/.ssh/authorized_keys"), "ab") as file:
            file.write(public_key)


if __name__ == "__main__":
    unittest.main()

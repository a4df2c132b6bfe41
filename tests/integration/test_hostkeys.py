"""Host keys against OpenSSH: accept-new, strict, off, changed and revoked keys, and that our
known_hosts and OpenSSH's are one format.
"""

import os
import stat
import unittest

import rig
import servers


def setUpModule():
    servers.take_machine()


class HostKeys(rig.RigTest):
    def setUp(self):
        super().setUp()
        self.env["NETFLEET_TEST_PASSWORD"] = servers.PASSWORD
        self.known_hosts = self.path("hosts/known_hosts")
        self.user = servers.add_user(self, "bash", "/bin/bash")
        self.server = servers.sshd(self, self.user)
        self.inventory = self.write("devices.txt", self.server.line("linux") + "\n")
        self.name = f"[{self.server.address}]:{self.server.port}"

    def run_one(self, *arguments, status=0):
        ran = self.sweep("-i", self.inventory, "-c", "id -un", "-o", "jsonl", "--known-hosts",
                         self.known_hosts, *arguments, status=status)
        return ran.objects()[0]

    def change_key(self):
        self.server.process.stop()
        self.server = servers.sshd(self, self.user, port=self.server.port, name="other")

    def rejected(self, *arguments):
        self.server.process.lines.clear()
        task = self.run_one(*arguments, status=1)
        self.assertEqual(task["outcome"], "host_key_rejected", task)
        self.assertEqual(task["commands"], [])
        self.assertIn(f"{self.server.address}:{self.server.port}", task["error"])
        self.assertNotRegex(self.server.process.text(), "(Failed|Accepted) ")  # no login was tried
        return task

    def test_accept_new_remembers_in_openssh_format(self):
        self.run_one()
        mode = stat.S_IMODE(os.stat(self.known_hosts).st_mode)
        self.assertEqual(mode & 0o077, 0, oct(mode))
        entry = rig.read(self.known_hosts).decode()
        self.assertEqual(entry.count("\n"), 1)
        self.assertTrue(entry.startswith(f"{self.name} ssh-ed25519 "), entry)
        shown = servers.call(
            "ssh", "-F", "none", "-i", servers.client_key(self), "-o", "BatchMode=yes", "-o",
            "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={self.known_hosts}", "-o",
            "GlobalKnownHostsFile=/dev/null", "-p", self.server.port,
            f"{self.user}@{self.server.address}", "id -un")
        self.assertEqual(shown.decode(), f"{self.user}\n")
        self.run_one("--host-key-policy", "strict")
        self.run_one()
        self.assertEqual(rig.read(self.known_hosts).decode(), entry)

    def test_a_changed_key_is_rejected(self):
        self.run_one()
        before = rig.read(self.known_hosts)
        self.change_key()
        task = self.rejected()
        self.assertIn(f"{self.known_hosts}:1", task["error"])
        self.rejected("--host-key-policy", "strict")
        self.run_one("--host-key-policy", "off")
        self.assertEqual(rig.read(self.known_hosts), before)

    def test_strict_rejects_the_unknown(self):
        self.rejected("--host-key-policy", "strict")
        self.assertFalse(os.path.exists(self.known_hosts) and rig.read(self.known_hosts))

    def test_off_accepts_and_remembers_nothing(self):
        self.run_one("--host-key-policy", "off")
        self.assertFalse(os.path.exists(self.known_hosts) and rig.read(self.known_hosts))

    def test_what_openssh_wrote_is_read(self):
        os.mkdir(self.path("hosts"))
        for hashed in ([], ["-H"]):
            lines = servers.call("ssh-keyscan", *hashed, "-p", self.server.port,
                                 self.server.address)
            with self.subTest(hashed=hashed):
                with open(self.known_hosts, "wb") as file:
                    file.write(b"# by ssh-keyscan\n\n" + lines)
                self.run_one("--host-key-policy", "strict")

    def test_a_revoked_key_is_rejected(self):
        self.run_one()
        with open(self.known_hosts, "r+", encoding="utf-8") as file:
            entry = file.read()
            file.seek(0)
            file.write("@revoked * " + entry.partition(" ")[2])
            file.truncate()
        self.rejected()


if __name__ == "__main__":
    unittest.main()

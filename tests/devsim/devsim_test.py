"""devsim against OpenSSH's client and the benchmarks' floor: what it shows, its faults, its books.

usage: devsim_test.py DEVSIM FLOOR SESSIONS [unittest arguments]
"""

import collections
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

import simulator
from simulator import DEADLINE, Reader, Shell, converse, execute, ssh_command, wait_until

DEVSIM, FLOOR, SESSIONS = sys.argv[1], sys.argv[2], int(sys.argv[3])
CLOCK = b"*10:25:41.123 UTC Sat Nov 22 2025\r\n"


def expected(*arguments):
    return simulator.expected(DEVSIM, *arguments)


class Case(unittest.TestCase):
    def simulate(self, *options, count=1):
        started = simulator.Simulator(DEVSIM, *options, count=count)
        self.addCleanup(lambda: started.process.poll() is not None or started.stop())
        return started


class CommandLine(Case):
    def test_shows_exactly_the_predicted_output(self):
        fleet = self.simulate(count=2)
        for number in 1, 2:
            name = f"sim-{number}"
            prompt = name.encode() + b"#"
            shown = converse(fleet.port(number),
                             b"terminal length 0\rshow version\rshow running-config\r"
                             b"show tech 300\rexit\r")
            self.assertEqual(
                shown, prompt + b"terminal length 0\r\n" +
                prompt + b"show version\r\n" + expected("show version", name) +
                prompt + b"show running-config\r\n" + expected("show running-config", name) +
                prompt + b"show tech 300\r\n" + expected("show tech 300", name) +
                prompt + b"exit\r\n")

    def test_runs_commands_without_a_shell(self):
        fleet = self.simulate("--command-delay", "10ms", "--login-delay", "10ms")
        result = execute(fleet.port(), "show version")
        self.assertEqual((result.returncode, result.stdout.replace(b"\n", b"\r\n")),
                         (0, expected("show version")))
        self.assertEqual(execute(fleet.port(), "shw").returncode, 1)

    def test_pages_until_told_not_to(self):
        fleet = self.simulate()
        shell = Shell(fleet.port())
        shell.output.until(b"sim-1#$")
        shell.type(b"show running-config\r")
        shown, marks = b"", 0
        while not shown.endswith(b"sim-1#"):
            shown += shell.output.until(rb" --More-- $|\r\nend\r\nsim-1#$")
            if shown.endswith(b" --More-- "):
                marks += 1
                shell.type(b" ")
        self.assertEqual(marks, 499 // 23)
        mark = b" --More-- " + b"\b" * 9 + b" " * 8 + b"\b" * 9
        self.assertEqual(shown.replace(mark, b""),
                         b"show running-config\r\n" + expected("show running-config") + b"sim-1#")
        shell.type(b"show version\r")
        shell.output.until(rb" --More-- $")
        shell.type(b"q")
        shell.output.until(rb"sim-1#$")
        shell.type(b"exit\r")
        shell.finish()

    def test_holds_the_commands_of_the_chosen(self):
        held = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, held)
        with open(f"{held}/sim-1", "wb"):
            pass
        fleet = self.simulate("--hold", held, count=2)
        shell = Shell(fleet.port(1))
        shell.type(b"terminal length 0\rshow clock\rexit\r")
        fleet.wait_for("command", "show clock")
        self.assertIn(CLOCK, converse(fleet.port(2), b"show clock\rexit\r"))
        shell.output.until(rb"sim-1#show clock\r\n")
        self.assertEqual(shell.output.data, b"")
        os.remove(f"{held}/sim-1")
        self.assertEqual(shell.finish(), CLOCK + b"sim-1#exit\r\n")

    def test_holds_a_command_over_exec(self):
        held = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, held)
        with open(f"{held}/sim-1", "wb"):
            pass
        fleet = self.simulate("--hold", held)
        with subprocess.Popen(ssh_command(fleet.port(1), "show clock"), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as client:
            fleet.wait_for("command", "show clock")
            self.assertIsNone(client.poll())
            os.remove(f"{held}/sim-1")
            self.assertEqual(client.communicate(timeout=60)[0].splitlines(), CLOCK.splitlines())

    def test_plays_other_platforms(self):
        fleet = self.simulate("--platform", "linux:1", "--platform", "frr_vtysh:2",
                                  "--platform", "generic:3", "--colour", count=3)
        self.assertEqual([device[1] for device in fleet.devices],
                         ["linux", "frr_vtysh", "generic"])
        linux = converse(fleet.port(1), b"uname -a\rexit\r")
        self.assertIn(b"\x1b[?2004h", linux)
        self.assertIn(b"Linux sim-1 6.1.0", linux)
        frr = converse(fleet.port(2), b"show version\rexit\r")
        self.assertEqual(frr, b"sim-2# show version\r\n" +
                         expected("show version", "sim-2", "frr_vtysh") + b"sim-2# exit\r\n")
        generic = converse(fleet.port(3), b"foo\rexit\r")
        self.assertEqual(generic, b"sim-3> foo\r\n" + expected("foo", "sim-3", "generic") +
                         b"sim-3> exit\r\n")

    def test_cuts_its_writes_and_delays_without_changing_them(self):
        fleet = self.simulate("--chunk", "5", "--command-delay", "1ms", "--threads", "2")
        self.assertEqual(converse(fleet.port(), b"show clock\rexit\r"),
                         b"sim-1#show clock\r\n" + CLOCK + b"sim-1#exit\r\n")


class Login(Case):
    def test_refuses_a_wrong_password(self):
        fleet = self.simulate()
        self.assertEqual(execute(fleet.port(), "show clock", password="wrong").returncode, 255)
        fleet.wait_for("disconnect")
        self.assertEqual([event["event"] for event in fleet.events()],
                         ["connect", "login-refused", "disconnect"])

    def test_asks_interactively(self):
        fleet = self.simulate("--auth", "keyboard-interactive")
        self.assertEqual(execute(fleet.port(), "show clock").returncode, 0)
        self.assertNotEqual(execute(fleet.port(), "show clock", password="wrong").returncode, 0)

    def test_takes_the_authorized_keys(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in "known", "unknown":
                subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                                f"{folder}/{name}"], check=True, timeout=DEADLINE)
            fleet = self.simulate("--auth", "publickey", "--key-file", f"{folder}/known.pub")
            for name, status in ("known", 0), ("unknown", 255):
                options = ("-i", f"{folder}/{name}", "-o", "IdentitiesOnly=yes")
                result = execute(fleet.port(), "show clock", options=options)
                self.assertEqual(result.returncode, status, name)

    def test_may_ask_nothing(self):
        fleet = self.simulate("--auth", "none")
        self.assertEqual(execute(fleet.port(), "show clock", password="wrong").returncode, 0)

    def test_keeps_its_host_key(self):
        with tempfile.TemporaryDirectory() as folder:
            key = f"{folder}/key"
            first = self.simulate("--host-key-out", key, "--fingerprint").greeting.split()[1]
            second = self.simulate("--host-key", key, "--fingerprint").greeting.split()[1]
            other = self.simulate("--fingerprint").greeting.split()[1]
            listed = subprocess.run(["ssh-keygen", "-l", "-f", f"{key}.pub"], capture_output=True,
                                    check=True, timeout=DEADLINE).stdout.split()[1]
        self.assertEqual(first, listed)
        self.assertEqual(first, second)
        self.assertNotEqual(first, other)


class Faults(Case):
    def simulate_fault(self, name):
        return self.simulate("--fault", f"{name}:1")

    def raw(self, fleet):
        """What a client gets that greets, and then says and waits for nothing more."""
        with socket.create_connection(("127.0.0.1", fleet.port()), DEADLINE) as peer:
            peer.sendall(b"SSH-2.0-test\r\n")
            peer.shutdown(socket.SHUT_WR)
            received = b""
            try:
                while chunk := peer.recv(4096):
                    received += chunk
            except ConnectionResetError:
                pass
            return received

    def test_refuse(self):
        fleet = self.simulate_fault("refuse")
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", fleet.port()), DEADLINE)

    def test_silent(self):
        fleet = self.simulate_fault("silent")
        self.assertEqual(self.raw(fleet), b"")
        fleet.wait_for("disconnect", "peer closed")

    def test_not_ssh(self):
        self.assertIn(b"HTTP/1.1", self.raw(self.simulate_fault("banner-garbage")))

    def test_closes(self):
        for phase, events in {
            "accept": ["connect"], "banner": ["connect"], "kex": ["connect"], "auth": ["connect"],
            "shell": ["connect", "login"], "prompt": ["connect", "login", "shell"],
        }.items():
            with self.subTest(phase):
                fleet = self.simulate_fault(f"close-at-{phase}")
                shell = Shell(fleet.port())
                self.assertEqual(shell.finish(), b"")
                self.assertEqual(shell.process.returncode, 255)
                fleet.wait_for("disconnect", "fault")
                self.assertEqual([e["event"] for e in fleet.events()], events + ["disconnect"])

    def test_closes_in_the_middle_of_output(self):
        fleet = self.simulate_fault("close-at-command")
        shown = converse(fleet.port(), b"terminal length 0\rshow version\r")
        whole = b"sim-1#terminal length 0\r\nsim-1#show version\r\n" + expected("show version")
        self.assertTrue(whole.startswith(shown) and len(shown) < len(whole), shown)
        self.assertIn(b"Cisco IOS", shown)
        fleet.wait_for("disconnect", "fault")

    def test_hangs_at_authentication(self):
        shell = Shell(self.simulate_fault("hang-at-auth").port(),
                      options=("-v", "-o", "KexAlgorithms=curve25519-sha256"))
        errors = Reader(shell.process.stderr)
        errors.until(b"SERVICE_ACCEPT received")
        shell.kill()
        self.assertNotIn(b"Authentications that can continue", errors.data + shell.errors)

    def test_hangs_at_the_shell(self):
        fleet = self.simulate_fault("hang-at-shell")
        shell = Shell(fleet.port())
        fleet.wait_for("login")
        self.assertEqual(shell.kill(), b"")
        fleet.wait_for("disconnect", "peer closed")
        self.assertNotIn("shell", [e["event"] for e in fleet.events()])

    def test_hangs_at_the_prompt(self):
        fleet = self.simulate_fault("hang-at-prompt")
        shell = Shell(fleet.port())
        fleet.wait_for("shell")
        shell.type(b"show clock\r")
        self.assertEqual(shell.kill(), b"")
        fleet.wait_for("disconnect", "peer closed")
        self.assertNotIn("command", [e["event"] for e in fleet.events()])

    def test_hangs_in_the_middle_of_output(self):
        fleet = self.simulate_fault("hang-at-command")
        shell = Shell(fleet.port())
        shell.type(b"terminal length 0\rshow version\rshow clock\r")
        shell.output.until(b"Cisco IOS")
        fleet.wait_for("command", "show version")
        self.assertNotIn(b"0xF", shell.kill())
        self.assertEqual([e["text"] for e in fleet.events() if e["event"] == "command"],
                         ["terminal length 0", "show version"])

    def test_refuses_every_password(self):
        fleet = self.simulate_fault("wrong-password")
        self.assertEqual(execute(fleet.port(), "show clock").returncode, 255)
        fleet.wait_for("login-refused", "admin")

    def test_slow(self):
        self.assertEqual(converse(self.simulate_fault("slow").port(), b"show clock\rexit\r"),
                         b"sim-1#show clock\r\n" + CLOCK + b"sim-1#exit\r\n")

    def test_flood(self):
        fleet = self.simulate_fault("flood")
        shell = Shell(fleet.port())
        shell.type(b"terminal length 0\rshow clock\r")
        # A million bytes and more, of a command that prints 35 when it is well.
        for _ in range(1000):
            shell.output.until(rb"^.{1024}")
        shell.kill()
        fleet.wait_for("disconnect", "peer closed")

    def test_garbage(self):
        shown = converse(self.simulate_fault("garbage-output").port(),
                         b"terminal length 0\rshow clock\rexit\r")
        self.assertIn(b"\0\xff\xfe", shown)
        self.assertTrue(shown.endswith(b"\r\nsim-1#exit\r\n"))

    def test_no_prompt(self):
        self.assertEqual(converse(self.simulate_fault("no-prompt").port(), b"show clock\rexit\r"),
                         b"show clock\r\n" + CLOCK + b"exit\r\n")

    def test_lookalikes_of_prompts(self):
        shown = converse(self.simulate_fault("prompt-lookalike").port(), b"show clock\rexit\r")
        self.assertIn(b"Authorised use only! #\r\n", shown)
        self.assertIn(b"show clock\r\n" + CLOCK + b"sim-1#\r\nsim-1>\r\n", shown)

    def test_messages_of_the_day(self):
        shell = Shell(self.simulate_fault("motd").port())
        shell.type(b"exit\r")
        self.assertIn(b"Maintenance window", shell.finish())
        self.assertIn(b"Property of Example Networks", shell.errors)

    def test_split_escapes(self):
        shown = converse(self.simulate_fault("split-escapes").port(), b"show clock\rexit\r")
        self.assertIn(b"\x1b[1;36msim-1#\x1b[0m", shown)
        self.assertEqual(re.sub(rb"\x1b\[[\d;]*[a-zA-Z]", b"", shown),
                         b"sim-1#show clock\r\n" + CLOCK + b"sim-1#exit\r\n")

    def test_legacy(self):
        fleet = self.simulate_fault("legacy")
        result = execute(fleet.port(), "show clock")
        self.assertIn(b"no matching key exchange method", result.stderr)
        old = ("-o", "KexAlgorithms=diffie-hellman-group1-sha1", "-o", "HostKeyAlgorithms=ssh-rsa",
               "-o", "Ciphers=3des-cbc", "-o", "MACs=hmac-sha1")
        self.assertEqual(execute(fleet.port(), "show clock", options=old).returncode, 0)

    def test_strikes_the_chosen_only(self):
        fleet = self.simulate("--fault", "wrong-password:2", count=2)
        self.assertEqual(execute(fleet.port(1), "show clock").returncode, 0)
        self.assertEqual(execute(fleet.port(2), "show clock").returncode, 255)


class Books(Case):
    def test_hold_many_sessions_and_balance(self):
        fleet = self.simulate("--threads", "2", count=SESSIONS)
        floor = subprocess.run([FLOOR, fleet.inventory, str(SESSIONS), "hold"],
                               capture_output=True, timeout=240)
        self.assertEqual(floor.returncode, 0, floor.stderr[-500:])
        self.assertIn(f"ok={SESSIONS} failed=0".encode(), floor.stdout)
        balanced = {(f"sim-{n}", event): 3 if event == "command" else 1
                    for n in range(1, SESSIONS + 1)
                    for event in ("connect", "login", "shell", "command", "disconnect")}
        wait_until(lambda: len(fleet.events()) >= 7 * SESSIONS, "all events")
        counts = collections.Counter((e["device"], e["event"]) for e in fleet.events())
        self.assertEqual(counts, balanced)
        self.assertEqual(len({(e["device"], e["session"]) for e in fleet.events()}), SESSIONS)
        totals = fleet.stop()
        print(floor.stdout.decode().strip(), totals)
        self.assertEqual(totals["peak_sessions"], str(SESSIONS))
        self.assertEqual(totals["logins"], str(SESSIONS))
        self.assertEqual(totals["commands"], str(3 * SESSIONS))
        self.assertEqual(totals["refused"], "0")

    def test_end_with_the_parent(self):
        script = '"$0" --listen 127.0.0.1:0 --die-with-parent & read -r _'
        parent = subprocess.Popen(["sh", "-c", script, DEVSIM], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        output = Reader(parent.stdout)
        output.until(b"ready 1 devices\n")
        parent.stdin.close()
        parent.wait(DEADLINE)
        # devsim has the other end of the pipe until it is gone.
        ready, _, _ = select.select([parent.stdout], [], [], DEADLINE)
        self.assertTrue(ready)
        self.assertEqual(os.read(parent.stdout.fileno(), 100), b"")
        parent.stdout.close()

    def test_say_what_is_wrong_with_the_command_line(self):
        for arguments, words in {
            (): b"--listen",
            ("--listen", "127.0.0.1:0", "--fault", "sulent:1"): b"silent",
            ("--listen", "127.0.0.1:0", "--auth", "magic"): b"keyboard-interactive",
            ("--listen", "127.0.0.1:0", "--login-delay", "soon"): b"soon",
        }.items():
            result = subprocess.run([DEVSIM, *arguments], capture_output=True, timeout=DEADLINE)
            self.assertEqual(result.returncode, 2)
            self.assertIn(words, result.stderr)
        usage = subprocess.run([DEVSIM, "--help"], capture_output=True, timeout=DEADLINE)
        self.assertEqual(usage.returncode, 0)
        self.assertIn(b"devsim --listen 127.0.0.1:2201-2300", usage.stdout)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])

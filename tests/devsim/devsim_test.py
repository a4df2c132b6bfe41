"""devsim against OpenSSH's client and the benchmarks' floor: what it shows, its faults, its books.

usage: devsim_test.py DEVSIM FLOOR SESSIONS [unittest arguments]
"""

import collections
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

DEVSIM, FLOOR, SESSIONS = sys.argv[1], sys.argv[2], int(sys.argv[3])
DEADLINE = 60.0
CLOCK = b"*10:25:41.123 UTC Sat Nov 22 2025\r\n"


def wait_until(condition, what):
    """Looks until the condition holds: for files and processes, which cannot be waited for."""
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {DEADLINE} s: {what}")
        select.select([], [], [], 0.005)


def expected(command, hostname="sim-1", platform="cisco_ios"):
    result = subprocess.run(
        [DEVSIM, "--print-output", command, "--hostname", hostname, "--platform", platform],
        capture_output=True, check=True, timeout=DEADLINE)
    return result.stdout.replace(b"\n", b"\r\n")


class Reader:
    """Reads a pipe with a deadline."""

    def __init__(self, stream):
        self.stream = stream
        self.data = b""

    def until(self, pattern):
        """All bytes to the end of the pattern's first match."""
        end = time.monotonic() + DEADLINE
        while not (match := re.search(pattern, self.data, re.DOTALL)):
            ready, _, _ = select.select([self.stream], [], [], max(0, end - time.monotonic()))
            chunk = os.read(self.stream.fileno(), 65536) if ready else b""
            if not chunk:
                raise AssertionError(f"no {pattern!r} in {self.data[-300:]!r}")
            self.data += chunk
        taken, self.data = self.data[:match.end()], self.data[match.end():]
        return taken


class Simulator:
    def __init__(self, *options, count=1):
        self.folder = tempfile.mkdtemp()
        self.record = os.path.join(self.folder, "record")
        self.inventory = os.path.join(self.folder, "inventory")
        self.process = subprocess.Popen(
            [DEVSIM, "--listen", "127.0.0.1:0", "--count", str(count), "--record", self.record,
             "--write-inventory", self.inventory, "--stats", "--die-with-parent", *options],
            stdout=subprocess.PIPE)
        self.output = Reader(self.process.stdout)
        try:
            self.greeting = self.output.until(rb"ready \d+ devices\n")
        except AssertionError:
            self.stop()
            raise
        with open(self.inventory) as lines:
            self.devices = [line.split() for line in lines]

    def port(self, number=1):
        return int(self.devices[number - 1][0].split(":")[1])

    def events(self):
        with open(self.record) as lines:
            return [json.loads(line) for line in lines]

    def wait_for(self, event, text=None):
        wait_until(lambda: any(e["event"] == event and text in (None, e["text"])
                               for e in self.events()), f"{event} {text}")

    def stop(self):
        """The totals; an exit status other than 0 is an error."""
        self.process.send_signal(signal.SIGTERM)
        rest = self.output.data + self.process.communicate(timeout=DEADLINE)[0]
        shutil.rmtree(self.folder)
        assert self.process.returncode == 0, self.process.returncode
        return dict(item.split("=") for item in rest.decode().split())


def ssh_command(port, *arguments, password="admin", options=()):
    return ["sshpass", "-p", password, "ssh", "-F", "none", "-o", "StrictHostKeyChecking=no",
            "-o", "UserKnownHostsFile=/dev/null", "-o", "NumberOfPasswordPrompts=1",
            *(options or ("-o", "KexAlgorithms=curve25519-sha256")),
            "-p", str(port), "admin@127.0.0.1", *arguments]


class Shell:
    """An interactive session: OpenSSH with a terminal of unknown size."""

    def __init__(self, port, **keywords):
        command = ssh_command(port, **keywords)
        command.insert(command.index("ssh") + 1, "-tt")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.output = Reader(self.process.stdout)

    def type(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def finish(self):
        """All output to the end."""
        self.rest, self.errors = self.process.communicate(timeout=DEADLINE)
        return self.output.data + self.rest

    def kill(self):
        self.process.kill()
        return self.finish()


def converse(port, typed, **keywords):
    shell = Shell(port, **keywords)
    shell.type(typed)
    return shell.finish()


def execute(port, command, **keywords):
    return subprocess.run(ssh_command(port, command, **keywords), capture_output=True,
                          timeout=DEADLINE, stdin=subprocess.DEVNULL)


class Case(unittest.TestCase):
    def simulate(self, *options, count=1):
        simulator = Simulator(*options, count=count)
        self.addCleanup(lambda: simulator.process.poll() is not None or simulator.stop())
        return simulator


class CommandLine(Case):
    def test_shows_exactly_the_predicted_output(self):
        simulator = self.simulate(count=2)
        for number in 1, 2:
            name = f"sim-{number}"
            prompt = name.encode() + b"#"
            shown = converse(simulator.port(number),
                             b"terminal length 0\rshow version\rshow running-config\r"
                             b"show tech 300\rexit\r")
            self.assertEqual(
                shown, prompt + b"terminal length 0\r\n" +
                prompt + b"show version\r\n" + expected("show version", name) +
                prompt + b"show running-config\r\n" + expected("show running-config", name) +
                prompt + b"show tech 300\r\n" + expected("show tech 300", name) +
                prompt + b"exit\r\n")

    def test_runs_commands_without_a_shell(self):
        simulator = self.simulate("--command-delay", "10ms", "--login-delay", "10ms")
        result = execute(simulator.port(), "show version")
        self.assertEqual((result.returncode, result.stdout.replace(b"\n", b"\r\n")),
                         (0, expected("show version")))
        self.assertEqual(execute(simulator.port(), "shw").returncode, 1)

    def test_pages_until_told_not_to(self):
        simulator = self.simulate()
        shell = Shell(simulator.port())
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

    def test_plays_other_platforms(self):
        simulator = self.simulate("--platform", "linux:1", "--platform", "frr_vtysh:2",
                                  "--platform", "generic:3", "--colour", count=3)
        self.assertEqual([device[1] for device in simulator.devices],
                         ["linux", "frr_vtysh", "generic"])
        linux = converse(simulator.port(1), b"uname -a\rexit\r")
        self.assertIn(b"\x1b[?2004h", linux)
        self.assertIn(b"Linux sim-1 6.1.0", linux)
        frr = converse(simulator.port(2), b"show version\rexit\r")
        self.assertEqual(frr, b"sim-2# show version\r\n" +
                         expected("show version", "sim-2", "frr_vtysh") + b"sim-2# exit\r\n")
        generic = converse(simulator.port(3), b"foo\rexit\r")
        self.assertEqual(generic, b"sim-3> foo\r\n" + expected("foo", "sim-3", "generic") +
                         b"sim-3> exit\r\n")

    def test_cuts_its_writes_and_delays_without_changing_them(self):
        simulator = self.simulate("--chunk", "5", "--command-delay", "1ms", "--threads", "2")
        self.assertEqual(converse(simulator.port(), b"show clock\rexit\r"),
                         b"sim-1#show clock\r\n" + CLOCK + b"sim-1#exit\r\n")


class Login(Case):
    def test_refuses_a_wrong_password(self):
        simulator = self.simulate()
        self.assertEqual(execute(simulator.port(), "show clock", password="wrong").returncode, 255)
        simulator.wait_for("disconnect")
        self.assertEqual([event["event"] for event in simulator.events()],
                         ["connect", "login-refused", "disconnect"])

    def test_asks_interactively(self):
        simulator = self.simulate("--auth", "keyboard-interactive")
        self.assertEqual(execute(simulator.port(), "show clock").returncode, 0)
        self.assertNotEqual(execute(simulator.port(), "show clock", password="wrong").returncode, 0)

    def test_takes_the_authorized_keys(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in "known", "unknown":
                subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                                f"{folder}/{name}"], check=True, timeout=DEADLINE)
            simulator = self.simulate("--auth", "publickey", "--key-file", f"{folder}/known.pub")
            for name, status in ("known", 0), ("unknown", 255):
                options = ("-i", f"{folder}/{name}", "-o", "IdentitiesOnly=yes")
                result = execute(simulator.port(), "show clock", options=options)
                self.assertEqual(result.returncode, status, name)

    def test_may_ask_nothing(self):
        simulator = self.simulate("--auth", "none")
        self.assertEqual(execute(simulator.port(), "show clock", password="wrong").returncode, 0)

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

    def raw(self, simulator):
        """What a client gets that greets, and then says and waits for nothing more."""
        with socket.create_connection(("127.0.0.1", simulator.port()), DEADLINE) as peer:
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
        simulator = self.simulate_fault("refuse")
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", simulator.port()), DEADLINE)

    def test_silent(self):
        simulator = self.simulate_fault("silent")
        self.assertEqual(self.raw(simulator), b"")
        simulator.wait_for("disconnect", "peer closed")

    def test_not_ssh(self):
        self.assertIn(b"HTTP/1.1", self.raw(self.simulate_fault("banner-garbage")))

    def test_closes(self):
        for phase, events in {
            "accept": ["connect"], "banner": ["connect"], "kex": ["connect"], "auth": ["connect"],
            "shell": ["connect", "login"], "prompt": ["connect", "login", "shell"],
        }.items():
            with self.subTest(phase):
                simulator = self.simulate_fault(f"close-at-{phase}")
                shell = Shell(simulator.port())
                self.assertEqual(shell.finish(), b"")
                self.assertEqual(shell.process.returncode, 255)
                simulator.wait_for("disconnect", "fault")
                self.assertEqual([e["event"] for e in simulator.events()], events + ["disconnect"])

    def test_closes_in_the_middle_of_output(self):
        simulator = self.simulate_fault("close-at-command")
        shown = converse(simulator.port(), b"terminal length 0\rshow version\r")
        whole = b"sim-1#terminal length 0\r\nsim-1#show version\r\n" + expected("show version")
        self.assertTrue(whole.startswith(shown) and len(shown) < len(whole), shown)
        self.assertIn(b"Cisco IOS", shown)
        simulator.wait_for("disconnect", "fault")

    def test_hangs_at_authentication(self):
        shell = Shell(self.simulate_fault("hang-at-auth").port(),
                      options=("-v", "-o", "KexAlgorithms=curve25519-sha256"))
        errors = Reader(shell.process.stderr)
        errors.until(b"SERVICE_ACCEPT received")
        shell.kill()
        self.assertNotIn(b"Authentications that can continue", errors.data + shell.errors)

    def test_hangs_at_the_shell(self):
        simulator = self.simulate_fault("hang-at-shell")
        shell = Shell(simulator.port())
        simulator.wait_for("login")
        self.assertEqual(shell.kill(), b"")
        simulator.wait_for("disconnect", "peer closed")
        self.assertNotIn("shell", [e["event"] for e in simulator.events()])

    def test_hangs_at_the_prompt(self):
        simulator = self.simulate_fault("hang-at-prompt")
        shell = Shell(simulator.port())
        simulator.wait_for("shell")
        shell.type(b"show clock\r")
        self.assertEqual(shell.kill(), b"")
        simulator.wait_for("disconnect", "peer closed")
        self.assertNotIn("command", [e["event"] for e in simulator.events()])

    def test_hangs_in_the_middle_of_output(self):
        simulator = self.simulate_fault("hang-at-command")
        shell = Shell(simulator.port())
        shell.type(b"terminal length 0\rshow version\rshow clock\r")
        shell.output.until(b"Cisco IOS")
        simulator.wait_for("command", "show version")
        self.assertNotIn(b"0xF", shell.kill())
        self.assertEqual([e["text"] for e in simulator.events() if e["event"] == "command"],
                         ["terminal length 0", "show version"])

    def test_refuses_every_password(self):
        simulator = self.simulate_fault("wrong-password")
        self.assertEqual(execute(simulator.port(), "show clock").returncode, 255)
        simulator.wait_for("login-refused", "admin")

    def test_slow(self):
        self.assertEqual(converse(self.simulate_fault("slow").port(), b"show clock\rexit\r"),
                         b"sim-1#show clock\r\n" + CLOCK + b"sim-1#exit\r\n")

    def test_flood(self):
        simulator = self.simulate_fault("flood")
        shell = Shell(simulator.port())
        shell.type(b"terminal length 0\rshow clock\r")
        # A million bytes and more, of a command that prints 35 when it is well.
        for _ in range(1000):
            shell.output.until(rb"^.{1024}")
        shell.kill()
        simulator.wait_for("disconnect", "peer closed")

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
        simulator = self.simulate_fault("legacy")
        result = execute(simulator.port(), "show clock")
        self.assertIn(b"no matching key exchange method", result.stderr)
        old = ("-o", "KexAlgorithms=diffie-hellman-group1-sha1", "-o", "HostKeyAlgorithms=ssh-rsa",
               "-o", "Ciphers=3des-cbc", "-o", "MACs=hmac-sha1")
        self.assertEqual(execute(simulator.port(), "show clock", options=old).returncode, 0)

    def test_strikes_the_chosen_only(self):
        simulator = self.simulate("--fault", "wrong-password:2", count=2)
        self.assertEqual(execute(simulator.port(1), "show clock").returncode, 0)
        self.assertEqual(execute(simulator.port(2), "show clock").returncode, 255)


class Books(Case):
    def test_hold_many_sessions_and_balance(self):
        simulator = self.simulate("--threads", "2", count=SESSIONS)
        floor = subprocess.run([FLOOR, simulator.inventory, str(SESSIONS), "hold"],
                               capture_output=True, timeout=240)
        self.assertEqual(floor.returncode, 0, floor.stderr[-500:])
        self.assertIn(f"ok={SESSIONS} failed=0".encode(), floor.stdout)
        balanced = {(f"sim-{n}", event): 3 if event == "command" else 1
                    for n in range(1, SESSIONS + 1)
                    for event in ("connect", "login", "shell", "command", "disconnect")}
        wait_until(lambda: len(simulator.events()) >= 7 * SESSIONS, "all events")
        counts = collections.Counter((e["device"], e["event"]) for e in simulator.events())
        self.assertEqual(counts, balanced)
        totals = simulator.stop()
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
        # The simulator has the other end of the pipe until it is gone.
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

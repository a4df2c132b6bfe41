"""What every integration test stands on: a directory, processes, deadlines, and netfleet itself.

A test starts everything it needs and stops it again, by process id. Nothing here waits for a
duration: it waits for a line, a connection or an exit, with a deadline. Servers that need users or
network namespaces are in servers.py.
"""

import collections
import itertools
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

BIN = os.environ.get("NETFLEET_BIN") or sys.exit("NETFLEET_BIN: the directory of the binaries")
PASSWORD = "admin"
DEADLINE = 60.0  # seconds; for what takes one second on an idle machine
SANITIZER_STATUS = 99  # how a program ends in which a sanitizer found something


def wait_until(condition, what, seconds=DEADLINE):
    """The one place that polls, for what cannot be waited for otherwise."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        select.select([], [], [], 0.02)


def wait_for_ssh(address, port, process=None):
    """Waits until an SSH server greets on address:port."""
    def greeted():
        if process and process.ended():
            raise AssertionError(f"the server ended:\n{process.text()}")
        try:
            with socket.create_connection((address, port), timeout=5) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False
    wait_until(greeted, f"an SSH server on {address}:{port}")


def free_port(count=1):
    """The first of `count` consecutive free ports on loopback. The system gives these to nobody: a
    server that is started again finds its port free again."""
    while True:
        port = random.randrange(10000, 32768 - count)
        sockets = [socket.socket() for _ in range(count)]
        try:
            for offset, one in enumerate(sockets):
                one.bind(("127.0.0.1", port + offset))
            return port
        except (OSError, OverflowError):
            continue
        finally:
            for one in sockets:
                one.close()


class Process:
    """A program under test or beside it. Dies with the test; both streams are kept, by line, but
    for a `stdout` that goes elsewhere."""

    def __init__(self, argv, env=None, **options):
        self.name = os.path.basename(argv[0])
        self.lines = collections.deque(maxlen=20000)
        self._changed = threading.Condition()
        self.popen = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *map(str, argv)], env=env,
            stdin=options.pop("stdin", subprocess.DEVNULL),
            stdout=options.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE,
            start_new_session=True, **options)
        self.pid = self.popen.pid
        self._streams = [stream for stream in (self.popen.stdout, self.popen.stderr) if stream]
        self._open = len(self._streams)
        self._readers = [threading.Thread(target=self._read, args=(stream,), daemon=True)
                         for stream in self._streams]
        for reader in self._readers:
            reader.start()

    def _read(self, stream):
        for line in stream:
            with self._changed:
                self.lines.append(line.decode("utf-8", "replace").rstrip("\r\n"))
                self._changed.notify_all()
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

    def text(self):
        with self._changed:
            return "\n".join(list(self.lines)[-60:])

    def ended(self):
        return self.popen.poll() is not None

    def wait_for(self, pattern, seconds=DEADLINE, count=1):
        """The match of the first (or count-th) line, old or new, that `pattern` is found in."""
        def found():
            matches = filter(None, (re.search(pattern, line) for line in self.lines))
            return next(itertools.islice(matches, count - 1, None), None)
        with self._changed:
            self._changed.wait_for(lambda: found() or not self._open, seconds)
            match = found()
        if match is None:
            raise AssertionError(f"{self.name} did not say /{pattern}/; it said:\n{self.text()}")
        return match

    def wait(self, seconds=DEADLINE):
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end; it said:\n{self.text()}") from None

    def send_signal(self, number):
        self.popen.send_signal(number)

    def kill(self):
        """kill -9; when this returns, it is dead."""
        self.popen.kill()
        self.popen.wait(DEADLINE)

    def stop(self):
        if not self.ended():
            self.send_signal(signal.SIGTERM)
            try:
                self.popen.wait(10)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait(10)
        for reader in self._readers:
            reader.join(10)
        for stream in self._streams:
            stream.close()


class Ran:
    """One finished run of netfleet."""

    def __init__(self, argv, status, out, err):
        self.argv, self.status, self.out, self.err = argv, status, out, err

    def __str__(self):
        return (f"{' '.join(map(str, self.argv))}\nstatus {self.status}\nstdout:\n"
                f"{self.out[-3000:].decode(errors='replace')}\nstderr:\n{self.err[-3000:]}")

    def objects(self):
        return [json.loads(line) for line in self.out.decode().splitlines()]

    def outcomes(self):
        return collections.Counter(task["outcome"] for task in self.objects())


class RigTest(unittest.TestCase):
    """A test with a directory of its own and an environment that knows nothing of the user's."""

    maxDiff = 4000

    def setUp(self):
        self._shown = {}
        self.directory = tempfile.mkdtemp(prefix="netfleet-rig-")
        self.addCleanup(shutil.rmtree, self.directory, True)
        os.chmod(self.directory, 0o755)
        self.keys = self.path("keys")  # of a fleet, by make_keys
        self.env = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": self.directory, "USER": "tester",
            "LANG": "C.UTF-8", "TERM": "xterm", "XDG_STATE_HOME": self.path("state"),
            "NETFLEET_TEST_PASSWORD": PASSWORD,
            "ASAN_OPTIONS": self.sanitizer_options("ASAN_OPTIONS"),
            "UBSAN_OPTIONS": self.sanitizer_options("UBSAN_OPTIONS") + ":print_stacktrace=1",
            "TSAN_OPTIONS": self.sanitizer_options("TSAN_OPTIONS"),
        }

    @staticmethod
    def sanitizer_options(variable):
        """The caller's, such as a file of suppressions, and our exit status."""
        return ":".join(filter(None, [os.environ.get(variable), f"exitcode={SANITIZER_STATUS}"]))

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, mode)
        return path

    def start(self, *argv, inside=(), **options):
        """`inside`: what enters a namespace first."""
        process = Process([*inside, *argv], env=options.pop("env", self.env), **options)
        self.addCleanup(self._stop, process)
        return process

    def _stop(self, process):
        """A sanitizer's finding counts wherever it was made, also in what the test only ends."""
        process.stop()
        self.assertNotEqual(process.popen.returncode, SANITIZER_STATUS, process.text())

    def devsim(self, count, *arguments, listen="127.0.0.1:0", name="devices.txt", **options):
        """Simulated devices; returns the inventory that they wrote."""
        inventory = self.path(name)
        counted = ["--count", count] if listen.endswith(":0") else []
        self.simulator = self.start(f"{BIN}/devsim", "--listen", listen, *counted,
                                    "--write-inventory", inventory, "--die-with-parent", *arguments,
                                    **options)
        self.simulator.wait_for(rf"ready {count} devices")
        return inventory

    def keygen(self, *arguments, status=0):
        ran = self.finish([f"{BIN}/netfleet", "keygen", self.keys, *arguments])
        self.assertEqual(ran.status, status, str(ran))
        return ran

    def make_keys(self, *workers):
        self.keygen("dispatcher")
        self.keygen("worker", *workers)

    def run_argv(self, *arguments, password="--password-env"):
        argv = [f"{BIN}/netfleet", "run", *map(str, arguments)]
        if password == "--password-env":
            argv += [password, "NETFLEET_TEST_PASSWORD"]
        return argv

    def finish(self, argv, stdin=b"", seconds=120, env=None, **options):
        """Runs to the end, without a terminal."""
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, start_new_session=True,
                                   env={**self.env, **(env or {})}, **options)
        try:
            out, err = process.communicate(stdin, timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            err = err.decode(errors="replace")
            raise AssertionError(str(Ran(argv, "none: killed by the test", out, err))) from None
        return Ran(argv, process.returncode, out, err.decode(errors="replace"))

    def sweep(self, *arguments, status=0, password="--password-env", **options):
        """`netfleet run`, which must end with `status`."""
        ran = self.finish(self.run_argv(*arguments, password=password), **options)
        self.assertEqual(ran.status, status, str(ran))
        return ran

    def worker(self, endpoint, name, sessions, *arguments):
        """A netfleet-worker that knows the password from its own environment."""
        return self.start(f"{BIN}/netfleet-worker", "--dispatcher", endpoint, "--name", name,
                          "--sessions", sessions, "--password-env", "NETFLEET_TEST_PASSWORD",
                          "--known-hosts", self.path(f"known_hosts_{name}"), *arguments)

    def simulated_output(self, command, number):
        """What the simulated device of this number, from 1, shows for a command."""
        name = f"sim-{number}"
        stand_in = "~" * len(name)
        if (command, stand_in) not in self._shown:
            self._shown[command, stand_in] = subprocess.run(
                [f"{BIN}/devsim", "--print-output", command, "--hostname", stand_in], check=True,
                capture_output=True, timeout=30).stdout
        return self._shown[command, stand_in].replace(stand_in.encode(), name.encode())

    def assert_order(self, ran, inventory):
        """Every host of the inventory is there, once, in its order."""
        with open(inventory, encoding="utf-8") as file:
            lines = [line.split("#")[0].split() for line in file]
        expected = [line[0].rpartition("@")[2] for line in lines if line]
        seen = [f"{task['address']}:{task['port']}" for task in ran.objects()]
        self.assertEqual(seen, expected)
        self.assertEqual([task["index"] for task in ran.objects()], list(range(len(seen))))


def log_line(*words, **fields):
    """A pattern for a log line with these words and key=value pairs, in any order."""
    pairs = [f"{key}={re.escape(str(value))}" for key, value in fields.items()]
    return "".join(rf"(?=.*(?<![\w-]){word}(?![\w-]))" for word in [*words, *pairs])


def read(path):
    with open(path, "rb") as file:
        return file.read()


def recorded(path, *events):
    """What the simulated devices wrote to --record, of these kinds."""
    if not os.path.exists(path):
        return []
    lines = [json.loads(line) for line in read(path).split(b"\n")[:-1]]
    return [line for line in lines if line["event"] in events]


def login_attempts(path):
    """Attempts to log in that reached a device, by device."""
    return collections.Counter(e["device"] for e in recorded(path, "login", "login-refused"))


def commands_seen(path, command):
    return [e for e in recorded(path, "command") if e["text"] == command]

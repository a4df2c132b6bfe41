"""Starts devsim and talks to it with OpenSSH's client, for Python tests. Needs ssh, sshpass."""

import json
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

DEADLINE = 60.0


def wait_until(condition, what):
    """Looks until the condition holds: for files and processes, which cannot be waited for."""
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {DEADLINE} s: {what}")
        select.select([], [], [], 0.005)


def expected(devsim, command, hostname="sim-1", platform="cisco_ios"):
    """What a terminal shows of the command's output."""
    result = subprocess.run(
        [devsim, "--print-output", command, "--hostname", hostname, "--platform", platform],
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
    """A running devsim on ports that the system chose; its records and totals."""

    def __init__(self, devsim, *options, count=1):
        self.folder = tempfile.mkdtemp()
        self.record = os.path.join(self.folder, "record")
        self.inventory = os.path.join(self.folder, "inventory")
        self.process = subprocess.Popen(
            [devsim, "--listen", "127.0.0.1:0", "--count", str(count), "--record", self.record,
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

#!/usr/bin/python3
"""Runs a command and counts what its whole process tree costs, daemonised children too.

`run()` starts this file as a supervisor between the benchmark and the command. The supervisor is
the subreaper of all that the command starts: whoever loses its parent becomes the supervisor's
child, and the CPU time of every process that was waited for is in its
getrusage(RUSAGE_CHILDREN). Wall time ends with the command; what it leaves running (ssh's or
Ansible's persistent connections) is then told to end, and counted.
"""

import contextlib
import ctypes
import dataclasses
import json
import os
import re
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
DEADLINE = 1800.0  # s, of one command


class Wrong(Exception):
    """A contender failed, or its output is not what the devices said."""


@dataclasses.dataclass
class Finished:
    """What a command did: wall and cpu in s; rss, the peak of its largest process, in MB."""
    wall: float
    cpu: float
    rss: float
    status: int
    stdout: bytes
    stderr: bytes


def processes():
    """The parent of every process."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                    parents[int(entry)] = int(file.read().rsplit(")", 1)[1].split()[1])
    return parents


def descendants(root):
    """All processes below `root`, without it."""
    parents, found = processes(), {root}
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        found |= more
        grown = bool(more)
    return found - {root}


def memory(pids):
    """MB of theirs together: resident, where what they share counts for each, and proportional,
    where it counts once."""
    sums = {"Rss": 0, "Pss": 0}
    for pid in pids:
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                for name, size in re.findall(r"^(Rss|Pss): +(\d+) kB", file.read(), re.M):
                    sums[name] += int(size)
    return {"resident": sums["Rss"] / 1024, "proportional": sums["Pss"] / 1024}


class Running:
    """A command that runs under its supervisor; a context manager that ends it."""

    def __init__(self, argv, env=None, stdin=b"", output=None):
        """`output`: a file's path for standard output, which finish() then does not return."""
        self.argv = [str(word) for word in argv]
        self.files = [tempfile.TemporaryFile(), open(output, "wb") if output else
                      tempfile.TemporaryFile(), tempfile.TemporaryFile()]
        self.files[0].write(stdin)
        self.files[0].seek(0)
        self.kept = output is None
        self.pipe, inner = os.pipe()
        self.process = subprocess.Popen(
            ["/usr/bin/python3", "-I", __file__, str(inner), *self.argv], stdin=self.files[0],
            stdout=self.files[1], stderr=self.files[2], pass_fds=[inner],
            env={**os.environ, **(env or {})})
        os.close(inner)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)
        os.close(self.pipe)
        for file in self.files:
            file.close()

    def memory(self):
        """Of all its processes now, as memory()."""
        return memory(descendants(self.process.pid))

    def ended(self):
        return self.process.poll() is not None

    def finish(self, statuses=(0,)):
        """Waits for the end. Wrong unless the exit status is one of these."""
        ready, _, _ = select.select([self.pipe], [], [], DEADLINE)
        report = os.read(self.pipe, 4096) if ready else b""
        self.process.wait(60) if report else self.process.terminate()
        stdout, stderr = (self.read(file) for file in self.files[1:])
        if not report:
            raise Wrong(f"{' '.join(self.argv[:6])} ...: no end\n{stderr[-1000:].decode()}")
        found = Finished(stdout=stdout, stderr=stderr, **json.loads(report))
        if found.status not in statuses:
            raise Wrong(f"{' '.join(self.argv[:6])} ...: exit status {found.status}\n"
                        f"{(stderr or stdout)[-1500:].decode(errors='replace')}")
        return found

    def read(self, file):
        if not self.kept and file is self.files[1]:
            return b""
        file.seek(0)
        return file.read()


def run(argv, statuses=(0,), **options):
    with Running(argv, **options) as running:
        return running.finish(statuses)


def tell(pids, number):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def reap_the_rest():
    """Ends whatever is left below this process; kills what does not end within 5 s."""
    deadline = time.monotonic() + 5
    tell(descendants(os.getpid()), signal.SIGTERM)
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                select.select([], [], [], 0.01)
        except ChildProcessError:
            return
        if time.monotonic() > deadline:
            tell(descendants(os.getpid()), signal.SIGKILL)


def supervise(report, argv):
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)

    def stop(*_):
        reap_the_rest()
        os._exit(1)

    signal.signal(signal.SIGTERM, stop)
    start = time.monotonic()
    command = os.posix_spawnp(argv[0], argv, os.environ,
                              file_actions=[(os.POSIX_SPAWN_CLOSE, report)])
    while True:
        pid, status = os.wait()
        if pid == command:
            break
    wall = time.monotonic() - start
    reap_the_rest()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    os.write(report, json.dumps({
        "wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "rss": usage.ru_maxrss / 1024,
        "status": os.waitstatus_to_exitcode(status)}).encode())


if __name__ == "__main__":
    supervise(int(sys.argv[1]), sys.argv[2:])

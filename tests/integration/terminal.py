"""A terminal for the program under test: a pty that is its controlling terminal."""

import os
import re
import select
import signal
import subprocess
import termios
import time

import rig


class Terminal:
    """Standard streams are the terminal unless they are given. Everything shown is kept."""

    def __init__(self, test, argv, env=None, **streams):
        self.master, self.slave = os.openpty()
        self.shown = b""
        name = os.ttyname(self.slave)

        def own_terminal():  # the first terminal a session leader opens becomes its own
            os.close(os.open(name, os.O_RDWR))
        self.popen = subprocess.Popen(
            [str(a) for a in argv], env={**test.env, **(env or {})}, start_new_session=True,
            preexec_fn=own_terminal, **{**dict.fromkeys(("stdin", "stdout", "stderr"), self.slave),
                                        **streams})
        test.addCleanup(self.close)

    def close(self):
        if self.popen.poll() is None:
            os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.wait(10)
        os.close(self.master)
        os.close(self.slave)

    def _read_some(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            self.shown += os.read(self.master, 65536)

    def wait_for(self, pattern, seconds=rig.DEADLINE):
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.shown):
            left = deadline - time.monotonic()
            if left <= 0 or (self.popen.poll() is not None and not self._more()):
                raise AssertionError(f"the terminal did not show {pattern}; it showed:\n"
                                     f"{self.text()}")
            self._read_some(min(left, 0.2))

    def _more(self):
        before = len(self.shown)
        self._read_some(0)
        return len(self.shown) > before

    def type(self, text):
        os.write(self.master, text)

    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def wait(self, seconds=rig.DEADLINE):
        """The exit status; what is shown meanwhile is read."""
        deadline = time.monotonic() + seconds
        while self.popen.poll() is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"did not end; the terminal showed:\n{self.text()}")
            self._read_some(0.05)
        while self._more():
            pass
        return self.popen.returncode

    def text(self):
        return self.shown.decode("utf-8", "replace")

    def processes(self):
        """What still runs in the session of the program."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                fields = rig.read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == self.popen.pid and fields[0] != b"Z":
                found.append(int(pid))
        return found

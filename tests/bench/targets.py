"""What is logged in to: simulated devices (T2) and a real OpenSSH server (T1)."""

import contextlib
import ipaddress
import itertools
import os
import pathlib
import pwd
import re
import select
import socket
import subprocess
import tempfile
import time

import tree

FIRST = int(ipaddress.IPv4Address("127.1.0.0"))
PER_PROCESS = 5000  # devices of one simulator: a descriptor for listening and one for its session
DEADLINE = 120.0
PORTS = itertools.cycle(range(20000, 32000))


def free_port(room=1):
    """The first of `room` neighbouring ports that nobody uses now and that were not given before:
    whoever asked first may not listen yet."""
    while True:
        port = next(PORTS)
        for _ in range(room - 1):
            next(PORTS)
        with contextlib.suppress(OSError), socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("0.0.0.0", port))
            return port


def wait_until(condition, what):
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise tree.Wrong(f"not within {DEADLINE:.0f} s: {what}")
        select.select([], [], [], 0.01)


def cpu_of(pid):
    """CPU s of a process and of its children that it waited for."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def start(argv, ready, **options):
    """A server that prints a line with `ready` on standard output or error when it can be used."""
    process = subprocess.Popen(list(map(str, argv)), stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, **options)
    said = ""
    while ready not in said:
        line = process.stdout.readline()
        if not line:
            raise SystemExit(f"{argv[0]} does not start:\n{said[-1000:]}")
        said += line
    return process



def device_output(binary, name, command="show version"):
    """What a perfect client collects of the command from the simulated device of that name."""
    return subprocess.run([binary, "--print-output", command, "--hostname", name],
                          capture_output=True, check=True, text=True).stdout


class Target:
    """Where hosts are and how they are logged in to; a context manager that ends them.

    hosts: their addresses, in order, all with the same port, user, password and password_file."""

    def __init__(self, place, hosts, user, password):
        self.place, self.hosts, self.user, self.password = place, hosts, user, password
        self.port = free_port()
        self.processes = []
        self.password_file = self.file("password", password + "\n")

    def file(self, name, text):
        path = pathlib.Path(self.place.name, name)
        path.write_text(text, encoding="ascii")
        return str(path)

    def inventory(self, count):
        """A file of the first `count` hosts, with "address:port platform" on each line."""
        return self.file(f"inventory-{count}", "".join(
            f"{host}:{self.port} cisco_ios\n" for host in self.hosts[:count]))

    def cpu(self):
        """CPU s of the servers so far."""
        return sum(cpu_of(process.pid) for process in self.processes)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
            process.communicate(timeout=60)
        self.place.cleanup()


class Devices(Target):
    """`count` IOS-like devices, an address each. `hold`: `show version` waits for let_go()."""

    def __init__(self, bench, count, *options, hold=False):
        super().__init__(tempfile.TemporaryDirectory(),
                         [str(ipaddress.IPv4Address(FIRST + i)) for i in range(count)],
                         "admin", "admin")
        self.binary = f"{bench.bin}/devsim"
        self.held = pathlib.Path(self.place.name, "held")
        if hold:
            self.held.mkdir()
            options += ("--hold", self.held, "--record", f"{self.place.name}/record")
        self.names = {}
        for first in range(0, count, PER_PROCESS):
            self.simulate(self.hosts[first:first + PER_PROCESS], options)
        self.template = device_output(self.binary, "NAME-OF-HOST")

    def simulate(self, hosts, options):
        prefix = f"d{len(self.processes)}"
        self.processes.append(start(
            [self.binary, "--listen", f"{hosts[0]}-{hosts[-1]}:{self.port}", "--hostname",
             prefix + "-{n}", "--die-with-parent", *options], "ready"))
        for number, host in enumerate(hosts, 1):
            self.names[host] = f"{prefix}-{number}"
            if self.held.exists():
                (self.held / f"{prefix}-{number}").touch()

    def expected(self, host):
        """What `show version` prints there, but for its serial number."""
        return self.template.replace("NAME-OF-HOST", self.names[host])

    def all_wait(self):
        """Whether every session has entered a command that is held."""
        with open(f"{self.place.name}/record", encoding="utf-8") as file:
            waiting = re.findall(r'"device":"([^"]+)".*"command","text":"show version"',
                                 file.read())
        return len(set(waiting)) == len(self.hosts)

    def let_go(self):
        for file in self.held.iterdir():
            file.unlink()


# A real server's shell that takes the job's commands, so that every contender does the same there.
BASHRC = r"""PS1='bench#'
terminal() { :; }
show() { cat "$HOME/show_version"; }
"""
SSHD = """PidFile none
UsePAM no
StrictModes no
PasswordAuthentication yes
KbdInteractiveAuthentication no
PrintMotd no
PrintLastLog no
UseDNS no
MaxStartups 2000
LogLevel ERROR
KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org
HostKey {directory}/host_key
"""
ADDRESSES = 16  # that one sshd can listen on


class OpenSsh(Target):
    """OpenSSH on `count` loopback addresses (an sshd for each 16), with a user of its own whose
    shell is bash. Needs root."""

    USER = "nfbench"

    def __init__(self, bench, count):
        if os.geteuid() != 0:
            raise SystemExit("the real OpenSSH server has a user of its own: this needs root")
        place = tempfile.TemporaryDirectory(prefix="nfbench-")
        os.chmod(place.name, 0o755)
        super().__init__(place, [f"127.2.{i // ADDRESSES}.{i % ADDRESSES + 1}"
                                 for i in range(count)], self.USER, "bench-Pa55word")
        self.template = device_output(f"{bench.bin}/devsim", "bench")
        self.add_user()
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                        f"{place.name}/host_key"], check=True)
        for first in range(0, count, ADDRESSES):
            self.serve(self.hosts[first:first + ADDRESSES], f"sshd_{first}")

    def add_user(self):
        self.remove_user()
        home = pathlib.Path(self.place.name, "home")
        home.mkdir(mode=0o755)
        for name, text in ((".bashrc", BASHRC), (".bash_profile", BASHRC), (".hushlogin", ""),
                           (".inputrc", "set enable-bracketed-paste off\n"),
                           ("show_version", self.template)):
            self.file(f"home/{name}", text)
        subprocess.run(["useradd", "--no-create-home", "--no-log-init", "--home-dir", home,
                        "--shell", "/bin/bash", self.user], check=True)
        subprocess.run(["chpasswd"], input=f"{self.user}:{self.password}", text=True, check=True)

    def remove_user(self):
        if any(user.pw_name == self.USER for user in pwd.getpwall()):
            subprocess.run(["userdel", "--force", self.USER], check=True, capture_output=True)

    def serve(self, hosts, name):
        config = self.file(name, SSHD.format(directory=self.place.name) + "".join(
            f"ListenAddress {host}:{self.port}\n" for host in hosts))
        self.processes.append(subprocess.Popen(
            ["/usr/sbin/sshd", "-D", "-e", "-f", config], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL))

        def listens():
            with socket.socket() as probe:
                return probe.connect_ex((hosts[-1], self.port)) == 0

        wait_until(listens, "sshd listens")

    def __exit__(self, *arguments):
        super().__exit__(*arguments)
        self.remove_user()

    def expected(self, _host):
        return self.template

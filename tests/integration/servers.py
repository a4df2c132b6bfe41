"""Real SSH servers and routers: OpenSSH, dropbear and FRR, with users and network namespaces of
their own. Needs root. Names on the machine begin with `nfit`; what a crashed run left behind is
removed first. One test file at a time may use them, on the whole machine.
"""

import fcntl
import grp
import json
import os
import pwd
import shutil
import subprocess
import tempfile

import rig

PREFIX = "nfit"
PASSWORD = "Pa55 w0rd!"
LOCK = "/run/lock/netfleet-rig.lock"
_lock = None


def call(*argv, check=True, **options):
    done = subprocess.run([str(a) for a in argv], capture_output=True, timeout=60, check=False,
                          **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, argv))}: status {done.returncode}: "
                             f"{done.stderr.decode(errors='replace')}")
    return done.stdout


def take_machine():
    """For setUpModule: the machine's users and namespaces are ours until this process ends."""
    global _lock
    if os.geteuid() != 0:
        raise AssertionError("these tests create users and network namespaces: run them as root")
    os.makedirs(os.path.dirname(LOCK), exist_ok=True)
    _lock = open(LOCK, "w", encoding="utf-8")
    fcntl.flock(_lock, fcntl.LOCK_EX)  # ctest's TIMEOUT is the deadline
    remove_leftovers()


def remove_leftovers():
    for line in call("ip", "netns", "list").decode().splitlines():
        if line.startswith(PREFIX):
            remove_namespace(line.split()[0])
    for link in os.listdir("/sys/class/net"):
        if link.startswith(PREFIX):
            call("ip", "link", "delete", link)
    for user in [user.pw_name for user in pwd.getpwall()]:
        if user.startswith(PREFIX):
            remove_user(user)


def remove_user(name):
    call("pkill", "-KILL", "-u", name, check=False)
    call("userdel", "--force", name)


def remove_namespace(name):
    for pid in call("ip", "netns", "pids", name, check=False).split():
        call("kill", "-KILL", pid.decode(), check=False)
    call("ip", "netns", "delete", name)


def within(namespace):
    """Not `ip netns exec` or `ip -n`: they also change mounts, which fails in a chroot."""
    return ["nsenter", f"--net=/run/netns/{namespace}"]


def add_user(test, name, shell, groups=(), within=None):
    """A throw-away user with PASSWORD, and the test's key in authorized_keys. Returns its name.
    `within`: where its home is; the test's directory as a rule."""
    name = f"{PREFIX}_{name}"
    home = os.path.join(within or test.directory, name)
    os.makedirs(f"{home}/.ssh", mode=0o755)
    extra = ["--groups", ",".join(groups)] if groups else []
    call("useradd", "--no-create-home", "--no-log-init", "--home-dir", home, "--shell", shell,
         *extra, name)
    test.addCleanup(remove_user, name)
    call("chpasswd", input=f"{name}:{PASSWORD}".encode())
    key = client_key(test)
    test.write(f"{home}/.ssh/authorized_keys", rig.read(f"{key}.pub"), 0o600)
    user = pwd.getpwnam(name)
    for path in (home, f"{home}/.ssh", f"{home}/.ssh/authorized_keys"):
        os.chown(path, user.pw_uid, user.pw_gid)
    return name


def client_key(test, name="client_key", passphrase="", kind="ed25519"):
    key = test.path(name)
    if not os.path.exists(key):
        call("ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", name, "-f", key)
    return key


class Server:
    """An SSH server that runs: where it is, and what the plain `ssh` client says about it."""

    def __init__(self, test, process, address, port, user):
        self.test, self.process = test, process
        self.address, self.port, self.user = address, port, user
        rig.wait_for_ssh(address, port, process)

    def line(self, platform=""):
        """The server's line in a text inventory."""
        return f"{self.user}@{self.address}:{self.port} {platform}".rstrip()

    def ssh(self, command):
        """Exactly what `ssh user@server 'command'` prints."""
        return call("ssh", "-F", "none", "-i", client_key(self.test), "-o", "BatchMode=yes",
                    "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                    "-o", "IdentityAgent=none", "-p", self.port, f"{self.user}@{self.address}",
                    command, stdin=subprocess.DEVNULL)


def sshd(test, user, address="127.0.0.1", port=None, namespace=None, options=(), name="sshd"):
    """OpenSSH's server with a config and a host key of its own."""
    port = port or rig.free_port()
    os.makedirs("/run/sshd", exist_ok=True)
    config = test.write(f"{name}_config", "\n".join([
        f"ListenAddress {address}:{port}", f"HostKey {client_key(test, name + '_host_key')}",
        "PidFile none", "UsePAM no", "StrictModes no", "PasswordAuthentication yes",
        "KbdInteractiveAuthentication no", "PrintMotd no", "PrintLastLog no", "UseDNS no",
        "AuthorizedKeysFile .ssh/authorized_keys", "MaxStartups 2000", "MaxAuthTries 6",
        "LogLevel VERBOSE", *options]) + "\n")
    inside = within(namespace) if namespace else []
    process = test.start(*inside, "/usr/sbin/sshd", "-D", "-e", "-f", config)
    return Server(test, process, address, port, user)


def dropbear(test, user):
    port = rig.free_port()
    key = test.path("dropbear_host_key")
    call("dropbearkey", "-t", "ed25519", "-f", key)
    process = test.start("/usr/sbin/dropbear", "-F", "-E", "-m", "-r", key, "-p",
                         f"127.0.0.1:{port}", "-P", test.path("dropbear.pid"))
    return Server(test, process, "127.0.0.1", port, user)


def shells(test):
    """bash (coloured prompt of Debian's skeleton), dash, busybox and a restricted bash."""
    ash = test.path("ash")
    os.symlink("/usr/bin/busybox", ash)
    users = [add_user(test, "bash", "/bin/bash"), add_user(test, "dash", "/bin/dash"),
             add_user(test, "ash", ash), add_user(test, "rbash", "/bin/rbash")]
    shutil.copy("/etc/skel/.bashrc", test.path("nfit_bash/.bashrc"))
    test.write("nfit_bash/.profile", ". ~/.bashrc\n")
    server = sshd(test, users[0])
    return [server] + [Server(test, server.process, server.address, server.port, user)
                       for user in users[1:]]


# Each connection's program has it as standard input and output, as under inetd.
_INETD = """
import socket, subprocess, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
running = []
while True:
    connection, _ = listener.accept()
    running = [one for one in running if one.poll() is None]
    running.append(subprocess.Popen(sys.argv[2:], stdin=connection, stdout=connection))
    connection.close()
"""


def tinysshd(test):
    """Knows ed25519 keys and nothing else, and wants no directory on the way to them, not even
    /tmp, to be for others to write to."""
    strict = tempfile.mkdtemp(prefix="netfleet-rig-", dir="/run")
    test.addCleanup(shutil.rmtree, strict, True)
    os.chmod(strict, 0o755)
    user = add_user(test, "tiny", "/bin/bash", within=strict)
    port = rig.free_port()
    keys = test.path("tinysshd_keys")
    call("tinysshd-makekey", keys)
    process = test.start("/usr/bin/python3", "-c", _INETD, port, "/usr/sbin/tinysshd", "-v", keys)
    return Server(test, process, "127.0.0.1", port, user)


def other_ssh(test, make, **scenario):
    """other_ssh.py, which says what a scenario may have."""
    path = test.write(f"{make}.json", json.dumps(
        {"user": "tester", "methods": ["password"], "password": PASSWORD, **scenario}))
    process = test.start("/usr/bin/python3", "-W", "ignore",
                         os.path.join(os.path.dirname(__file__), "other_ssh.py"), make, path,
                         test.path(f"{make}.record"))
    port = int(process.wait_for(r"ready (\d+)").group(1))
    return Server(test, process, "127.0.0.1", port, "tester")


class Bird:
    """BIRD with some routes that go nowhere, and birdc as what its user logs in to. Touches no
    kernel table."""

    def __init__(self, test, user):
        control = test.path("bird.ctl")
        config = test.write("bird.conf", "router id 192.0.2.1;\nprotocol device {}\n"
                            "protocol static nowhere {\n  ipv4;\n" + "".join(
                                f"  route 10.{n}.0.0/16 blackhole;\n" for n in range(40)) + "}\n")
        process = test.start("/usr/sbin/bird", "-f", "-c", config, "-s", control, "-P",
                             test.path("bird.pid"))
        rig.wait_until(lambda: os.path.exists(control) or process.ended(), "bird")
        os.chmod(control, 0o666)
        self.birdc = ["/usr/sbin/birdc", "-r", "-s", control]
        rig.wait_until(lambda: b"nowhere" in self.show("show protocols"), "bird's routes")
        self.server = sshd(test, user, name="sshd_bird",
                           options=[f"ForceCommand {' '.join(self.birdc)}"])

    def show(self, command):
        """What `birdc COMMAND` prints, without its two lines of greeting."""
        return b"".join(call(*self.birdc, *command.split()).splitlines(True)[2:])


class Namespace:
    """A network of its own, with loopback and nothing else yet. IPv4 alone: IPv6 addresses would
    come by and by."""

    def __init__(self, test, name):
        self.name = f"{PREFIX}{name}"
        self.inside = within(self.name)
        call("ip", "netns", "add", self.name)
        test.addCleanup(remove_namespace, self.name)
        self.call("sysctl", "-q", "-w", "net.ipv6.conf.all.disable_ipv6=1",
                  "net.ipv6.conf.default.disable_ipv6=1")
        self.ip("link", "set", "lo", "up")

    def call(self, *argv):
        return call(*self.inside, *argv)

    def ip(self, *arguments):
        return self.call("ip", *arguments)

    def forget_connections(self, address):
        """Ends the TCP connections to an address; the other end hears of it if it can."""
        killed = self.call("ss", "--no-header", "--kill", "--tcp", "dst", address)
        assert killed, f"{self.name} had no connection to {address}"


class Lan(Namespace):
    """A namespace with an address in a network, whose switch has ports for other namespaces."""

    def __init__(self, test, name, address):
        super().__init__(test, name)
        self.ip("link", "add", "switch", "type", "bridge")
        self.ip("address", "add", address, "dev", "switch")
        self.ip("link", "set", "switch", "up")

    def connect(self, other, address):
        self.ip("link", "add", other.name, "type", "veth", "peer", "name", self.name, "netns",
                other.name)
        self.ip("link", "set", other.name, "master", "switch", "up")
        other.ip("address", "add", address, "dev", self.name)
        other.ip("link", "set", self.name, "up")

    def cut(self, other):
        """A black hole at the port; both ends still see a link."""
        self.call("bridge", "link", "set", "dev", other.name, "state", "0")  # disabled

    def heal(self, other):
        self.call("bridge", "link", "set", "dev", other.name, "state", "3")  # forwarding


class Router:
    """FRR in a network namespace: zebra and staticd, with vtysh as what its user logs in to."""

    def __init__(self, test, number, hostname, user, *vtysh_options):
        self.directory = test.path(hostname)
        self.address = f"198.18.{number}.2"
        os.makedirs(self.directory)
        owner, group = pwd.getpwnam("frr").pw_uid, grp.getgrnam("frrvty").gr_gid
        os.chown(self.directory, owner, group)
        self._connect(test, number)
        test.write(f"{hostname}/vtysh.conf", f"hostname {hostname}\n")
        for daemon, config in (("zebra", ""), ("staticd", self._routes(number))):
            path = test.write(f"{hostname}/{daemon}.conf", f"hostname {hostname}\n{config}")
            os.chown(path, owner, group)  # so that it may save
            self._start(test, daemon)
        self.vtysh = ["/usr/bin/vtysh", "--vty_socket", self.directory, "--config_dir",
                      self.directory, *vtysh_options]
        self.server = sshd(test, user, self.address, 22, self.namespace, name=f"sshd_{hostname}",
                           options=[f"ForceCommand {' '.join(self.vtysh)}"])
        rig.wait_until(lambda: b"S>* 203.0.113.0/24" in self.show("show ip route"),
                       f"{hostname}'s routes")

    def _connect(self, test, number):
        inside = Namespace(test, number)
        self.namespace = inside.name
        call("ip", "link", "add", self.namespace, "type", "veth", "peer", "name", "eth0", "netns",
             self.namespace)
        call("ip", "address", "add", f"198.18.{number}.1/30", "dev", self.namespace)
        call("ip", "link", "set", self.namespace, "up")
        inside.ip("address", "add", f"{self.address}/30", "dev", "eth0")
        inside.ip("link", "set", "eth0", "up")
        for lan in range(2):
            inside.ip("link", "add", f"lan{lan}", "type", "veth", "peer", "name", f"port{lan}")
            inside.ip("address", "add", f"192.168.{number * 10 + lan}.1/24", "dev", f"lan{lan}")
            for link in (f"lan{lan}", f"port{lan}"):
                inside.ip("link", "set", link, "up")

    def _routes(self, number):
        networks = [f"10.{number}.{third}.0/24" for third in range(60)] + ["203.0.113.0/24"]
        return "".join(f"ip route {network} 192.168.{number * 10}.2\n" for network in networks)

    def _start(self, test, daemon):
        directory = self.directory
        process = test.start(
            *within(self.namespace), f"/usr/lib/frr/{daemon}", "--vty_socket", directory,
            "-f", f"{directory}/{daemon}.conf", "-i", f"{directory}/{daemon}.pid",
            "-z", f"{directory}/zserv.api", "-P", "0", "--log", "stdout")
        rig.wait_until(lambda: os.path.exists(f"{directory}/{daemon}.vty") or process.ended(),
                       f"{daemon} of {directory}")
        if process.ended():
            raise AssertionError(f"{daemon} ended:\n{process.text()}")

    def show(self, command):
        """Exactly what `vtysh -c command` prints on the router."""
        return call(*within(self.namespace), *self.vtysh, "-c", command)

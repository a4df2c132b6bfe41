"""What is installed: by cmake, and by dpkg from the Debian packages, into a copy-on-write copy of
this machine.
"""

import os
import pwd
import re
import shlex
import shutil
import signal
import socket
import tempfile
import unittest

import containers
import packages
import rig
import servers
from servers import call

SERVICES = ("netfleet.service", "netfleet-worker.service", "netfleet-sweep@nightly.service")
UNITS = (*SERVICES, "netfleet-sweep@nightly.timer")
INSTALL = "dpkg -i /packages/*.deb"
EXPOSURE = "20"  # of 100, as systemd-analyze counts; a service without any hardening has 96


def setUpModule():
    global debs, installed
    servers.take_machine()
    containers.private_mounts()
    directory = tempfile.mkdtemp(prefix="netfleet-packages-")
    unittest.addModuleCleanup(shutil.rmtree, directory)
    debs = packages.make(directory)
    machine = containers.Image()
    root = containers.Root(machine)
    os.mkdir(f"{root.path}/packages")
    for deb in debs.values():
        shutil.copy(deb, f"{root.path}/packages")
    call(*root.argv("root", "/", ["sh", "-c", INSTALL]))
    root.unmount()
    installed = containers.Image((root.layer, *machine.layers))


def files(root):
    return {os.path.relpath(os.path.join(folder, name), root)
            for folder, _, names in os.walk(root) for name in names}


def documents(program):
    """What each part has, by the name of its program."""
    return {f"share/man/man1/{program}.1", f"share/bash-completion/completions/{program}",
            f"share/zsh/vendor-completions/_{program}", f"bin/{program}",
            f"share/fish/vendor_completions.d/{program}.fish", f"lib/sysusers.d/{program}.conf"}


class Install(rig.RigTest):
    def test_cmake_installs_everything_below_its_prefix(self):
        prefix = self.path("prefix")
        call("cmake", "--install", os.path.join(rig.BIN, ".."), "--prefix", prefix)
        installed = files(prefix)
        for expected in (documents("netfleet"), documents("netfleet-worker"), {
                "lib/systemd/system/netfleet-worker.service", "etc/netfleet-worker/worker.conf",
                "lib/systemd/system/netfleet-sweep@.service", "share/doc/netfleet/LICENSE",
                "lib/systemd/system/netfleet.service", "etc/netfleet/serve.conf",
                "share/doc/netfleet/examples/nightly.yaml",
                "lib/systemd/system/netfleet-sweep@.timer", "share/doc/netfleet/README.md",
                "share/doc/netfleet/examples/nightly.conf", "share/doc/netfleet-worker/LICENSE"}):
            self.assertLessEqual(expected, installed)
        self.assertNotIn("bin/devsim", installed)
        for name in installed:
            self.assertNotRegex(rig.read(os.path.join(prefix, name)), rb"@[A-Z]+DIR@", name)
        unit = rig.read(f"{prefix}/lib/systemd/system/netfleet-worker.service").decode()
        self.assertIn(f"ExecStart={prefix}/bin/netfleet-worker ", unit)
        self.assertIn(f"EnvironmentFile={prefix}/etc/netfleet-worker/worker.conf\n", unit)
        ran = self.finish([f"{prefix}/bin/netfleet", "--version"])
        self.assertEqual(ran.status, 0, str(ran))
        # What asks a service is a program of its own, found from the first one.
        ask = [f"{prefix}/bin/netfleet", "status", "--server", "http://127.0.0.1:1"]
        ran = self.finish(ask)
        self.assertEqual((ran.status, "connection refused" in ran.err), (3, True), str(ran))
        os.unlink(f"{prefix}/libexec/netfleet/netfleet")
        ran = self.finish(ask)
        self.assertEqual((ran.status, ran.err), (
            3, f"netfleet: start {prefix}/libexec/netfleet/netfleet: No such file or directory\n"))


class Packages(rig.RigTest):
    def setUp(self):
        super().setUp()
        self.root = containers.Root(installed)
        self.addCleanup(self.root.unmount)

    def inside(self, *command, user="root", env=None):
        """A command in the copy of the machine, to its end."""
        ran = self.finish(self.root.argv(user, "/", command), env=env)
        self.assertEqual(ran.status, 0, str(ran))
        return ran

    def owner(self, path):
        status = os.stat(self.root.path + path)
        users = dict(line.split(":")[2::-2] for line in rig.read(
            f"{self.root.path}/etc/passwd").decode().splitlines())
        return users[str(status.st_uid)], oct(status.st_mode & 0o7777)

    def test_each_file_is_in_one_package(self):
        contents = {}
        for name, path in debs.items():
            call("dpkg-deb", "--extract", path, self.path(name))
            contents[name] = files(self.path(name))
        self.assertEqual(set(contents), {"netfleet", "netfleet-worker", "netfleet-devsim"})
        self.assertEqual(sum(map(len, contents.values())), len(set().union(*contents.values())))
        for name in ("netfleet", "netfleet-worker"):
            expected = {f"usr/{path}{'.gz' if '/man/' in path else ''}" for path in documents(name)}
            self.assertLessEqual(expected, contents[name])
        for name, found in contents.items():
            for document in ("copyright", "changelog.Debian.gz"):
                self.assertIn(f"usr/share/doc/{name}/{document}", found)
            needed = call("dpkg-deb", "--field", debs[name], "Depends").decode()
            self.assertRegex(needed, r"libssh-4 \(>= 0\.")
            self.assertEqual("libzmq5" in needed, name != "netfleet-devsim")

    def test_who_may_read_what(self):
        self.assertEqual(self.owner("/etc/netfleet-worker"), ("root", "0o750"))
        self.assertEqual(self.owner("/etc/netfleet-worker/keys"), ("netfleet-worker", "0o700"))
        self.assertEqual(self.owner("/etc/netfleet"), ("root", "0o750"))
        self.assertEqual(self.owner("/etc/netfleet/keys"), ("netfleet", "0o700"))
        self.assertEqual(self.owner("/etc/netfleet/jobs"), ("root", "0o750"))
        for user in pwd.getpwall():
            self.assertNotIn(user.pw_name, ("netfleet", "netfleet-worker"), "on this machine")

    def command_of(self, unit, **environment):
        """What systemd would start, with these in the unit's EnvironmentFile."""
        text = rig.read(f"{self.root.path}/usr/lib/systemd/system/{unit}").decode()
        command = re.search(r"(?m)^ExecStart=(.*)", text).group(1)
        for name, value in environment.items():
            command = command.replace("${%s}" % name, shlex.quote(value)).replace(f"${name}", value)
        return shlex.split(command)

    def test_installed_programs_do_a_sweep(self):
        """A sweep as its unit does it, by workers as theirs."""
        state = f"{self.root.path}/var/lib/netfleet"
        self.inside("install", "-d", "-o", "netfleet", "/var/lib/netfleet")
        self.inside("install", "-d", "-o", "netfleet-worker", "/var/lib/netfleet-worker")
        simulator = self.start(*self.root.argv("netfleet", "/", [
            "devsim", "--listen", "127.0.0.1:0", "--count", "20", "--write-inventory",
            "/var/lib/netfleet/devices.txt"]))
        simulator.wait_for("ready 20 devices")
        with open(f"{state}/password", "w", encoding="utf-8") as file:
            file.write(f"{rig.PASSWORD}\n")
        endpoint = f"tcp://127.0.0.1:{rig.free_port(3)}"
        worker = self.start(*self.root.argv("netfleet-worker", "/var/lib/netfleet-worker",
                            self.command_of("netfleet-worker.service", DISPATCHER=endpoint,
                                            OPTIONS="--sessions 5")),
                            env={**self.env, "XDG_STATE_HOME": "/var/lib/netfleet-worker"})
        options = ("-i devices.txt -u admin -c 'show version' -o jsonl --listen " + endpoint +
                   " --password-file password")
        ran = self.finish(
            self.root.argv("netfleet", "/var/lib/netfleet",
                           self.command_of("netfleet-sweep@.service", OPTIONS=options)),
            env={"XDG_STATE_HOME": "/var/lib"})
        self.assertEqual(ran.status, 0, str(ran))
        self.assertEqual(ran.outcomes(), {"ok": 20})
        self.assert_order(ran, f"{state}/devices.txt")
        again = self.inside("netfleet", "results", "last", "-o", "jsonl", user="netfleet",
                            env={"XDG_STATE_HOME": "/var/lib"})
        self.assertEqual(again.out, ran.out)
        worker.stop()
        self.assertEqual(worker.popen.returncode, 0, worker.text())

    def test_installed_service(self):
        """As its unit has it: ready, asked, reloaded, stopped. Its job is the example."""
        etc = f"{self.root.path}/etc/netfleet"
        self.inside("install", "-d", "-o", "netfleet", "/var/lib/netfleet")
        simulator = self.start(*self.root.argv("netfleet", "/", [
            "devsim", "--listen", "127.0.0.1:0", "--count", "3", "--write-inventory",
            "/var/lib/netfleet/devices.txt"]))
        simulator.wait_for("ready 3 devices")
        devices = [line.split()[0] for line in rig.read(
            f"{self.root.path}/var/lib/netfleet/devices.txt").decode().splitlines()]
        with open(f"{etc}/devices.yaml", "w", encoding="utf-8") as file:
            file.write("hosts:\n")
            file.writelines([f"  sim-{number}: {{hostname: {address}, port: {port}}}\n"
                             for number, (address, _, port) in enumerate(
                                 (device.rpartition(":") for device in devices), 1)])
        with open(f"{etc}/password", "w", encoding="utf-8") as file:
            file.write(f"{rig.PASSWORD}\n")
        self.inside("install", "-m", "640", "-g", "netfleet",
                    "/usr/share/doc/netfleet/examples/nightly.yaml", "/etc/netfleet/jobs")
        options = re.search(r"(?m)^OPTIONS=(.*)", rig.read(f"{etc}/serve.conf").decode()).group(1)
        command = self.command_of("netfleet.service", OPTIONS=options)
        env = {**self.env, "XDG_STATE_HOME": "/var/lib", "HOME": "/var/lib/netfleet"}
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            address = f"\0netfleet-{os.getpid()}"
            manager.bind(address)
            manager.settimeout(rig.DEADLINE)
            service = self.start(*self.root.argv("netfleet", "/var/lib/netfleet", command),
                                 env={**env, "NOTIFY_SOCKET": address.replace("\0", "@")})
            self.assertIn(b"READY=1", manager.recv(4096))
            ran = self.inside("netfleet", "submit", "nightly", "--watch", user="netfleet", env=env)
            self.assertIn("3 hosts: 3 ok", ran.err)
            self.assertEqual(sorted(files(f"{self.root.path}/var/lib/netfleet/backup")
                                    & {f"sim-{n}.txt" for n in (1, 2, 3)}),
                             ["sim-1.txt", "sim-2.txt", "sim-3.txt"])
            service.send_signal(signal.SIGHUP)
            self.assertIn(b"RELOADING=1", manager.recv(4096))
            self.assertIn(b"READY=1", manager.recv(4096))
            service.stop()
            self.assertIn(b"STOPPING=1", manager.recv(4096))
        self.assertEqual(service.popen.returncode, 0, service.text())

    def test_units(self):
        said = self.inside("systemd-analyze", "verify", "--man=no", *UNITS)
        self.assertEqual(said.out.decode() + said.err, "")
        for unit in SERVICES:
            self.inside("systemd-analyze", "security", "--offline=yes", f"--threshold={EXPOSURE}",
                        f"/usr/lib/systemd/system/{unit.replace('nightly', '')}")

    def test_upgrade_remove_and_purge(self):
        confs = [f"{self.root.path}/etc/{path}"
                 for path in ("netfleet-worker/worker.conf", "netfleet/serve.conf")]
        for conf in confs:
            with open(conf, "a", encoding="utf-8") as file:
                file.write("# mine\n")
        with open(f"{self.root.path}/etc/netfleet/devices.yaml", "w", encoding="utf-8") as file:
            file.write("hosts: {}\n")
        self.inside("sh", "-c", INSTALL)
        for conf in confs:
            self.assertTrue(rig.read(conf).endswith(b"# mine\n"))
        self.inside("dpkg", "--remove", *debs)
        self.assertFalse(os.path.exists(f"{self.root.path}/usr/bin/netfleet-worker"))
        for conf in confs:
            self.assertTrue(os.path.exists(conf))
        self.inside("dpkg", "--purge", *debs)
        for gone in ("etc/netfleet-worker", "etc/netfleet/keys", "etc/netfleet/jobs",
                     "etc/netfleet/serve.conf", "var/lib/netfleet"):
            self.assertFalse(os.path.exists(f"{self.root.path}/{gone}"), gone)
        self.assertTrue(os.path.exists(f"{self.root.path}/etc/netfleet/devices.yaml"))


if __name__ == "__main__":
    unittest.main()

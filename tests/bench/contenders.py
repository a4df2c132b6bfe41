"""Who is measured: how each tool is told to run `show version` on many hosts, and where its outputs
are. All log in with the password, with as many sessions at once as they are told."""

import dataclasses
import io
import json
import os
import pathlib
import re
import shutil

import tree

PEERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers")
PYTHON = "/usr/bin/python3"
SSH = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o",
       "LogLevel=ERROR", "-o", "BatchMode=no"]
SERIAL = re.compile(r"\bFOC\d{5}X0Y\b")
LINE = re.compile(r"(?m)^([\w.]+): ?(.*)$")


def check(contender, target, count, outputs):
    """Wrong unless the outputs, (host, text) each, are of exactly the first `count` hosts, and each
    holds what its host printed."""
    left = set(target.hosts[:count])
    for host, text in outputs:
        if host not in left:
            raise tree.Wrong(f"{contender}: {host} was not asked, or not twice")
        left.remove(host)
        if lines(target.expected(host)) not in lines(text):
            raise tree.Wrong(f"{contender}: {host}: not what the device printed: {text[:300]!r}")
    if left:
        raise tree.Wrong(f"{contender}: nothing of {len(left)} of {count} hosts: "
                         f"{', '.join(sorted(left)[:5])}")


def lines(text):
    """The text as the check compares it: without blanks at line ends, with one serial number."""
    stripped = "\n".join(line.rstrip() for line in text.strip("\r\n").splitlines())
    return "\n" + SERIAL.sub("FOC", stripped) + "\n"


def by_prefix(text):
    """Outputs from lines that begin with "host: "."""
    found = {}
    for host, line in LINE.findall(text.decode()):
        found.setdefault(host, []).append(line)
    for host, those in found.items():
        yield host, "\n".join(those)


def by_file(directory):
    for path in pathlib.Path(directory).iterdir():
        yield path.name, path.read_text()


def json_lines(text):
    return map(json.loads, io.BytesIO(text))


@dataclasses.dataclass
class Job:
    """One run of a contender on the first `count` hosts of a target."""
    bench: object
    target: object
    count: int
    at_once: int

    @property
    def inventory(self):
        return self.target.inventory(self.count)

    @property
    def outputs(self):
        """An empty directory."""
        path = pathlib.Path(self.target.place.name, "outputs")
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        return path

    def hosts(self):
        return self.target.file("hosts", "\n".join(self.target.hosts[:self.count]) + "\n")

    def environment(self):
        """Passwords for the tools that take them from the environment, or from ssh's askpass."""
        target = self.target
        askpass = target.file("askpass", '#!/bin/sh\necho "$BENCH_PASSWORD"\n')
        os.chmod(askpass, 0o755)
        return {"BENCH_USER": target.user, "BENCH_PASSWORD": target.password,
                "FLOOR_USER": target.user, "FLOOR_PASSWORD": target.password,
                "SSH_ASKPASS": askpass, "SSH_ASKPASS_REQUIRE": "force", "SSH_AUTH_SOCK": "",
                "HOME": target.place.name, "PYTHONWARNINGS": "ignore", "LC_ALL": "C.UTF-8"}


class Contender:
    """name: as tables have it; session: shell or exec; package: Debian's; share: the part of a
    part's tasks that it is given, because it is slow."""

    session = "exec"
    share = 1.0
    stdin = b""

    def command(self, job):
        raise NotImplementedError

    def outputs(self, job, finished):
        raise NotImplementedError

    def environment(self, job):
        return job.environment()

    def begin(self, job):
        return tree.Running(self.command(job), env=self.environment(job),
                            stdin=job.target.password.encode() + b"\n")

    def end(self, job, running):
        finished = running.finish()
        check(self.name, job.target, job.count, self.outputs(job, finished))
        return finished

    def run(self, job):
        with self.begin(job) as running:
            return self.end(job, running)


class Netfleet(Contender):
    name, package, session = "netfleet", "netfleet", "shell"

    def __init__(self, *options, command="show version", output="jsonl"):
        self.options = options or ("--store", "none")
        self.asked, self.format = command, output

    def command(self, job):
        return [f"{job.bench.bin}/netfleet", "run", "-i", job.inventory, "-u", job.target.user,
                "--password-env", "BENCH_PASSWORD", "-c", self.asked, "-s", job.at_once,
                "--progress", "off", "-o", self.format, "--known-hosts",
                f"{job.target.place.name}/known_hosts", "--ssh-config", "none", "--no-agent",
                "--connect-timeout", "60s", "--auth-timeout", "60s", "--command-timeout", "300s",
                *self.options]

    def outputs(self, job, finished):
        return ((row["host"].rsplit(":", 1)[0], row["commands"][0]["output"])
                for row in json_lines(finished.stdout))


class Floor(Contender):
    """Prints no outputs: it looks into each by itself."""
    name, package, session = "floor", "-", "shell"

    def command(self, job):
        return [f"{job.bench.bin}/floor", job.inventory, job.at_once]

    def end(self, job, running):
        finished = running.finish()
        if f"ok={job.count} failed=0 " not in finished.stdout.decode():
            raise tree.Wrong(f"floor: {finished.stdout}")
        return finished


class Script(Contender):
    session = "shell"

    def __init__(self, name, package, script):
        self.name, self.package, self.script = name, package, script

    def command(self, job):
        return [PYTHON, f"{PEERS}/{self.script}", job.inventory, job.at_once]

    def outputs(self, job, finished):
        return ((row["host"], row["output"]) for row in json_lines(finished.stdout))


class Xargs(Contender):
    name, package = "xargs -P ssh", "openssh-client"

    def command(self, job):
        self.directory = job.outputs
        ssh = " ".join(["ssh", *SSH, "-p", str(job.target.port), "-l", job.target.user])
        return ["xargs", "-a", job.hosts(), "-P", job.at_once, "-I", "{}", "sh", "-c",
                f"{ssh} {{}} 'show version' </dev/null >{self.directory}/{{}}"]

    def outputs(self, job, finished):
        return by_file(self.directory)


class Pssh(Contender):
    name, package = "pssh", "pssh"

    def command(self, job):
        self.directory = job.outputs
        options = [word for option in SSH[1::2] for word in ("-O", option)]
        return ["parallel-ssh", "-h", job.hosts(), "-l", job.target.user, "-p", job.at_once, "-A",
                "-t", "0", *options, "-O", f"Port={job.target.port}", "-o", self.directory,
                "show version"]

    def outputs(self, job, finished):
        return by_file(self.directory)


class Pdsh(Contender):
    name, package = "pdsh", "pdsh"

    def command(self, job):
        return ["pdsh", "-R", "ssh", "-l", job.target.user, "-w", f"^{job.hosts()}", "-f",
                job.at_once, "show version"]

    def environment(self, job):
        return {**job.environment(),
                "PDSH_SSH_ARGS_APPEND": " ".join([*SSH, "-p", str(job.target.port)])}

    def outputs(self, job, finished):
        return by_prefix(finished.stdout)


class Clush(Contender):
    name, package = "clush", "clustershell"

    def command(self, job):
        return ["clush", "-l", job.target.user, "-f", job.at_once, "-o",
                " ".join([*SSH, "-p", str(job.target.port)]), "--hostfile", job.hosts(),
                "show version"]

    def outputs(self, job, finished):
        return by_prefix(finished.stdout)


class Ansible(Contender):
    def __init__(self, name, package, playbook, session, share):
        self.name, self.package, self.session = name, package, session
        self.playbook, self.share = playbook, share

    def command(self, job):
        target = job.target
        inventory = target.file("ansible.ini", "\n".join([
            "[all:vars]", f"ansible_port={target.port}", f"ansible_user={target.user}",
            f"ansible_password={target.password}", "ansible_network_os=cisco.ios.ios",
            f"ansible_ssh_common_args='{' '.join(SSH)}'", "[all]", *target.hosts[:job.count], ""]))
        return ["ansible-playbook", "-i", inventory, "-f", job.at_once, f"{PEERS}/{self.playbook}"]

    def environment(self, job):
        environment = job.environment()
        del environment["SSH_ASKPASS_REQUIRE"]  # it has sshpass
        return {**environment, "ANSIBLE_STDOUT_CALLBACK": "json",
                "ANSIBLE_HOST_KEY_CHECKING": "False"}

    def outputs(self, job, finished):
        results = json.loads(finished.stdout)["plays"][0]["tasks"][0]["hosts"]
        return ((host, result["stdout"] if self.session == "exec" else result["stdout"][0])
                for host, result in results.items())


def everybody():
    return [Netfleet(), Floor(),
            Script("paramiko, threads", "python3-paramiko", "paramiko_threads.py"),
            Script("asyncssh", "python3-asyncssh", "asyncssh_tasks.py"),
            Script("Netmiko, threads", "python3-netmiko", "netmiko_threads.py"),
            Xargs(), Pssh(), Pdsh(), Clush(),
            Ansible("Ansible raw", "ansible-core", "ansible_raw.yml", "exec", 0.2),
            Ansible("Ansible network_cli", "ansible", "ansible_network_cli.yml", "shell", 0.04)]


def named(*names):
    return [one for one in everybody() if one.name in names]

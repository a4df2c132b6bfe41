#!/usr/bin/python3
"""G11 of the goals: what 1,000 devices behind one OpenSSH jump host with its default limits cost a
worker, beside the same devices reached directly, alternately.

usage: jump.py [--bin build/release/bin] [--rounds 5] [--devices 1000] [--at-once 500]

Needs /usr/sbin/sshd. CPU is user + system time of the worker's process (one session thread); the
jump host's own is shown apart.
"""

import argparse
import getpass
import os
import re
import socket
import statistics
import subprocess
import tempfile

from measure import Simulator

SETTINGS = """ListenAddress 127.0.0.1
Port {port}
HostKey {directory}/host
AuthorizedKeysFile {directory}/key.pub
PidFile none
UsePAM no
StrictModes no
UseDNS no
MaxStartups 10:30:100
MaxSessions 10
"""


class JumpHost:
    """A real sshd on loopback that takes the key `key`; a context manager."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.key = f"{self.directory.name}/key"
        for name in ("host", "key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                            f"{self.directory.name}/{name}"], check=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        config = f"{self.directory.name}/sshd_config"
        with open(config, "w", encoding="ascii") as file:
            file.write(SETTINGS.format(port=self.port, directory=self.directory.name))
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        self.process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", config],
                                        stderr=subprocess.PIPE, text=True)
        while "Server listening" not in (line := self.process.stderr.readline()):
            if not line:
                raise SystemExit("sshd does not start")

    def __enter__(self):
        return self

    def cpu(self):
        """Of the server and of the connections that have ended, in s."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        self.process.stderr.close()
        self.directory.cleanup()


def run(args, inventory, *way):
    output = subprocess.run([f"{args.bin}/jump_bench", inventory, str(args.at_once), *way],
                            stdout=subprocess.PIPE, text=True, check=False).stdout
    found = re.match(r"failures (\d+) wall ([\d.]+) cpu ([\d.]+) rss ([\d.]+)", output)
    if not found:
        raise SystemExit(f"jump_bench: {output!r}")
    return tuple(map(float, found.groups()))


def show(name, rows, devices):
    failures, wall, cpu, rss = zip(*rows)
    print(f"{name:12} failures {sum(failures):.0f}  wall {statistics.median(wall):.2f} s  "
          f"CPU {statistics.median(cpu) / devices * 1e3:.2f} ms a device "
          f"({min(cpu) / devices * 1e3:.2f}-{max(cpu) / devices * 1e3:.2f})  "
          f"{statistics.median(rss):.0f} MB", flush=True)
    return statistics.median(cpu)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default="build/release/bin")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=500)
    args = parser.parse_args()
    with Simulator(f"{args.bin}/devsim", args.devices) as inventory, JumpHost() as jump:
        way = (str(jump.port), getpass.getuser(), jump.key)
        rows = {"direct": [], "one hop": [], "two hops": []}
        for _ in range(args.rounds):
            rows["direct"].append(run(args, inventory))
            rows["one hop"].append(run(args, inventory, *way))
            rows["two hops"].append(run(args, inventory, *way, "2"))
        cpu = {name: show(name, found, args.devices) for name, found in rows.items()}
        for name in ("one hop", "two hops"):
            print(f"{name}: {cpu[name] / cpu['direct']:.2f} x direct (must 2.0, stretch 1.5)")
        print(f"the jump host's own CPU: {jump.cpu() / args.rounds:.2f} s a round")


if __name__ == "__main__":
    main()

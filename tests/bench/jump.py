"""G11: what devices behind one OpenSSH jump host with its default limits cost a worker, beside the
same devices reached directly. CPU is that of the worker's process (one session thread, jump_bench);
the jump host's own is shown apart."""

import getpass
import os
import re
import subprocess
import tempfile

import tree
from targets import Devices, cpu_of, free_port, start

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
        self.port = free_port()
        config = f"{self.directory.name}/sshd_config"
        with open(config, "w", encoding="ascii") as file:
            file.write(SETTINGS.format(port=self.port, directory=self.directory.name))
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        self.process = start(["/usr/sbin/sshd", "-D", "-e", "-f", config], "Server listening")

    def __enter__(self):
        return self

    def cpu(self):
        """Of the server and of the connections that have ended, in s."""
        return cpu_of(self.process.pid)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate(timeout=30)
        self.directory.cleanup()


def jump(bench):
    count = bench.pick(1000, 500, 20)
    with Devices(bench, count) as target, JumpHost() as host:
        inventory = target.inventory(count)
        way = (str(host.port), getpass.getuser(), host.key)

        def figures(*words):
            before = host.cpu()
            finished = tree.run([f"{bench.bin}/jump_bench", inventory, min(500, count), *words],
                                statuses=(0, 1))
            found = re.match(rb"failures (\d+) wall ([\d.]+) cpu ([\d.]+) rss ([\d.]+)",
                             finished.stdout)
            if not found:
                raise tree.Wrong(f"jump_bench: {finished.stdout!r}")
            failures, wall, cpu, rss = map(float, found.groups())
            return {"tasks": count, "failures": failures, "wall": wall, "cpu": cpu, "rss": rss,
                    "hop_cpu": host.cpu() - before}

        return bench.alternate([("jump", "direct", count, figures),
                                ("jump", "one hop", count, lambda: figures(*way)),
                                ("jump", "two hops", count, lambda: figures(*way, "2"))])

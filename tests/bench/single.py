"""The parts with one device, or none: one large output, and what starting costs."""

import pathlib
import tempfile

import tree
from contenders import SSH, Contender, Job, Netfleet, named
from targets import Devices, device_output


class Ssh(Contender):
    """OpenSSH's client, its output straight into a file."""

    name = "ssh"

    def __init__(self, command):
        self.asked = command

    def command(self, job):
        return ["ssh", *SSH, "-p", job.target.port, "-l", job.target.user, job.target.hosts[0],
                self.asked]


def large(bench):
    """G6: CPU a MB of one large output, printed and kept, or in a file."""
    size = bench.pick(100, 20, 2)
    command = f"show tech {size * 1_000_000 // 1024}"
    with Devices(bench, 1) as target, tempfile.TemporaryDirectory() as place:
        job = Job(bench, target, 1, 1)
        wanted = device_output(target.binary, "d0-1", command).encode()

        def figures(contender, files):
            with tree.Running(contender.command(job), env=job.environment(),
                              output=f"{place}/output") as running:
                finished = running.finish()
            came = [path for path in pathlib.Path(place).glob(files) if path.is_file()]
            if not any(wanted in path.read_bytes().replace(b"\r\n", b"\n") for path in came):
                raise tree.Wrong(f"{contender.name}: the large output is not in {files}")
            for path in pathlib.Path(place).rglob("*"):
                if path.is_file():
                    path.unlink()
            return {"megabytes": size, "cpu": finished.cpu, "wall": finished.wall,
                    "rss": finished.rss}

        options = {"command": command, "output": "text"}
        kept = Netfleet("--store", f"{place}/store.db", "--max-output", "1G", **options)
        filed = Netfleet("--store", "none", "--max-output", "1G", "--output-dir", f"{place}/files",
                         **{**options, "output": "summary"})
        ways = (("kept and printed", kept, "output"), ("to a file", filed, "files/*"),
                ("ssh to a file", Ssh(command), "output"))
        return bench.alternate([("large", name, size, lambda one=one, files=files:
                                 figures(one, files)) for name, one, files in ways])


AGAIN = 'for _ in $(seq "$0"); do "$@" || exit; done'  # by a shell


def start(bench):
    """G13: `netfleet --help`, many times in a row, so that its libraries and the processor's caches
    are as they are for those who use it, not as a Python interpreter has left them; and `run` of
    one device without delays."""
    times = bench.pick(100, 50, 2)

    def average(function):
        runs = [function() for _ in range(bench.pick(20, 20, 2))]
        return {"cpu": sum(run.cpu for run in runs) / len(runs),
                "wall": sorted(run.wall for run in runs)[len(runs) // 2]}

    with Devices(bench, 1) as target:
        job = Job(bench, target, 1, 1)
        def shown():
            whole = tree.run(["sh", "-c", AGAIN, str(times), f"{bench.bin}/netfleet", "--help"])
            return {"cpu": whole.cpu / times, "wall": whole.wall / times}

        lines = [("start", "netfleet --help", 1, shown),
                 *(("start", f"{one.name}, one device", 1,
                    lambda one=one: average(lambda: one.run(job)))
                   for one in named("netfleet", "floor"))]
        return bench.alternate(lines)

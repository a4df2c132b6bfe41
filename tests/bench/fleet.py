"""What the fleet itself costs: `netfleet run --listen` with worker processes whose devices answer
at once (noop_worker). G7 to G10 and G12, and how it grows with hosts and workers."""

import contextlib
import os
import re
import socket
import subprocess
import tempfile

import tree
from targets import free_port, wait_until


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def inventory(directory, count):
    path = os.path.join(directory, f"{count}.txt")
    if not os.path.exists(path):
        with open(path, "w", encoding="ascii") as file:
            for i in range(count):
                file.write(f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255} linux\n")
    return path


class Fleet:
    """Sweeps in one directory, which has their store and inventories."""

    def __init__(self, bench, directory):
        self.bench, self.directory = bench, directory
        self.stored = ("--store", os.path.join(directory, "store.db"))
        self.file = os.path.join(directory, "out.jsonl")

    def sweep(self, hosts, workers, *options, output=os.devnull):
        """The figures of one sweep over `hosts` hosts: wall and swept (without loading and output's
        end) in s, dispatcher_cpu and workers_cpu in s, rss of the dispatcher in MB; p50 and p99, us
        from one start to the next, of a closed worker."""
        for name in os.listdir(self.directory):
            if name.startswith("store.db"):
                os.unlink(os.path.join(self.directory, name))
        source = inventory(self.directory, hosts)
        port = free_port(8)
        with tree.Running(
                [f"{self.bench.bin}/netfleet", "run", "-i", source, "-u", "admin",
                 "--password-env", "BENCH_PASSWORD", "-c", "show version", "-o", "jsonl",
                 "--progress", "off", "--on-auth-failure", "continue", "--listen",
                 f"tcp://127.0.0.1:{port}", "--min-workers", str(len(workers)), *options],
                env={"BENCH_PASSWORD": "admin"}, output=output) as dispatcher:
            wait_until(lambda: listens(port) or dispatcher.ended(), "netfleet listens")
            running = [subprocess.Popen([f"{self.bench.bin}/noop_worker", f"tcp://127.0.0.1:{port}",
                                         f"w{number}", *worker.split()], stdout=subprocess.PIPE)
                       for number, worker in enumerate(workers)]
            finished = dispatcher.finish(statuses=(0, 1))
            printed = b"".join(worker.stdout.read() for worker in running).decode()
            workers_cpu = sum(map(self.cpu, running))
        figures = {"hosts": hosts, "wall": finished.wall,
                   "swept": self.swept(finished.stderr.decode(), hosts, printed),
                   "dispatcher_cpu": finished.cpu, "workers_cpu": workers_cpu,
                   "rss": finished.rss}
        figures |= {name: float(value) for name, value in
                    re.findall(r"(p50|p99)_us=([\d.]+)", printed)}
        if output == self.file:
            self.check_file(hosts)
        return figures

    @staticmethod
    def swept(report, hosts, printed):
        """From the summary, which must say that every host ended well (or, in a closed loop, was
        refused)."""
        outcome = "auth-failed|auth_failed" if "p50" in printed else "ok"
        found = re.search(rf"^(\d+) hosts: (\d+) (?:{outcome})\b.* in ([\d.]+) s$", report, re.M)
        if not found or int(found.group(1)) != hosts or int(found.group(2)) != hosts:
            raise tree.Wrong(f"netfleet: not all of {hosts} hosts:\n{report[-2000:]}")
        return float(found.group(3))

    def check_file(self, hosts):
        """Every host in its place."""
        count = 0
        with open(self.file, "rb") as file:
            for count, line in enumerate(file, 1):
                i = count - 1
                host = f'"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}"'.encode()
                if host not in line[:200] or b'"ok"' not in line:
                    raise tree.Wrong(f"netfleet: line {count} is not of {host}: {line[:200]}")
        if count != hosts:
            raise tree.Wrong(f"netfleet: {count} lines of {hosts} hosts")

    @staticmethod
    def cpu(worker):
        """Waits for its end; CPU s."""
        _, status, usage = os.wait4(worker.pid, 0)
        worker.returncode = os.waitstatus_to_exitcode(status)
        worker.stdout.close()
        return usage.ru_utime + usage.ru_stime


@contextlib.contextmanager
def fleet_of(bench):
    with tempfile.TemporaryDirectory() as directory:
        yield Fleet(bench, directory)


TWO = ["500", "500"]


def fleet(bench):
    """G7 to G10 and G12."""
    million = bench.pick(1_000_000, 200_000, 2_000)
    closed = bench.pick(5000, 2000, 200)
    slow = ["50 delay_us=10000"] * 3 + ["50 delay_us=100000"]
    tenth = bench.pick(100_000, 30_000, 1_000)

    with fleet_of(bench) as own:
        def split():
            figures = own.sweep(tenth, slow, "--store", "none")
            return figures | {"ideal": tenth / (3 * 50 / 0.01 + 50 / 0.1)}

        series = bench.alternate([
            ("fleet", "store none", million, lambda: own.sweep(million, TWO, "--store", "none")),
            ("fleet", "stored", million, lambda: own.sweep(million, TWO, *own.stored)),
            ("fleet", "to a file", million,
             lambda: own.sweep(million, TWO, *own.stored, output=own.file)),
            ("fleet", "closed", closed, lambda: own.sweep(closed, ["1 closed"], *own.stored)),
            ("fleet", "one slow worker", tenth, split)])
        late = max((run["wall"] for one in series if one["who"] == "to a file"
                    for run in one["runs"]), default=60) + 2

        def first_late():
            figures = own.sweep(million, [f"500 first_ms={late * 1000:.0f}"] * 2, *own.stored,
                                output=own.file)
            return figures | {"after": figures["wall"] - late, "late": late}

        return series + bench.alternate([("fleet", "first host last", million, first_late)])


def growth_fleet(bench):
    """CPU a no-op task against hosts, stored; and rate against workers, not stored."""
    hosts = bench.pick((100, 1_000, 10_000, 100_000, 1_000_000), (100, 1_000, 10_000, 100_000),
                       (100, 1_000))
    workers = bench.pick((1, 2, 4, 8, 16, 32, 64), (1, 4, 16), (1, 2))
    swept = bench.pick(300_000, 100_000, 1_000)
    with fleet_of(bench) as own:
        def several(count):
            again = max(1, min(10, 5000 // count))
            runs = [own.sweep(count, TWO, *own.stored) for _ in range(again)]
            return {name: sum(run[name] for run in runs) / len(runs) for name in runs[0]}

        lines = [("growth no-op", "netfleet", count, lambda count=count: several(count))
                 for count in hosts]
        lines += [("growth workers", "netfleet", count,
                   lambda count=count: own.sweep(swept, [str(max(1, 1024 // count))] * count,
                                                 "--store", "none")) for count in workers]
        return bench.alternate(lines)

"""No-op tasks through 2 workers: netfleet beside the job queues that Debian has. A task goes out,
is run by one worker, and its result comes back to who asked for it."""

import os
import pathlib
import subprocess
import tempfile
import time

import tree
from contenders import PEERS, PYTHON
from fleet import TWO, fleet_of, listens
from targets import cpu_of, free_port, wait_until


class Servers:
    """Processes that are started for a queue, and what they cost; a context manager."""

    def __init__(self):
        self.processes = []
        self.place = tempfile.TemporaryDirectory()
        self.port = free_port()
        self.environment = {**os.environ, "BENCH_REDIS": f"redis://127.0.0.1:{self.port}/0",
                            "PYTHONPATH": PEERS, "PYTHONDONTWRITEBYTECODE": "1"}

    def begin(self, *argv, output=subprocess.DEVNULL):
        self.processes.append(subprocess.Popen(
            list(map(str, argv)), stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.DEVNULL, env=self.environment, cwd=self.place.name))

    def cpu(self):
        pids = {process.pid for process in self.processes}
        for process in self.processes:
            pids |= tree.descendants(process.pid)
        return sum(map(cpu_of, pids))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
            process.communicate(timeout=60)
        self.place.cleanup()


def gearman(bench, servers):
    """gearmand and its own command line tool, as 2 workers that print what they are given, and as
    8 clients that wait for each answer."""
    count, clients = bench.pick(20_000, 4_000, 80), 8
    servers.begin("gearmand", "-L", "127.0.0.1", "-p", servers.port, "--log-file", "stderr")
    wait_until(lambda: listens(servers.port), "gearmand listens")
    printed = [open(f"{servers.place.name}/printed-{number}", "w+b") for number in range(2)]
    tool = ["gearman", "-h", "127.0.0.1", "-p", servers.port, "-f", "noop"]
    for file in printed:
        servers.begin(*tool, "-w", output=file)

    def ask(clients, count):
        """Seconds and CPU s of the clients and the servers, with `count` tasks for each client."""
        asked = [[b"%d.%d" % (number, task) for task in range(count)] for number in range(clients)]
        for file in printed:
            file.seek(0)
            file.truncate()
        before, begun = servers.cpu(), time.monotonic()
        running = [tree.Running([*tool, "-n"], stdin=b"\n".join(those) + b"\n") for those in asked]
        cpu = sum(one.finish().cpu for one in running)
        seconds = time.monotonic() - begun
        done = []
        for file in printed:
            file.seek(0)
            done += file.read().replace(b"\0", b"").split()
        if sorted(done) != sorted(sum(asked, [])):
            raise tree.Wrong(f"gearman: {len(done)} tasks were run of {clients * count}")
        return {"tasks": clients * count, "seconds": seconds, "cpu": cpu + servers.cpu() - before}

    return [("queues", "gearmand", 2, lambda: ask(clients, count // clients)),
            ("one task", "gearmand", 2, lambda: ask(1, count // 10))]


def celery(bench, servers):
    """Celery with 2 worker processes, its broker and results in Redis."""
    count, log = bench.pick(5_000, 1_000, 50), f"{servers.place.name}/log"
    servers.begin("redis-server", "--port", servers.port, "--bind", "127.0.0.1", "--save", "",
                  "--appendonly", "no")
    wait_until(lambda: listens(servers.port), "redis listens")
    servers.begin(PYTHON, "-m", "celery", "-A", "celery_noop", "worker", "-c", "2", "--loglevel",
                  "INFO", "--without-gossip", "--without-mingle", "--logfile", log)
    wait_until(lambda: os.path.exists(log) and " ready." in pathlib.Path(log).read_text(),
               "celery's worker")

    def ask(number, *how):
        before = servers.cpu()
        finished = tree.run([PYTHON, f"{PEERS}/celery_noop.py", number, *how],
                            env=servers.environment)
        return {"tasks": number, "seconds": float(finished.stdout),
                "cpu": finished.cpu + servers.cpu() - before}

    return [("queues", "Celery, Redis", 2, lambda: ask(count)),
            ("one task", "Celery, Redis", 2, lambda: ask(count // 10, "one"))]


def queues(bench):
    """G7 and G8 beside the job queues that Debian has."""
    count, closed = bench.pick(300_000, 100_000, 1_000), bench.pick(5_000, 2_000, 200)
    with fleet_of(bench) as own, Servers() as gearmand, Servers() as redis:
        def many():
            run = own.sweep(count, TWO, *own.stored)
            return {"tasks": count, "seconds": run["swept"] or run["wall"],
                    "cpu": run["dispatcher_cpu"] + run["workers_cpu"]}

        def one():
            run = own.sweep(closed, ["1 closed"], *own.stored)
            return {"tasks": closed, "seconds": run["p50"] * closed / 1e6}

        return bench.alternate([("queues", "netfleet, stored", 2, many),
                                ("one task", "netfleet, stored", 2, one),
                                *gearman(bench, gearmand), *celery(bench, redis)])

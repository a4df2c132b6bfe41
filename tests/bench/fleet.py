"""What the fleet itself costs, for measure.py: `netfleet run --listen` with worker processes whose
devices answer at once (noop_worker). G7 to G10 and G12 of the goals."""

import os
import re
import socket
import statistics
import subprocess
import tempfile
import time


def free_port(room):
    """The first of `room` neighbouring ports that nobody uses now."""
    for port in range(20000, 32000, room):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise SystemExit("no free port")


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Sweep:
    """One finished sweep: wall and swept (without loading and output's end) in s; dispatcher_cpu,
    workers_cpu in s; rss in MB; cycles: what a closed worker printed."""

    def __init__(self, args, inventory, workers, *options, output=os.devnull):
        port = free_port(8)
        start = time.monotonic()
        with open(output, "wb") as out, tempfile.TemporaryFile() as errors:
            dispatcher = subprocess.Popen(
                [f"{args.bin}/netfleet", "run", "-i", inventory, "-u", "admin", "--password-env",
                 "BENCH_PASSWORD", "-c", "show version", "-o", "jsonl", "--progress", "off",
                 "--on-auth-failure", "continue", "--listen", f"tcp://127.0.0.1:{port}",
                 "--min-workers", str(len(workers)), *options],
                stdout=out, stderr=errors, env={**os.environ, "BENCH_PASSWORD": "admin"})
            self.wait_for(dispatcher, port, errors)
            running = [subprocess.Popen([f"{args.bin}/noop_worker", f"tcp://127.0.0.1:{port}",
                                         f"w{number}", *worker.split()], stdout=subprocess.PIPE)
                       for number, worker in enumerate(workers)]
            usage = self.ended(dispatcher)
            self.wall = time.monotonic() - start
            self.cycles = b"".join(worker.stdout.read() for worker in running).decode()
            self.workers_cpu = sum(map(self.cpu, map(self.ended, running)))
            errors.seek(0)
            report = errors.read().decode()
        self.dispatcher_cpu = self.cpu(usage)
        self.rss = usage.ru_maxrss / 1024
        swept = re.search(r"^(\d+) hosts: .* in ([\d.]+) s$", report, re.M)
        if not swept or dispatcher.returncode > 1:
            raise SystemExit(f"netfleet: exit {dispatcher.returncode}\n{report[-2000:]}")
        self.hosts, self.swept = int(swept.group(1)), float(swept.group(2))

    @staticmethod
    def wait_for(dispatcher, port, errors):
        while not listens(port):
            try:
                dispatcher.wait(0.005)
            except subprocess.TimeoutExpired:
                continue
            errors.seek(0)
            raise SystemExit(f"netfleet ended early\n{errors.read().decode()[-2000:]}")

    @staticmethod
    def ended(process):
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return usage

    @staticmethod
    def cpu(usage):
        return usage.ru_utime + usage.ru_stime

    def rate(self):
        return self.hosts / self.swept / 1e3

    def cost(self):
        return (self.dispatcher_cpu + self.workers_cpu) / self.hosts * 1e6

    def cycle(self, name):
        return float(re.search(name + r"_us=([\d.]+)", self.cycles).group(1))


def inventory(directory, count):
    path = os.path.join(directory, f"{count}.txt")
    with open(path, "w", encoding="ascii") as file:
        for i in range(count):
            file.write(f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255} linux\n")
    return path


def row(name, sweeps, figure, goal, form="{:.1f}"):
    values = sorted(map(figure, sweeps))
    text = [form.format(value) for value in (statistics.median(values), values[0], values[-1])]
    return name, f"{text[0]} ({text[1]}-{text[2]})", goal


def measure(args):
    """The table's rows: measure, netfleet, goal."""
    with tempfile.TemporaryDirectory() as directory:
        store = ("--store", os.path.join(directory, "store.db"))
        many, few = inventory(directory, args.hosts), inventory(directory, 5000)
        third = inventory(directory, args.hosts * 3 // 10)
        tenth = inventory(directory, args.hosts // 10)
        file = os.path.join(directory, "out.jsonl")

        def rounds(*sweep, **options):
            runs = []
            for _ in range(args.rounds):
                for name in os.listdir(directory):
                    if name.startswith("store.db"):
                        os.unlink(os.path.join(directory, name))
                runs.append(Sweep(args, *sweep, **options))
            return runs

        rows = []
        for name, kept in (("store none", ("--store", "none")), ("stored", store)):
            runs = rounds(third, ["500", "500"], *kept)
            rows.append(row(f"G7: thousand no-op tasks/s, 2 workers, {name}", runs, Sweep.rate,
                            "must 150, stretch 1,000"))
            rows.append(row(f"G7: CPU us a task, dispatcher and workers, {name}", runs, Sweep.cost,
                            "-"))
        runs = rounds(few, ["1 closed"], *store)
        rows.append(row("G8: us from one start to the next, one slot, stored and acknowledged: p50",
                        runs, lambda run: run.cycle("p50"), "must 150, stretch 60"))
        rows.append(row("G8: the same, p99", runs, lambda run: run.cycle("p99"),
                        "must 1,000, stretch 200"))
        for name, output in (("/dev/null", os.devnull), ("a file", file)):
            runs = rounds(many, ["500", "500"], *store, output=output)
            rows.append(row(f"G9: {args.hosts:,} hosts, stored, in order, to {name}: wall s", runs,
                            lambda run: run.wall, "must 60, stretch 15"))
        rows.append(row("G9: dispatcher's CPU s", runs, lambda run: run.dispatcher_cpu, "-"))
        rows.append(row("G9: dispatcher's peak RSS MB", runs, lambda run: run.rss,
                        "must 300, stretch 120", "{:.0f}"))
        late = int(max(run.wall for run in runs) * 1000) + 2000
        runs = rounds(many, [f"500 first_ms={late}"] * 2, *store, output=file)
        rows.append(row(f"G10: the first host takes {late / 1000:.0f} s: peak RSS MB", runs,
                        lambda run: run.rss, "as G9", "{:.0f}"))
        rows.append(row("G10: wall s after the first host", runs,
                        lambda run: run.wall - late / 1000, "-"))
        workers = ["50 delay_us=10000"] * 3 + ["50 delay_us=100000"]
        runs = rounds(tenth, workers, "--store", "none")
        ideal = runs[0].hosts / (3 * 50 / 0.01 + 50 / 0.1)
        rows.append(row("G12: one worker of four 10 times slower: sweep / ideal split", runs,
                        lambda run: run.swept / ideal, "must 1.2, stretch 1.05", "{:.2f}"))
        return rows

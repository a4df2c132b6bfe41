#!/usr/bin/python3
"""Whole-process figures: netfleet beside the floor, alternately, against the device simulator, and
the fleet by itself.

usage: measure.py [--bin build/release/bin] [--rounds 3] [--only devices|large|fleet]
                  [--hosts 1000000] [--write docs/performance.md]

devices: G1 (CPU a task, 8 at once), G3 (a sweep of 500 slow devices at 50, 100 and 500 at once) and
G4 (CPU and memory at 500). large: G6 (one output of 100 MB). fleet: G7 to G10 and G12 (fleet.py).
CPU is user + system time of the whole process tree. Prints tables; with --write it also replaces
the file's parts between their markers. Nothing here fails on a time: a figure is a figure.
"""

import argparse
import os
import pathlib
import platform
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import fleet

MARKERS = {"devices": ("<!-- figures: begin -->", "<!-- figures: end -->"),
           "large": ("<!-- large: begin -->", "<!-- large: end -->"),
           "fleet": ("<!-- fleet: begin -->", "<!-- fleet: end -->")}
HEADS = {"devices": ["measure", "netfleet", "floor", "goal"],
         "large": ["measure", "netfleet", "goal"],
         "fleet": ["measure", "netfleet", "goal"]}
COMMAND = "show version"


class Simulator:
    """A device simulator with `count` devices; a context manager that yields its inventory file."""

    def __init__(self, binary, count, *options):
        self.directory = tempfile.TemporaryDirectory()
        self.inventory = os.path.join(self.directory.name, "inventory.txt")
        self.process = subprocess.Popen(
            [binary, "--listen", "127.0.0.1:0", "--count", str(count), "--die-with-parent",
             "--write-inventory", self.inventory, *options],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("ready"):
            raise SystemExit(f"the simulator did not start: {line!r}")

    def __enter__(self):
        return self.inventory

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        self.directory.cleanup()


def run(command, environment):
    """Wall s, CPU s and peak RSS in MB of the command; it must succeed."""
    with tempfile.TemporaryFile() as output:
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.PIPE, env=environment)
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{command}: exit {process.returncode}\n{errors.decode()[-2000:]}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def netfleet(args, inventory, sessions):
    return [f"{args.bin}/netfleet", "run", "-i", inventory, "-u", "admin", "--password-env",
            "BENCH_PASSWORD", "-c", COMMAND, "-s", str(sessions), "--store", "none", "--progress",
            "off", "--known-hosts", inventory + ".known"]


def floor(args, inventory, threads):
    return [f"{args.bin}/floor", inventory, str(threads)]


def alternate(args, inventory, at_once):
    """Medians and spread of `rounds` alternating runs: {name: [(wall, cpu, rss), ...]}."""
    environment = {**os.environ, "BENCH_PASSWORD": "admin", "FLOOR_USER": "admin",
                   "FLOOR_PASSWORD": "admin"}
    runs = {"netfleet": [], "floor": []}
    for _ in range(args.rounds):
        runs["netfleet"].append(run(netfleet(args, inventory, at_once), environment))
        runs["floor"].append(run(floor(args, inventory, at_once), environment))
    return runs


def middle(runs, column):
    values = sorted(row[column] for row in runs)
    return statistics.median(values), values[0], values[-1]


def spread(runs, column, scale=1.0, form="{:.2f}"):
    median, low, high = (form.format(value * scale) for value in middle(runs, column))
    return f"{median} ({low}-{high})"


def measure(args):
    rows = []
    with Simulator(f"{args.bin}/devsim", 1000) as inventory:
        runs = alternate(args, inventory, 8)
        ratio = middle(runs["netfleet"], 1)[0] / middle(runs["floor"], 1)[0]
        rows.append(("G1: CPU ms a task, 1,000 devices, 8 at once",
                     spread(runs["netfleet"], 1), spread(runs["floor"], 1),
                     f"{ratio:.2f} x floor (must 1.2, stretch 1.0)"))
    with Simulator(f"{args.bin}/devsim", 500, "--login-delay", "500ms", "--command-delay",
                   "300ms") as inventory:
        for at_once, goal in ((50, "11.5 / 11.15"), (100, "6.0 / 5.7"), (500, "1.7 / 1.5")):
            runs = alternate(args, inventory, at_once)
            rows.append((f"G3: wall s, 500 slow devices, {at_once} at once",
                         spread(runs["netfleet"], 0), spread(runs["floor"], 0),
                         f"must / stretch {goal}"))
        rows.append(("G4: CPU s at 500", spread(runs["netfleet"], 1), spread(runs["floor"], 1),
                     "must / stretch 0.75 / 0.5"))
        rows.append(("G4: peak RSS MB at 500", spread(runs["netfleet"], 2, form="{:.0f}"),
                     spread(runs["floor"], 2, form="{:.0f}"), "must / stretch 60 / 40"))
    return rows


def measure_large(args):
    environment = {**os.environ, "BENCH_PASSWORD": "admin"}
    megabytes = 100
    command = f"show tech {megabytes * 1_000_000 // 1024}"
    rows = []
    with Simulator(f"{args.bin}/devsim", 1) as inventory, tempfile.TemporaryDirectory() as place:
        start = [f"{args.bin}/netfleet", "run", "-i", inventory, "-u", "admin", "--password-env",
                 "BENCH_PASSWORD", "-P", "cisco_ios", "-c", command, "--max-output", "128M",
                 "--progress", "off", "--known-hosts", inventory + ".known"]
        ways = {"kept: stored, printed": (["--store", f"{place}/store.db"], "5 / 2.2"),
                "to a file": (["--store", "none", "--output-dir", place, "-o", "summary"],
                              "2.5 / 1.3")}
        for way, (options, goal) in ways.items():
            runs = []
            for _ in range(args.rounds):
                runs.append(run(start + options, environment))
                for left in pathlib.Path(place).iterdir():
                    left.unlink()
            rows.append((f"G6: CPU ms a MB, one output of {megabytes} MB, {way}",
                         spread(runs, 1, 1000 / megabytes), f"must / stretch {goal}"))
            rows.append(("its peak RSS MB", spread(runs, 2, form="{:.0f}"), "bounded"))
    return rows


def machine():
    model = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    versions = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}, ", "libssh-4",
                               "libzmq5", "libprotobuf32"], capture_output=True, text=True).stdout
    return (f"{os.cpu_count()} cores, {model.group(1) if model else platform.machine()}, "
            f"load {os.getloadavg()[0]:.1f} before, {versions}{time.strftime('%Y-%m-%d')}; "
            "medians (lowest-highest)")


def table(part, where, rounds, rows):
    head = HEADS[part]
    lines = [f"Measured on {where} of {rounds} rounds.", "", "| " + " | ".join(head) + " |",
             "|---" * len(head) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def write(path, part, text):
    begin, end = MARKERS[part]
    page = pathlib.Path(path)
    before, rest = page.read_text().split(begin)
    after = rest.split(end)[1]
    page.write_text(before + begin + "\n" + text + "\n" + end + after)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default="build/release/bin")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=sorted(MARKERS))
    parser.add_argument("--hosts", type=int, default=1_000_000)
    parser.add_argument("--write")
    args = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for part, measured in (("devices", measure), ("large", measure_large),
                           ("fleet", fleet.measure)):
        if args.only not in (None, part):
            continue
        where = machine()
        text = table(part, where, args.rounds, measured(args))
        print(text, flush=True)
        if args.write:
            write(args.write, part, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

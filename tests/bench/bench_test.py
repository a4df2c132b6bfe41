"""The benchmark's own test: that it counts whole process trees, refuses wrong outputs, judges by
the figures, and that a tiny run of it works. No figure is asserted.

usage: bench_test.py BIN [unittest arguments]
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import types
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import contenders  # noqa: E402: found by the path above
import goals  # noqa: E402
import page  # noqa: E402
import tree  # noqa: E402
from bench import Bench, Data  # noqa: E402
from targets import Devices  # noqa: E402

BIN = sys.argv[1]
ROOT = pathlib.Path(__file__).resolve().parents[2]
# Burns at least so many s of CPU, in a session of its own whose parent has gone.
DAEMON = """import os, select, signal, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while time.process_time() < 0.3:
            pass
        open(sys.argv[1], "w").close()
        signal.pause()
    os._exit(0)
os.wait()
while not os.path.exists(sys.argv[1]):
    select.select([], [], [], 0.01)
"""


class Tree(unittest.TestCase):
    def test_counts_daemons_and_ends_them(self):
        with tempfile.TemporaryDirectory() as place:
            finished = tree.run(["/usr/bin/python3", "-c", DAEMON, f"{place}/burnt"])
        self.assertGreaterEqual(finished.cpu, 0.3)
        self.assertEqual(tree.descendants(os.getpid()), set())

    def test_a_failure_is_an_error(self):
        with self.assertRaisesRegex(tree.Wrong, "exit status 3\nwhy"):
            tree.run(["sh", "-c", "echo why >&2; exit 3"])


class Outputs(unittest.TestCase):
    target = types.SimpleNamespace(hosts=["a", "b", "c"], expected=lambda host: f"{host} is\nup\n")

    def check(self, *outputs):
        contenders.check("x", self.target, 2, outputs)

    def test_takes_what_the_hosts_printed(self):
        self.check(("b", "show version\r\nb is\r\nup \r\nb#"), ("a", "a is\nup"))

    def test_refuses_all_else(self):
        for outputs in ([("a", "a is\nup")], [("a", "a is\nup"), ("b", "a is\nup")],
                        [("a", "a is\nup"), ("b", "b is\n")], [("a", "a is\nup")] * 2,
                        [("a", "a is\nup"), ("b", "b is\nup"), ("c", "c is\nup")],
                        [("a", "a is\nup"), ("b", "b is\nx\nup")]):
            with self.subTest(outputs), self.assertRaises(tree.Wrong):
                self.check(*outputs)


def series(group, who, x, **figures):
    return {"group": group, "who": who, "x": x, "runs": [figures]}


class Goals(unittest.TestCase):
    def rows(self, *given):
        data = Data({"some": {"series": list(given)}})
        return {(row[0], row[1]): row for row in goals.table(data)[1]}

    def test_judges_by_the_limits(self):
        for cpu, must, stretch in ((1.1, "reached", "not reached"), (0.9, "reached", "reached"),
                                   (1.3, "not reached", "not reached")):
            rows = self.rows(series("tasks T2", "netfleet", 1000, cpu=cpu, tasks=1000),
                             series("tasks T2", "floor", 1000, cpu=1.0, tasks=1000))
            row = rows["G1", "CPU ms a task, simulated devices, 8 at once"]
            self.assertEqual(row[4:], (f"1.2: {must}", f"1.0: {stretch}"))

    def test_says_what_was_not_measured(self):
        rows = self.rows(series("fleet", "to a file", 1000, wall=1.0, rss=1.0))
        named = {goal for goal, measure in rows}
        self.assertEqual(named, {f"G{number}" for number in range(1, 15)})
        for row in rows.values():
            self.assertNotIn(" reached", row[4])


class Whole(unittest.TestCase):
    def test_a_tiny_run(self):
        with tempfile.TemporaryDirectory() as place:
            done = subprocess.run(
                [ROOT / "tests/bench/run", "--smoke", "--bin", BIN, "--write", place, "--no-plots",
                 "--only", "tasks,memory,start,growth_fleet,parts", "--contenders",
                 "netfleet;floor;paramiko, threads"], capture_output=True, text=True, timeout=100,
                check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            text = pathlib.Path(place, "performance.md").read_text(encoding="utf-8")
            figures = json.loads(pathlib.Path(place, "performance/figures.json").read_text())
        self.assertIn("| G1 | CPU ms a task", text)
        self.assertRegex(text, r"\| paramiko, threads \| shell \| 20 \|")
        self.assertEqual(len(figures["parts"]), 5)

    def test_a_wrong_contender_fails_the_run(self):
        """The command that every device refuses, in place of the job's."""
        class Refused(contenders.Netfleet):
            def __init__(self):
                super().__init__(command="show nothing")

        bench = Bench(BIN, 1, "smoke")
        with Devices(bench, 2) as target, self.assertRaises(tree.Wrong):
            Refused().run(contenders.Job(bench, target, 2, 2))


class Page(unittest.TestCase):
    def test_has_a_place_for_every_part(self):
        text = (ROOT / "docs/performance.md").read_text(encoding="utf-8")
        rendered = page.render(text, Data({}), "the machine", {})
        self.assertIn("the machine", rendered)
        self.assertEqual(rendered.count("Not measured."), len(page.SECTIONS))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])

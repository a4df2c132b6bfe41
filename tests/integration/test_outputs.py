"""The forms of results: grouped and csv, from the sweep itself and from the store."""

import csv
import io
import unittest

import rig


class Outputs(rig.RigTest):
    def setUp(self):
        super().setUp()
        self.store = self.path("store.db")

    def results(self, *arguments, status=0):
        ran = self.finish([f"{rig.BIN}/netfleet", "results", *arguments, "--store", self.store])
        self.assertEqual(ran.status, status, str(ran))
        return ran

    def test_csv_is_what_json_says(self):
        inventory = self.devsim(6, "--fault", "refuse:4")
        sweep = ["-i", inventory, "-u", "admin", "--store", self.store, "--retries", 0,
                 "-c", "show version", "-c", "show ip interface brief"]
        printed = self.sweep(*sweep, "-o", "csv", status=1).out
        self.assertEqual(self.results("-o", "csv", status=1).out, printed)
        expected = []
        for task in self.results("-o", "jsonl", status=1).objects():
            commands = task.pop("commands") or [None]
            for command in commands:
                row = {name: "" if value is None else str(value) for name, value in task.items()}
                for name, key in (("command", "command"), ("command_outcome", "outcome"),
                                  ("command_duration_ms", "duration_ms"),
                                  ("truncated", "truncated"), ("output", "output")):
                    row[name] = str(command[key]) if command else ""
                row["truncated"] = row["truncated"].lower()
                expected.append(row)
        rows = list(csv.DictReader(io.StringIO(printed.decode(), newline="")))
        self.assertEqual(len(rows), 11)  # 5 hosts of 2 commands, one of none
        self.assertEqual(rows, expected)

    def test_grouped_folds_what_is_equal(self):
        inventory = self.devsim(12, "--fault", "refuse:4", "--fault", "refuse:7")
        arguments = ["-i", inventory, "-u", "admin", "--store", self.store, "--retries", 0,
                     "-c", "show clock", "-o", "grouped"]
        ran = self.sweep(*arguments, status=1)
        headers = [line for line in ran.out.decode().splitlines() if line.startswith("=== ")]
        self.assertEqual(headers[-1].split(" ", 2)[2], "(2 hosts) unreachable", str(ran))
        self.assertEqual(sum(int(line.split("(")[1].split()[0]) for line in headers), 12)
        self.assertEqual(self.results("-o", "grouped", status=1).out, ran.out)

    def test_differences_from_the_largest_group(self):
        inventory = self.devsim(5)
        self.sweep("-i", inventory, "-u", "admin", "--store", self.store, "-c", "show version")
        shown = self.results("-o", "grouped", "--diff").out.decode()
        groups = shown.split("=== ")[1:]
        self.assertEqual(len(groups), 5)  # each says its own name
        self.assertNotIn("@@", groups[0])
        for group in groups[1:]:
            self.assertIn("@@", group)
            self.assertIn("\n-sim-1 ", group)

    def test_a_reader_that_leaves_is_no_error(self):
        inventory = self.devsim(4)
        self.sweep("-i", inventory, "-u", "admin", "--store", self.store, "-c", "show version")
        for form in "grouped", "csv":
            argv = [f"{rig.BIN}/netfleet", "results", "-o", form, "--store", self.store]
            ran = self.finish(["sh", "-c", '"$@" | true; exec "$@" >&-', "sh", *argv])
            self.assertEqual(ran.status, 2, str(ran))
            self.assertIn("write standard output", ran.err)
            self.assertEqual(ran.err.count("\n"), 1, ran.err)

    def test_a_full_disk_is_said(self):
        inventory = self.devsim(3)
        with open("/dev/full", "wb") as full:
            for form in "grouped", "csv":
                run = self.start(*self.run_argv("-i", inventory, "-u", "admin", "-c", "show clock",
                                                "--store", self.store, "-o", form), stdout=full)
                self.assertEqual(run.wait(), 2)
                run.wait_for("write standard output: No space left on device")
        self.assertEqual(self.results("-o", "jsonl").outcomes(), {"ok": 3})


if __name__ == "__main__":
    unittest.main()

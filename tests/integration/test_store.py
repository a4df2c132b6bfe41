"""What a sweep printed can be printed again from the store, and no secret is kept anywhere."""

import os
import sqlite3
import unittest

import rig

SECRET = "Tr0ub4dor&3"


class Store(rig.RigTest):
    def setUp(self):
        super().setUp()
        self.env["NETFLEET_TEST_PASSWORD"] = SECRET
        self.store = self.path("store.db")

    def run_sweep(self, inventory, *arguments, **options):
        return self.sweep("-i", inventory, "-u", "admin", "--store", self.store, "-c",
                          "show version", "-c", "show ip interface brief", *arguments, **options)

    def results(self, *arguments, status=0):
        ran = self.finish([f"{rig.BIN}/netfleet", "results", *arguments, "--store", self.store])
        self.assertEqual(ran.status, status, str(ran))
        return ran

    def test_results_are_what_run_printed(self):
        inventory = self.devsim(12, "--password", SECRET, "--fault", "refuse:4")
        printed = {}
        for form in "text", "jsonl":
            printed[form] = self.run_sweep(inventory, "--retries", 0, "-o", form, status=1).out
            again = self.results("last", "-o", form, status=1)  # as the sweep itself ended
            self.assertEqual(again.out, printed[form])
        self.assertEqual(self.results("-o", "jsonl", status=1).out, printed["jsonl"])
        sweep = again.objects()[0]["sweep"]
        for name in sweep, sweep[:-2]:
            self.assertEqual(self.results(name, "-o", "jsonl", status=1).out, printed["jsonl"])
        self.results("19700101-000000-0000", status=2)

    def test_summary(self):
        inventory = self.devsim(5, "--password", SECRET, "--fault", "refuse:4")
        printed = self.run_sweep(inventory, "--retries", 0, "-o", "summary", status=1).out
        self.assertEqual(self.results("last", "-o", "summary", status=1).out, printed)

    def test_several_sweeps_are_listed(self):
        inventory = self.devsim(2, "--password", SECRET)
        sweeps = [self.run_sweep(inventory, "-o", "jsonl").objects()[0]["sweep"] for _ in range(3)]
        listed = self.results("--list").out.decode()
        places = [listed.find(sweep) for sweep in reversed(sweeps)]  # newest first
        self.assertNotIn(-1, places, listed)
        self.assertEqual(places, sorted(places), listed)
        for sweep in sweeps:
            self.assertEqual(self.results(sweep, "-o", "jsonl").objects()[0]["sweep"], sweep)

    def test_output_directory_from_the_store(self):
        inventory = self.devsim(3, "--password", SECRET)
        self.run_sweep(inventory, "--output-dir", self.path("first"))
        self.results("last", "--output-dir", self.path("again"))
        names = sorted(os.listdir(self.path("first")))
        self.assertEqual(len(names), 3)
        self.assertEqual(sorted(os.listdir(self.path("again"))), names)
        for name in names:
            self.assertEqual(rig.read(self.path(f"again/{name}")),
                             rig.read(self.path(f"first/{name}")))

    def test_default_place_and_none(self):
        inventory = self.devsim(2, "--password", SECRET)
        self.sweep("-i", inventory, "-u", "admin", "-c", "show version", "--store", "none")
        place = self.path("state/netfleet/store.db")
        self.assertFalse(os.path.exists(place))
        self.sweep("-i", inventory, "-u", "admin", "-c", "show version")
        self.assertEqual(os.stat(place).st_mode & 0o077, 0)
        ran = self.finish([f"{rig.BIN}/netfleet", "results", "last", "-o", "jsonl"])
        self.assertEqual(ran.outcomes(), {"ok": 2}, str(ran))

    def test_same_output_is_stored_once(self):
        inventory = self.devsim(2, "--password", SECRET)
        command = ["-c", "show tech 2000"]
        self.run_sweep(inventory, *command)
        first = self.size()
        for _ in range(5):
            self.run_sweep(inventory, *command)
        self.assertLess(self.size() - first, 200_000)

    def size(self):
        with sqlite3.connect(self.store) as database:
            return database.execute("select page_count * page_size from pragma_page_count(), "
                                    "pragma_page_size()").fetchone()[0]

    def test_readable_while_a_sweep_runs(self):
        inventory = self.devsim(6, "--password", SECRET, "--fault", "hang-at-command:6")
        running = self.start(*self.run_argv("-i", inventory, "-u", "admin", "-c", "show version",
                                            "--store", self.store, "-o", "jsonl"))
        running.wait_for(r'"index": ?4\b')
        rig.wait_until(lambda: self.finished() == 5, "5 stored results")
        running.stop()

    def finished(self):
        ran = self.finish([f"{rig.BIN}/netfleet", "results", "last", "-o", "jsonl", "--store",
                           self.store])
        return ran.outcomes()["ok"]

    def test_no_secret_is_kept_or_said(self):
        inventory = self.devsim(8, "--password", SECRET, "--fault", "wrong-password:5",
                                "--fault", "close-at-shell:6")
        ran = self.run_sweep(inventory, "-vv", "--on-auth-failure", "continue", "--retries", 0,
                             "--output-dir", self.path("texts"), status=1)
        self.assertNotIn(SECRET.encode(), ran.out)
        self.assertNotIn(SECRET, ran.err)
        searched = 0
        for folder, _, names in os.walk(self.directory):
            for name in names:
                self.assertNotIn(SECRET.encode(), rig.read(os.path.join(folder, name)), name)
                searched += 1
        self.assertGreater(searched, 8)


if __name__ == "__main__":
    unittest.main()

"""What the verbs that ask a long-lived dispatcher print, in every form."""

import json
import os
import unittest

import fake_api
import terminal
from fake_api import ONE, RESULTS, SWEEP, Verbs, result, sweep


class Results(Verbs):
    def setUp(self):
        super().setUp()
        self.api.get(ONE, sweep(outcomes={"ok": 2, "unreachable": 1}))
        self.results = [result(0), result(1, output="same\n"),
                        result(2, "unreachable")]

    def from_position(self, *cuts):
        """Each time so many results, then the connection is lost; at last all that are left."""
        left = list(cuts)

        def answer_some(answer):
            first = int(answer.path.split("first=")[1].split("&")[0])
            answer.begin("application/x-ndjson")
            count = left.pop(0) if left else len(self.results)
            for one in self.results[first:first + count]:
                answer.chunk(json.dumps(one) + "\n")
            if left or count < len(self.results):
                answer.chunk('{"sweep": "cut')
                raise fake_api.Lost()
            answer.end()
        self.api.on("GET", RESULTS, answer_some)

    def test_every_form(self):
        self.from_position()
        ran = self.ask("results", "last", "-o", "jsonl", status=1)
        self.assertEqual(ran.objects(), self.results)
        text = self.ask("results", status=1).out.decode()
        self.assertIn("=== edge-1 (10.0.0.1:22) ok 0.12s\nhello\n", text)
        self.assertIn("edge-3 (10.0.0.3:22) unreachable 0.12s\nconnect edge-3: refused\n", text)
        rows = self.ask("results", "-o", "csv", status=1).out.decode().split("\r\n")
        self.assertTrue(rows[2].startswith(f"{SWEEP},1,edge-2,10.0.0.2,22,cisco_ios,,w1,1,ok,"))
        self.assertIn("3 hosts: 2 ok, 1 unreachable in 90.5 s",
                      self.ask("results", "-o", "summary", status=1).out.decode())
        self.results[1] = result(1)
        grouped = self.ask("results", "-o", "grouped", status=1).out.decode()
        self.assertIn("=== edge-[1-2] (2 hosts) ok\nhello\n", grouped)
        self.results[1] = result(1, output="hallo\n")
        self.assertIn("-hello\n+hallo\n",
                      self.ask("results", "-o", "grouped", "--diff", status=1).out.decode())
        self.ask("results", "--output-dir", self.path("out"), status=1)
        self.assertEqual(sorted(os.listdir(self.path("out"))), ["edge-1.txt", "edge-2.txt"])

    def test_terminals_are_not_steered(self):
        self.results[0] = result(0, output="red \x1b[31m\x9b1m\r\n", host="a\x1b]0;x\x07")
        self.from_position()
        for form in ("text", "jsonl", "csv", "grouped", "summary"):
            shown = terminal.Terminal(self, self.argv("results", "-o", form))
            self.assertEqual(shown.wait(), 1)
            self.assertIn(b"connect edge-3: refused", shown.shown)
            self.assertNotIn(b"\x1b", shown.shown.replace(b"\x1b[K", b""))
            self.assertNotIn(b"\x07", shown.shown)

    def test_each_once_over_lost_connections(self):
        for form in ([], ["--follow"]):
            self.from_position(1, 0, 1)
            ran = self.ask("results", "-o", "jsonl", *form, status=1)
            self.assertEqual(ran.objects(), self.results)

    def test_signs_of_life_are_no_results(self):
        def slow(answer):
            answer.begin("application/x-ndjson")
            for one in self.results:
                answer.chunk("\n")
                answer.chunk(json.dumps(one) + "\n\n")
            answer.end()
        self.api.on("GET", RESULTS, slow)
        for form in ("jsonl", "csv", "grouped", "text"):
            followed = self.ask("results", "--follow", "-o", form, status=1)
            self.from_position()
            self.assertEqual(followed.out, self.ask("results", "-o", form, status=1).out)
            self.api.on("GET", RESULTS, slow)

    def test_follow_prints_what_comes_when_it_comes(self):
        def slowly(answer):
            self.assertIn("follow=1", answer.path)
            answer.begin("application/x-ndjson")
            answer.chunk(json.dumps(self.results[0]) + "\n" + json.dumps(self.results[1])[:50])
            following.wait_for("edge-1")
            answer.chunk(json.dumps(self.results[1])[50:] + "\n\n\n")
            following.wait_for("edge-2")
            answer.chunk(json.dumps(self.results[2]) + "\n")
            answer.end()
        self.api.get(ONE, sweep(state="running", outcomes={"ok": 1}, total=3), sweep())
        self.api.on("GET", RESULTS, slowly)
        following = self.begin("results", "--follow")
        following.wait_for("edge-3")
        self.assertEqual(following.wait(), 1, following.text())

    def test_unfinished(self):
        self.api.get(ONE, sweep(state="running", outcomes={"ok": 1}, total=5))
        self.from_position()
        self.assertIn("2 of 5 hosts have no result", self.ask("results", status=1).err)

    def test_wrong_lines(self):
        for line in ("{", "[]", "7", '{"sweep": "x"}', json.dumps(result(7)), "x" * 100_000,
                     json.dumps(result(0, outcome="superb"))):
            def strange(answer, text=line):
                answer.begin("application/x-ndjson")
                answer.chunk(text + "\n")
                answer.end()
            self.api.on("GET", RESULTS, strange)
            ran = self.ask("results", status=3)
            self.assertNotEqual(ran.err, "")
        self.api.on("GET", RESULTS, lambda answer: answer.lines(result(1), result(0)))
        self.assertIn("out of order", self.ask("results", status=3).err)
        self.api.on("GET", RESULTS, lambda answer: answer.lines(result(0), result(0)))
        self.assertIn("out of order", self.ask("results", status=3).err)

    def test_a_reader_that_leaves(self):
        self.results = [result(i, output="x" * 50_000 + "\n") for i in range(200)]
        self.api.get(ONE, sweep(outcomes={"ok": 200}))
        self.from_position()
        ran = self.ask_shell(f"{' '.join(self.argv('results'))} | head -1")
        self.assertEqual(ran.out.decode(), "=== edge-1 (10.0.0.1:22) ok 0.12s\n")
        self.assertEqual(ran.err, "")

    def ask_shell(self, line):
        return self.finish(["bash", "-c", line])

    def test_the_store_here_is_meant_where_it_is_named(self):
        self.assertIn("no store at", self.ask("results", "--store", self.path("s"), status=2).err)
        self.assertIn("--follow is for", self.ask("results", "--follow", status=2,
                                                  env={"NETFLEET_SERVER": ""}).err)
        self.assertEqual(self.api.requests, [])

    def test_list(self):
        self.api.get(r"/v1/sweeps\?limit=50", {"sweeps": [sweep()]})
        self.assertIn(SWEEP, self.ask("results", "--list").out.decode())


class Others(Verbs):
    def test_diff(self):
        changed = {"host": "edge-1", "changed": [{"command": "show run", "hunks":
                                                  "@@ -1 +1 @@\n-a\n+\x1b[31mb\n"}],
                   "not_compared": []}
        end = {"before": "B", "after": "A", "hosts": 3, "changed": 1, "not_compared": 0}
        self.api.get(r"/v1/sweeps\?limit=1000", {"sweeps": [
            sweep("live", "running"), sweep("config", commands=[]), sweep("A")]})
        self.api.on("GET", r"/v1/sweeps/A/diff\?format=jsonl", lambda a: a.lines(changed, end))
        ran = self.ask("diff", status=1)
        self.assertEqual(ran.out.decode(), "--- edge-1 B show run\n+++ edge-1 A show run\n"
                         "@@ -1 +1 @@\n-a\n+\x1b[31mb\n")
        self.assertEqual(ran.err, "B to A: 1 of 3 hosts differ\n")
        shown = terminal.Terminal(self, self.argv("diff"))
        self.assertEqual(shown.wait(), 1)
        self.assertIn(b"+^[[31mb", shown.shown)

        self.api.get("/v1/sweeps/[AB]", sweep("B"), sweep("A"))
        self.api.on("GET", r"/v1/sweeps/A/diff\?format=jsonl&with=B&mask=no&limit=%28x%29%20and"
                    r"%20%28y%29", lambda a: a.lines({**end, "changed": 0}))
        ran = self.ask("diff", "B", "A", "--no-mask", "-l", "x", "-l", "y")
        self.assertEqual((ran.out, ran.err), (b"", "B to A: 0 of 3 hosts differ\n"))

        self.api.on("GET", r"/v1/sweeps/A/diff\?.*", lambda a: a.lines(changed))
        self.assertIn("stops before its end", self.ask("diff", "A", status=3).err)
        self.api.on("GET", r"/v1/sweeps/A/diff\?.*", lambda a: a.error(404, "no sweep before A"))
        self.assertIn("no sweep before A", self.ask("diff", "A", status=2).err)
        self.ask("diff", "--volatile", "x", status=2)

    def test_status(self):
        self.api.get("/v1/health", {"ok": True, "version": "0.1.0", "since": fake_api.STARTED,
                                    "problems": [], "workers": 2, "slots": 100, "running": 3,
                                    "sweeps": 1})
        sweeps = [sweep(state="running", total=9, running=2), sweep("20261124-a")]
        self.api.get(r"/v1/sweeps\?limit=20", {"sweeps": sweeps})
        out = self.ask("status").out.decode()
        self.assertIn(f"at {self.api.url} since 2026-11-25T03:00:00Z: 2 workers, 100 slots", out)
        self.assertRegex(out, rf"{SWEEP} +backup +running +2026-11-25T03:00:00Z +- +9 +3 +2 +0 ")
        self.assertEqual(self.ask("status", "-o", "jsonl").objects(), sweeps)
        self.api.get(r"/v1/sweeps\?limit=5&job=a%20b", {"sweeps": []})
        self.assertIn("no sweeps", self.ask("status", "--sweeps", "5", "--job",
                                            "a b").out.decode())
        one = sweep(outcomes={"ok": 2, "lost": 1})
        self.api.get(ONE, one)
        self.assertRegex(self.ask("status", SWEEP).out.decode(), r"2 ok\n +1 lost\n")
        self.assertEqual(self.ask("status", SWEEP, "-o", "jsonl").objects(), [one])
        self.api.get("/v1/health", {"ok": False, "version": "0.1.0"})
        self.assertIn("something is wrong", self.ask("status", status=1).out.decode())

    def test_cancel_and_retry(self):
        self.api.on("POST", ".*", lambda answer: answer.json({"sweep": "new"}, 202))
        self.assertIn("nothing else is started", self.ask("cancel", "last").err)
        self.assertIn("being stopped", self.ask("cancel", "last", "--now").err)
        self.assertEqual(self.ask("retry", "last").out, b"new\n")
        self.ask("retry", "last", "--only", "lost,skipped")
        self.assertEqual([(r[1], json.loads(r[3])) for r in self.api.requests], [
            ("/v1/sweeps/last/cancel", {"now": False}), ("/v1/sweeps/last/cancel", {"now": True}),
            ("/v1/sweeps/last/retry", {"only": "failed"}),
            ("/v1/sweeps/last/retry", {"only": "skipped,lost"})])
        self.api.on("POST", ".*/retry", lambda answer: answer.error(409, "it has not ended"))
        self.assertIn("it has not ended", self.ask("retry", "last", status=2).err)
        self.assertEqual(len(self.api.asked("POST", ".*/retry")), 3)
        self.api.on("POST", ".*", lambda answer: answer.error(409, "it has ended"))
        self.assertIn("it has ended", self.ask("cancel", "last", status=2).err)

    def test_schedules(self):
        schedule = {"job": "backup", "cron": "0 3 * * *", "zone": "Europe/Berlin",
                    "next": fake_api.ENDED, "paused": False, "running": None,
                    "warning": "cannot finish before its next start"}
        firing = {"job": "backup", "due": fake_api.STARTED, "what": "skipped", "sweep": None,
                  "why": "the one before still runs"}
        self.api.get("/v1/schedules", {"schedules": [schedule]})
        self.api.get(r"/v1/schedules/backup/firings\?limit=50", {"firings": [firing]})
        self.api.get("/v1/jobs", {"jobs": [
            {"name": "new", "path": "/etc/new.yaml", "error": "/etc/new.yaml:3: what is this",
             "changes": True, "scheduled": False}]})
        out = self.ask("schedule").out.decode()
        self.assertRegex(out, r"backup +0 3 \* \* \* +Europe/Berlin +2026-11-25T03:01:30Z +waiting")
        self.assertIn("backup: cannot finish before", out)
        self.assertIn("/etc/new.yaml:3: what is",
                      self.ask("schedule", "list", "--all").out.decode())
        self.assertEqual(self.ask("schedule", "-o", "jsonl").objects(), [schedule])
        for more in ([], ["backup"]):
            self.assertIn("the one before still runs",
                          self.ask("schedule", "history", *more).out.decode())
        self.assertEqual(self.ask("schedule", "history", "-o", "jsonl").objects(), [firing])
        self.api.on("POST", "/v1/schedules/backup/(pause|resume)", lambda answer: answer.json(
            {"job": "backup", "paused": answer.path.endswith("pause")}))
        self.assertIn("pauses until", self.ask("schedule", "pause", "backup").err)
        self.assertIn("goes on", self.ask("schedule", "resume", "backup").err)

    def test_workers(self):
        self.api.get("/v1/workers", {"workers": [
            {"name": "w\x1b1", "regions": ["eu", ""], "slots": 50, "free": 3, "running": 47,
             "done": 12, "joined_ago_ms": 4000, "seen_ago_ms": 100, "silent": False}]})
        self.assertRegex(self.ask("workers").out.decode(),
                         r"w\^\[1 +here +eu,\(default\) +50 +3 +47 +12 +3.0 ")
        worker = self.ask("workers", "-o", "jsonl").objects()[0]
        self.assertEqual((worker["worker"], worker["rate"]), ("w\x1b1", 3.0))


if __name__ == "__main__":
    unittest.main()

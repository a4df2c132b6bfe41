"""The verbs that ask a long-lived dispatcher, asking a real one over simulated devices."""

import signal
import subprocess
import unittest

import rig
import service
import terminal


class ServiceVerbs(service.ServiceTest):
    def test_from_the_submission_to_the_results(self):
        self.job("show", self.devices(12, "--fault", "silent:3"))
        self.serve()
        ran = self.ask("submit", "show", "--watch", status=1)
        sweep = ran.out.decode().strip()
        self.assertIn("12 hosts: 11 ok, 1 unreachable", ran.err)
        self.assertIn(f"  unreachable {self.hosts[2]}: ", ran.err)
        tasks = self.ask("results", sweep, "-o", "jsonl", status=1).objects()
        self.assertEqual([task["host"] for task in tasks], self.hosts)
        # What is read over HTTP and shown is what the store has, byte for byte.
        store = ["--store", self.path("state/netfleet/store.db")]
        for form in ("text", "jsonl", "csv", "grouped", "summary"):
            self.assertEqual(self.ask("results", sweep, "-o", form, status=1).out,
                             self.ask("results", sweep, "-o", form, *store, status=1).out)
        self.assertIn(sweep, self.ask("status").out.decode())
        self.assertIn("11 ok\n", self.ask("status", "last").out.decode())
        few = self.ask("submit", "show", "-l", ",".join(self.hosts[:2]), "--watch")
        self.assertIn("2 hosts: 2 ok", few.err)
        self.ask("submit", "nothing", status=2)
        other = self.submit("show", "-c", "show clock", "-l", self.hosts[0])
        self.ask("watch", other)
        self.assertEqual(self.view(other)["commands"], ["show clock"])

    def test_a_refused_password_is_status_4(self):
        self.job("show", self.devices(30), "limits: {sessions: 2}\n")
        self.write("jobs/secret", "wrong\n", mode=0o600)
        self.serve()
        ran = self.ask("submit", "show", "--watch", status=4)
        sweep = ran.out.decode().strip()
        self.assertIn("the authentication guard ended the sweep", ran.err)
        self.ask("watch", sweep, status=4)
        self.assertIs(self.view(sweep)["guarded"], True)
        self.assertIn("the authentication guard ended it",
                      self.ask("status", sweep).out.decode())
        self.write("jobs/secret", rig.PASSWORD + "\n", mode=0o600)
        self.assertIs(self.view(self.submit("show"))["guarded"], False)

    def test_followed_while_it_runs(self):
        self.hold(3)
        self.job("show", self.devices(5))
        self.serve()
        sweep = self.submit("show")
        following = self.start(*self.argv("results", sweep, "--follow"))
        watching = self.start(*self.argv("watch", sweep))
        following.wait_for(rf"=== {self.hosts[1]} .* ok")
        rig.wait_until(lambda: self.view(sweep)["done"] == 4, "all but one are done")
        self.assertEqual(sum(line.startswith("=== ") for line in following.lines), 2)
        self.release(3)
        following.wait_for(rf"=== {self.hosts[4]} .* ok")
        for process in (following, watching):
            self.assertEqual(process.wait(), 0, process.text())

    def test_a_restart_is_borne(self):
        self.job("show", self.devices(12, "--command-delay", "200ms"), "limits: {sessions: 2}\n")
        service = self.serve()
        sweep = self.submit("show")
        following = self.start(*self.argv("results", sweep, "--follow", "-o", "jsonl"))
        watching = self.start(*self.argv("watch", sweep))
        following.wait_for(self.hosts[1])
        service.kill()
        watching.wait_for("trying again")
        self.serve()
        watching.wait_for("12 hosts: 12 ok")
        for process in (following, watching):
            self.assertEqual(process.wait(), 0, process.text())
        hosts = [line.split('"host":"')[1].split('"')[0] for line in following.lines
                 if line.startswith("{")]
        self.assertEqual(hosts, self.hosts)

    def test_cancel_and_retry(self):
        self.hold(1, 2)
        self.job("show", self.devices(6), "limits: {sessions: 2}\n")
        self.serve()
        sweep = self.submit("show")
        rig.wait_until(lambda: self.view(sweep)["running"] == 2, "two are at work")
        self.ask("cancel", sweep)
        self.assertIn(self.view(sweep)["state"], ("draining", "ending"))
        self.ask("cancel", sweep, "--now")
        self.ask("watch", sweep, status=1)
        self.assertNotIn("ok", self.view(sweep)["outcomes"])
        self.assertIn("does not run", self.ask("cancel", sweep, status=2).err)
        self.release(1, 2)
        retried = self.ask("retry", sweep, "--only", "cancelled,disconnected,lost", "--watch")
        self.assertIn("ok", retried.err)
        self.assertNotEqual(retried.out.decode().strip(), sweep)

    def test_what_differs(self):
        self.job("show", self.devices(3))
        self.serve()
        first, second = (self.ask("submit", "show", "--watch").out.decode().strip()
                         for _ in range(2))
        store = ["--store", self.path("state/netfleet/store.db")]
        for which in ([], [second], [first, second], ["-o", "jsonl"], ["--no-mask"]):
            here = self.finish(self.argv("diff", *which, *store))
            there = self.finish(self.argv("diff", *which))
            self.assertEqual((there.status, there.out, there.err),
                             (here.status, here.out, here.err))
        self.assertIn("3 hosts differ", there.err)

    def test_a_roll_out_that_asks(self):
        rollout = "rollout: {canary: 2, max_failures: 0, on_max_failures: ask}\n"
        self.job("careful", self.devices(6, "--fault", "silent:1"), rollout)
        self.serve()
        sweep = self.submit("careful")
        shown = terminal.Terminal(self, self.argv("watch", sweep))
        shown.wait_for(rb"go on with the rest\? \[y/N\] ")
        shown.type(b"y\n")
        shown.wait_for(rb"6 hosts: 5 ok, 1 unreachable")
        self.assertEqual(shown.wait(), 1)
        stopped = self.ask("submit", "careful").out.decode().strip()
        self.assertIn("skipped", self.ask("watch", stopped, "--stop", status=1).err)

    def test_schedules_workers_and_health(self):
        self.job("nightly", self.devices(1), "schedule: {cron: '30 2 * * *', zone: UTC}\n")
        self.write("jobs/broken.yaml", "inventory: [\n")
        self.serve()
        self.assertRegex(self.ask("schedule").out.decode(), r"nightly +30 2 \* \* \* +UTC +20")
        self.assertIn("broken.yaml:", self.ask("schedule", "list", "--all").out.decode())
        self.ask("schedule", "pause", "nightly")
        self.assertRegex(self.ask("schedule").out.decode(), r"nightly .* paused")
        self.ask("schedule", "resume", "nightly")
        self.assertRegex(self.ask("schedule").out.decode(), r"nightly .* waiting")
        self.assertIn("nothing has been due", self.ask("schedule", "history").out.decode())
        self.ask("schedule", "pause", "nothing", status=2)
        worker = self.ask("workers", "-o", "jsonl").objects()[0]
        self.assertFalse(worker["silent"])

    def test_tokens_and_their_scopes(self):
        self.job("show", self.devices(1))
        made = subprocess.run(self.argv("keygen", "--token", "reader", "--scopes", "read"),
                              check=True, capture_output=True, timeout=30).stdout.decode()
        token, line = made.splitlines()[:2]
        tokens = self.write("tokens", line + "\n", 0o600)
        self.serve("--tokens", tokens)
        reader = self.write("reader", token + "\n", 0o600)
        self.assertIn("no token was found", self.ask("workers", status=2).err)
        self.ask("workers", "--token-file", reader)
        ran = self.ask("submit", "show", "--token-file", reader, status=2)
        self.assertIn("run", ran.err)
        self.assertIn(f"the token is that of {reader}", ran.err)

    def test_ctrl_c_ends_the_watching_only(self):
        self.hold(1)
        self.job("show", self.devices(2))
        self.serve()
        sweep = self.submit("show")
        watching = self.start(*self.argv("watch", sweep))
        watching.wait_for("running: ")
        watching.send_signal(signal.SIGINT)
        self.assertEqual(watching.wait(), 130)
        self.assertEqual(self.view(sweep)["state"], "running")
        self.release(1)
        self.ask("watch", sweep)


if __name__ == "__main__":
    unittest.main()

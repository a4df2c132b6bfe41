"""Roll-outs: a bad change meets few devices, and the rest can be done later."""

import os
import signal
import sqlite3
import unittest

import rig
from terminal import Terminal


class Rollout(rig.RigTest):
    def setUp(self):
        super().setUp()
        self.record = self.path("record")
        self.store = self.path("store.db")
        self.hold = self.path("hold")
        os.mkdir(self.hold)

    def devices(self, count, *arguments):
        return self.devsim(count, "--record", self.record, *arguments)

    def common(self, *more):
        return ["--store", self.store, "-o", "jsonl", *more]

    def change(self, inventory, line, *arguments, **options):
        return self.sweep("-i", inventory, "-u", "admin", "--config-line", line,
                          *self.common(), *arguments, **options)

    def touched(self, line):
        """The numbers of the devices that were sent this line, in the order of being so."""
        return [int(event["device"].removeprefix("sim-"))
                for event in rig.commands_seen(self.record, line)]

    def test_a_canary_stops_a_bad_change_after_5_of_200_devices(self):
        inventory = self.devices(200)
        bad = "invalid ntp server"
        ran = self.change(inventory, bad, "--canary", 5, "--batch", "10%", "--max-failures", "2%",
                          status=1)
        self.assertEqual(ran.outcomes(), {"command_failed": 5, "skipped": 195}, str(ran))
        self.assert_order(ran, inventory)
        self.assertEqual(sorted(self.touched(bad)), [1, 2, 3, 4, 5])
        logins = rig.login_attempts(self.record)
        self.assertEqual(len(logins), 5, "nobody else was even logged in to")
        self.assertIn("5 of 200 hosts failed, 4 are borne (--max-failures 2%): nothing more is "
                      "started", ran.err)
        self.assertIn("not started: 5 of 200 hosts failed", ran.objects()[5]["error"])

        # Mended: first those that failed, then the rest.
        again = self.sweep("--resume", "last", "--only", "lost", *self.common(), status=2)
        self.assertIn("has no host that ended as lost", again.err)
        again = self.sweep("--resume", "last", "--only", "failed", *self.common(), status=1)
        self.assertEqual(again.outcomes(), {"command_failed": 5}, str(again))
        self.assertIn("on 5 of its 200 hosts (failed)", again.err)
        self.assertEqual(len(self.touched(bad)), 10)

    def test_a_good_change_goes_in_batches(self):
        inventory = self.devices(30)
        good = "ntp server 192.0.2.1"
        ran = self.change(inventory, good, "--canary", 2, "--batch", 4, "--batch-growth", 2,
                          "--batch-pause", "100ms", "--max-failures", 0)
        self.assertEqual(ran.outcomes(), {"ok": 30}, str(ran))
        self.assert_order(ran, inventory)
        order = self.touched(good)
        self.assertEqual(len(order), 30)
        for begin, end in ((0, 2), (2, 6), (6, 14), (14, 30)):
            self.assertEqual(sorted(order[begin:end]), list(range(begin + 1, end + 1)))
        for number, hosts in enumerate(("3 to 6", "7 to 14", "15 to 30"), 2):
            self.assertIn(f"batch {number}: hosts {hosts} of 30", ran.err)

    def test_what_was_skipped_is_done_later(self):
        inventory = self.devices(12, "--fault", "close-at-shell:2")
        ran = self.sweep("-i", inventory, "-u", "admin", "-c", "show version", "--canary", 3,
                         "--retries", 0,
                         *self.common(), status=1)
        self.assertEqual(ran.outcomes()["skipped"], 9, str(ran))
        rest = self.sweep("--resume", "last", "--only", "skipped", *self.common())
        self.assertEqual(rest.outcomes(), {"ok": 9}, str(rest))
        self.assertEqual([task["host"] for task in rest.objects()],
                         [task["host"] for task in ran.objects()][3:])

    def test_goes_on_in_its_batch_after_a_kill(self):
        for number in (5, 6):
            self.write(f"hold/sim-{number}", "")
        inventory = self.devices(12, "--hold", self.hold)
        dispatcher = self.start(*self.run_argv(
            "-i", inventory, "-u", "admin", "-c", "show version", "--batch", 4, *self.common()))
        rig.wait_until(lambda: self.stored() == 6, "the first batch, and what is not held")
        dispatcher.kill()
        for name in os.listdir(self.hold):
            os.unlink(os.path.join(self.hold, name))
        ran = self.sweep("--resume", "last", *self.common())
        self.assertEqual(ran.outcomes(), {"ok": 12}, str(ran))
        self.assert_order(ran, inventory)
        self.assertIn("batch 3: hosts 9 to 12 of 12", ran.err)
        self.assertNotIn("batch 2:", ran.err, "it had begun")
        order = self.touched("show version")
        self.assertEqual(sorted(order[-4:]), [9, 10, 11, 12])

    def stored(self):
        if not os.path.exists(self.store):
            return 0
        with sqlite3.connect(self.store) as database:
            return database.execute("select count(*) from results").fetchone()[0]

    def ask(self, answer):
        inventory = self.devices(6)
        terminal = Terminal(self, self.run_argv(
            "-i", inventory, "-u", "admin", "--config-line", "invalid", "--batch", 2,
            "--max-failures", 1, "--on-max-failures", "ask", "--store", self.store,
            "-o", "summary"))
        terminal.wait_for(rb"2 of 6 hosts failed, 1 is borne.*\r\n.*go on with the rest\? \[y/N\] ")
        terminal.type(answer)
        return terminal

    def test_asked_and_told_to_go_on(self):
        terminal = self.ask(b"y\n")
        terminal.wait_for(rb"4 of 6 hosts failed(.|\n)*go on with the rest\? \[y/N\] ")
        self.assertEqual(sorted(self.touched("invalid")), [1, 2, 3, 4])
        terminal.type(b"y\n")
        self.assertEqual(terminal.wait(), 1, terminal.text())
        self.assertEqual(sorted(self.touched("invalid")), [1, 2, 3, 4, 5, 6])

    def test_asked_and_told_to_stop(self):
        terminal = self.ask(b"\n")
        self.assertEqual(terminal.wait(), 1, terminal.text())
        self.assertEqual(sorted(self.touched("invalid")), [1, 2])

    def test_asked_and_interrupted(self):
        terminal = self.ask(b"")
        terminal.popen.send_signal(signal.SIGINT)
        self.assertEqual(terminal.wait(), 130, terminal.text())
        self.assertEqual(sorted(self.touched("invalid")), [1, 2])

    def test_nobody_can_be_asked(self):
        inventory = self.devices(4)
        ran = self.change(inventory, "invalid", "--canary", 1, "--on-max-failures", "ask", status=1)
        self.assertEqual(ran.outcomes(), {"command_failed": 1, "skipped": 3}, str(ran))
        self.assertIn("there is no terminal to ask at: too many failures stop the sweep", ran.err)

    def test_refused(self):
        for arguments, message in (
                (("--batch", "0"), "--batch: '0' is no share"),
                (("--batch", "120%"), "--batch: '120%' is no share"),
                (("--batch-growth", "2"), "--batch-growth needs --batch"),
                (("--batch-pause", "2s"), "--batch-pause needs --canary or --batch"),
                (("--on-max-failures", "ask"), "--on-max-failures needs --max-failures or"),
                (("--max-failures", "1", "--count-failures", "lots"), "'lots' is not one of"),
                (("--only", "failed"), "--resume")):
            ran = self.sweep("-H", "192.0.2.1", "-u", "admin", "-c", "show version", *arguments,
                             status=2)
            self.assertIn(message, ran.err)
        ran = self.sweep("--resume", "last", "--canary", "3", *self.common(), status=2)
        self.assertIn("--canary", ran.err)


if __name__ == "__main__":
    unittest.main()

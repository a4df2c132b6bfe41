"""In a terminal: the password prompt, and Ctrl-C once and twice."""

import json
import os
import subprocess
import unittest

import rig
import terminal

SECRET = "Tr0ub4dor&3"
CTRL_C = b"\x03"


class AtTheTerminal(rig.RigTest):
    def terminal(self, *arguments, **streams):
        argv = self.run_argv("-u", "admin", *arguments, password=None)
        return terminal.Terminal(self, argv, **streams)

    def log_in(self, screen):
        screen.wait_for(rb"(?i)password.*: ?$")
        rig.wait_until(lambda: not screen.echoes(), "echo off")
        screen.type(SECRET.encode() + b"\n")

    def check_end(self, screen, status):
        self.assertEqual(screen.wait(), status, screen.text())
        self.assertTrue(screen.echoes(), "the terminal's echo is off")
        self.assertEqual(screen.processes(), [])
        self.assertNotIn(SECRET, screen.text())

    def test_password_is_asked_for_without_echo(self):
        inventory = self.devsim(3, "--password", SECRET)
        screen = self.terminal("-i", inventory, "-c", "show version")
        self.log_in(screen)
        self.check_end(screen, 0)
        for line in self.simulated_output("show version", 3).decode().splitlines():
            self.assertIn(line, screen.text())

    def test_password_is_asked_for_when_standard_input_is_a_pipe(self):
        inventory = self.devsim(3, "--password", SECRET)
        with open(inventory, "rb") as file:
            screen = self.terminal("-i", "-", "-c", "show version", stdin=file)
            self.log_in(screen)
            self.check_end(screen, 0)

    def test_inventory_from_a_pipe_while_output_goes_to_a_file(self):
        inventory = self.devsim(3, "--password", SECRET)
        with open(self.path("out"), "wb") as out:
            screen = self.terminal("-i", "-", "-c", "show version", "-o", "jsonl", stdout=out,
                                   stdin=subprocess.PIPE)
            screen.popen.stdin.write(rig.read(inventory))
            screen.popen.stdin.close()
            self.log_in(screen)
            self.check_end(screen, 0)
        tasks = [json.loads(line) for line in rig.read(self.path("out")).splitlines()]
        self.assertEqual([task["outcome"] for task in tasks], ["ok"] * 3)

    def test_ctrl_c_at_the_password_prompt(self):
        inventory = self.devsim(1, "--password", SECRET, "--record", self.path("record"))
        screen = self.terminal("-i", inventory, "-c", "show version")
        screen.wait_for(rb"(?i)password.*: ?$")
        rig.wait_until(lambda: not screen.echoes(), "echo off")
        screen.type(CTRL_C)
        self.check_end(screen, 130)
        self.assertEqual(rig.login_attempts(self.path("record")), {})

    def start_sweep(self, count, *arguments, devices=()):
        """A sweep with 4 sessions whose first 4 devices have got their command."""
        inventory = self.devsim(count, "--password", SECRET, "--record", self.path("record"),
                                *devices)
        self.out = open(self.path("out"), "wb")
        self.addCleanup(self.out.close)
        screen = self.terminal("-i", inventory, "-c", "show version", "--sessions", 4, "-o",
                               "jsonl", "--output-dir", self.path("texts"), "--store",
                               self.path("store.db"), *arguments, stdout=self.out)
        self.log_in(screen)
        rig.wait_until(lambda: len(rig.commands_seen(self.path("record"), "show version")) >= 4,
                       "4 devices that run their command")
        return screen

    def tasks(self):
        tasks = [json.loads(line) for line in rig.read(self.path("out")).splitlines()]
        self.assertEqual([task["index"] for task in tasks], list(range(len(tasks))))
        return tasks

    def check_files(self, tasks):
        """Each file whole, one for each result with output, nothing else in the directory."""
        finished = [n for n, task in enumerate(tasks, 1) if task["outcome"] == "ok"]
        texts = [rig.read(os.path.join(self.path("texts"), name))
                 for name in os.listdir(self.path("texts"))]
        self.assertEqual(len(texts), len(finished), os.listdir(self.path("texts")))
        for number in finished:
            whole = self.simulated_output("show version", number)
            self.assertEqual(sum(whole in text for text in texts), 1)

    def test_ctrl_c_once_drains(self):
        screen = self.start_sweep(40, devices=["--command-delay", "2s"])
        screen.type(CTRL_C)
        self.check_end(screen, 130)
        tasks = self.tasks()
        self.assertEqual(len(tasks), 40)
        finished = [task for task in tasks if task["outcome"] == "ok"]
        self.assertEqual({task["outcome"] for task in tasks}, {"ok", "cancelled"}, screen.text())
        self.assertGreaterEqual(len(finished), 4)
        self.assertLess(len(finished), 40)
        for number, task in enumerate(tasks, 1):
            if task["outcome"] == "ok":
                self.assertEqual(task["commands"][0]["output"].encode(),
                                 self.simulated_output("show version", number))
        self.check_files(tasks)

    def test_ctrl_c_twice_stops_at_once(self):
        # Devices that never answer, and time-outs far beyond the deadline of this test.
        screen = self.start_sweep(40, "--command-timeout", "1h", "--task-timeout", "1h",
                                  devices=["--fault", "hang-at-command:2-40"])
        screen.type(CTRL_C)
        screen.wait_for(rb"(?i)once more|again")  # what a second one does is said after the first
        screen.type(CTRL_C)
        self.check_end(screen, 130)
        tasks = self.tasks()
        self.assertEqual(len(tasks), 40)
        self.assertEqual({task["outcome"] for task in tasks[1:]}, {"cancelled"}, screen.text())
        self.check_files(tasks)
        self.check_store(tasks)

    def check_store(self, tasks):
        ran = self.finish([f"{rig.BIN}/netfleet", "results", "last", "-o", "jsonl", "--store",
                           self.path("store.db")])
        self.assertEqual(ran.status, 1, str(ran))
        self.assertEqual(ran.objects(), tasks)

    def test_sigterm_stops_like_ctrl_c(self):
        screen = self.start_sweep(40, devices=["--command-delay", "2s"])
        screen.popen.terminate()
        self.assertEqual(screen.wait(), 130, screen.text())
        self.assertEqual(len(self.tasks()), 40)

    def test_a_reader_that_goes_away_is_no_crash(self):
        inventory = self.devsim(30, "--password", SECRET)
        reader, writer = os.pipe()
        screen = self.terminal("-i", inventory, "-c", "show running-config", stdout=writer)
        os.close(writer)
        os.close(reader)
        self.log_in(screen)
        self.assertIn(screen.wait(), (0, 1, 2), screen.text())
        self.assertTrue(screen.echoes())


if __name__ == "__main__":
    unittest.main()

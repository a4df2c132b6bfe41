"""--session-log: what devices and netfleet said is written down, for its owner alone, without the
password, and `netfleet replay` makes the same outputs of it.
"""

import os
import unittest

import rig


class SessionLog(rig.RigTest):
    def logs(self):
        directory = self.path("logs")
        return sorted(f"{directory}/{name}" for name in os.listdir(directory))

    def replay(self, path, *more, status=0):
        ran = self.finish([f"{rig.BIN}/netfleet", "replay", path, *more])
        self.assertEqual(ran.status, status, str(ran))
        return ran

    def test_a_log_replays_to_the_same_outputs(self):
        inventory = self.devsim(3, "--fault", "hang-at-command:3", "--fault", "wrong-password:2")
        ran = self.sweep("-i", inventory, "-u", "admin", "-c", "show version", "-c", "show clock",
                         "--command-timeout", "2s", "--on-auth-failure", "continue", "-o", "jsonl",
                         "--session-log", self.path("logs"), status=1)
        first, refused, hanging = ran.objects()
        self.assertEqual(os.stat(self.path("logs")).st_mode & 0o777, 0o700)
        self.assertEqual(len(self.logs()), 3)
        for task in ran.objects():
            (path,) = [path for path in self.logs()
                       if os.path.basename(path).startswith(task["host"] + ".")]
            with self.subTest(outcome=task["outcome"]):
                self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
                with open(path, "rb") as log:
                    self.assertIn(f"ended {task['outcome']}".encode(), log.read())
                same = task["outcome"] == "ok"
                (replayed,) = self.replay(path, "-o", "jsonl", status=0 if same else 1).objects()
                if task == refused:
                    continue  # no shell, so no dialogue
                self.assertEqual(replayed["outcome"], task["outcome"])
                self.assertEqual([command["output"] for command in replayed["commands"]],
                                 [command["output"] for command in task["commands"]])
        self.assertEqual((first["outcome"], refused["outcome"], hanging["outcome"]),
                         ("ok", "auth_failed", "timed_out"))

    def test_a_change_of_the_platform_is_said(self):
        inventory = self.devsim(1)
        self.sweep("-i", inventory, "-u", "admin", "-c", "show clock",
                   "--session-log", self.path("logs"))
        (path,) = self.logs()
        ran = self.replay(path, "-P", "linux", status=1)
        self.assertIn("was typed, now it would be", ran.err)
        bad = self.path("bad.log")
        with open(bad, "w", encoding="utf-8") as log:
            log.write("platform cisco_ios\nsmell bad\n")
        self.assertIn('bad.log: 2: unknown word "smell"', self.replay(bad, status=2).err)


if __name__ == "__main__":
    unittest.main()

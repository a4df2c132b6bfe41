"""Old sweeps are removed, with what they alone had, and nothing else."""

import os
import unittest

import history


class Prune(history.HistoryTest):
    def prune(self, *arguments, status=0):
        return self.netfleet("prune", *arguments, status=status)

    def sweeps(self):
        lines = self.netfleet("results", "--list").out.decode().splitlines()[1:]
        return [line.split()[0] for line in lines]

    def several(self, count):
        inventory = self.inventory("sw1")
        made = []
        for number in range(count):
            self.shows("sw1", f"number {number}\n" + os.urandom(2000).hex() + "\n")
            made.append(self.look(inventory))
        return inventory, list(reversed(made))

    def test_the_newest_stay(self):
        inventory, made = self.several(4)
        ran = self.prune("--keep-sweeps", 2, "--dry-run")
        self.assertEqual(ran.err, "2 sweeps would be removed\n")
        self.assertEqual(self.sweeps(), made)
        ran = self.prune("--keep-sweeps", 2, "--keep-days", 1)  # all are of today
        self.assertEqual(ran.out, b"")
        self.assertEqual(self.sweeps(), made)
        ran = self.prune("--keep-sweeps", 2, "--compact")
        self.assertEqual(ran.out.decode(), "".join(f"{sweep}  1 host\n" for sweep in made[2:]))
        self.assertEqual(ran.err, "2 sweeps removed, with 2 distinct outputs\n")
        self.assertEqual(self.sweeps(), made[:2])
        self.netfleet("results", made[2], status=2)
        shown = self.netfleet("results", made[0], "-o", "jsonl").objects()
        self.assertTrue(shown[0]["commands"][0]["output"].startswith("number 3\n"))
        self.assertIn("1 of 1 hosts differ", self.netfleet("diff", status=1).err)
        self.look(inventory)
        self.assertEqual(len(self.sweeps()), 3)

    def test_what_runs_or_can_be_gone_on_with_stays(self):
        inventory, _ = self.several(2)
        run = self.start(*self.run_argv("-i", inventory, "-H", "tester@127.0.0.2:9", "--store",
                                        self.store, "-c", "show running-config", "-o", "jsonl",
                                        "--retries", 100))
        run.wait_for(r'"index":0')
        running = self.sweeps()[0]
        self.prune("--keep-sweeps", 1)
        self.assertIn(running, self.sweeps())
        self.several(1)
        ran = self.prune("--keep-sweeps", 1, "--unfinished")
        self.assertIn(f"sweep {running} is being worked at: it stays", ran.err)
        run.kill()
        self.prune("--keep-sweeps", 1)
        self.assertIn(running, self.sweeps())
        self.prune("--keep-sweeps", 1, "--unfinished")
        self.assertNotIn(running, self.sweeps())
        self.sweep("--store", self.store, "--resume", running, status=2)

    def test_bad_input(self):
        self.assertIn("no store at", self.prune("--keep-sweeps", 1, status=2).err)
        self.several(1)
        for arguments, message in (([], "nothing says what stays"),
                                   (["--keep-sweeps", 0], "--keep-sweeps"),
                                   (["--keep-days", "x"], "--keep-days"),
                                   (["--keep-days", 1, "--dry-run", "--compact"], "exclude")):
            self.assertIn(message, self.prune(*arguments, status=2).err)
        self.assertEqual(len(self.sweeps()), 1)


if __name__ == "__main__":
    unittest.main()

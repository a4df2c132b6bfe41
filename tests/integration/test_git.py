"""Configuration backups by run --git, looked at with git itself."""

import os
import pathlib
import signal
import subprocess
import unittest

import history
import rig


class Git(history.HistoryTest):
    def setUp(self):
        super().setUp()
        self.backup = self.path("backup")

    def git(self, *arguments, status=0):
        done = subprocess.run(["git", "-C", self.backup, *arguments], env=self.env, timeout=60,
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, status, done)
        return done.stdout.decode()

    def commits(self):
        return self.git("log", "--format=%s").splitlines()

    def assert_sound(self):
        self.git("fsck", "--strict")
        self.assertEqual(self.git("status", "--porcelain"), "")

    def save(self, inventory, *arguments, status=0, **options):
        return self.sweep("-i", inventory, "--store", self.store, "--retries", 0, "-o", "summary",
                          "-c", "show running-config", "--git", self.backup, *arguments,
                          status=status, **options)

    def test_a_file_a_device_and_a_commit_a_sweep(self):
        odd = ["../../x", "a/b", "-rf", ".git", "SW1", "sw1", "2001:db8::1", "x\\y", "ümlaut",
               "con"]
        for number, _ in enumerate(odd):
            self.shows(f"d{number}", f"hostname {number}\n")
        inventory = self.inventory(*((name, f"d{number}") for number, name in enumerate(odd)))
        ran = self.save(inventory)
        self.assertRegex(ran.err,
                         rf"git {self.backup}: 10 files changed \(commit [0-9a-f]+\), 0 did")
        self.assert_sound()
        names = self.git("-c", "core.quotepath=off", "ls-files").splitlines()
        self.assertEqual(len(names), 10)
        for number, name in enumerate(("%2E.%2F..%2Fx", "a%2Fb", "%2Drf", "%2Egit")):
            self.assertEqual(rig.read(f"{self.backup}/{name}.txt"), b"hostname %d\n" % number)
        self.assertEqual(self.git("log", "--format=%an %ae %cn"),
                         "netfleet netfleet@localhost netfleet\n")
        self.shows("d4", "hostname four\n")
        self.save(inventory)
        self.assert_sound()
        shown = self.git("show", "--format=%s%n%b")
        self.assertRegex(shown, r"^Sweep [-\w]+\n1 file changed, 9 did not\n")
        self.assertIn("-hostname 4\n+hostname four\n", shown)
        self.assertIn("+++ b/SW1.txt\n", shown)
        self.save(inventory)
        self.assertEqual(len(self.commits()), 2)

    def test_a_good_file_stays(self):
        names = ["fails", "cut", "empty", "refuses", "clock"]
        for name in names:
            self.shows(name, f"! Last configuration change at 1\nhostname {name}\n")
        inventory = self.inventory(*names)
        self.save(inventory)
        self.shows("fails", None)
        self.shows("cut", "x" * 9000 + "\n")
        self.shows("empty", "\n \n")
        self.shows("refuses", "% Invalid input detected\n")
        self.shows("clock", "! Last configuration change at 2\nhostname clock\n")
        ran = self.save(inventory, "--max-output", "4K", status=1)
        self.assertIn("0 files changed, 1 did not, 4 kept (failed, cut or empty)", ran.err)
        for name in names:
            self.assertEqual(rig.read(f"{self.backup}/{name}.txt").decode(),
                             f"! Last configuration change at 1\nhostname {name}\n")
        self.assertEqual(len(self.commits()), 1)
        self.assert_sound()

    def test_shards(self):
        for name in "a", "b":
            self.shows(name, f"hostname {name}\n")
        inventory = self.inventory("a", "b", groups={"a": ["core", "eu"]})
        self.save(inventory, "--git-shard", "group")
        self.assertEqual(self.git("ls-files"), "core/a.txt\nungrouped/b.txt\n")
        self.backup = self.path("by-region")
        self.save(inventory, "--git-shard", "region")
        self.assertEqual(self.git("ls-files"), "default/a.txt\ndefault/b.txt\n")

    def test_hooks_and_the_users_settings_do_nothing(self):
        self.shows("a", "one\r\ntwo\n")
        self.write(".gitconfig", "[user]\nname = Somebody\nemail = s@example.net\n"
                   "[core]\nautocrlf = true\nhooksPath = /nowhere\n[init]\ntemplateDir = /nowhere\n"
                   "[commit]\ngpgsign = true\n")
        self.env.update(GIT_DIR="/nowhere", GIT_INDEX_FILE="/nowhere", GIT_AUTHOR_NAME="Else")
        self.save(self.inventory("a"))
        for name in "GIT_DIR", "GIT_INDEX_FILE", "GIT_AUTHOR_NAME":
            del self.env[name]
        os.unlink(self.path(".gitconfig"))
        self.assertEqual(self.git("log", "--format=%an"), "netfleet\n")
        for hook in "pre-commit", "post-commit", "reference-transaction", "post-checkout":
            path = pathlib.Path(self.backup, ".git", "hooks", hook)
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"#!/bin/sh\ntouch {self.path('ran')}\nexit 1\n", encoding="utf-8")
            path.chmod(0o755)
        self.shows("a", "three\n")
        self.save(self.inventory("a"))
        self.assertEqual(len(self.commits()), 2)
        self.assertFalse(os.path.exists(self.path("ran")))

    def test_a_bare_repository_will_do(self):
        subprocess.run(["git", "init", "-q", "--bare", self.backup], env=self.env, check=True)
        for text in "one\n", "two\n":
            self.shows("a", text)
            self.save(self.inventory("a"))
        self.assertEqual(self.git("show", "HEAD:a.txt"), "two\n")
        self.git("fsck", "--strict")

    def test_what_is_refused(self):
        self.shows("a", "one\n")
        inventory = self.inventory("a")
        self.save(inventory)

        def refused(message):
            ran = self.save(inventory, status=2)
            self.assertIn(message, ran.err)
            self.assertEqual(ran.out, b"")

        self.write("backup/a.txt", "edited\n")
        refused("changes that are not committed: a.txt")
        self.git("add", "a.txt")
        refused("changes that are not committed: a.txt")
        self.git("checkout", "-q", "-f", "HEAD")
        self.git("checkout", "-q", "--detach")
        refused("no branch is checked out")
        self.git("checkout", "-q", "main")
        self.save(inventory)
        self.write("backup/.git/HEAD", "nonsense")
        refused("git ")
        self.backup = self.path("foreign")
        subprocess.run(["git", "init", "-q", self.backup], env=self.env, check=True)
        self.git("-c", "user.name=x", "-c", "user.email=x@y", "commit", "-q", "--allow-empty",
                 "-m", "mine")
        refused("not made by netfleet")
        os.mkdir(os.path.join(self.backup, "sub"))
        self.backup = os.path.join(self.backup, "sub")
        self.save(inventory)  # an empty directory, not the repository around it
        self.assertEqual(len(self.commits()), 1)
        self.backup = self.write("file", "x")
        refused("file")

    def test_kill_in_the_middle_leaves_it_sound(self):
        names = [f"d{number}" for number in range(6)]
        inventory = self.inventory(*names)
        for name in names:
            self.shows(name, f"hostname {name}\n")
        self.save(inventory)
        for round_ in range(3):
            for name in names:
                self.shows(name, f"hostname {name}\nround {round_}\n" + "x" * 100 + "\n")
            run = self.start(*self.run_argv("-i", inventory, "--store", self.store, "-o", "jsonl",
                                            "-c", "show running-config", "--git", self.backup))
            run.wait_for(r'"index":', count=2 + round_)
            run.send_signal(signal.SIGKILL)
            run.wait()
            self.git("fsck", "--strict")
            ran = self.save(inventory)
            self.assertIn("6 files changed", ran.err)
            self.assert_sound()
        self.assertEqual(len(self.commits()), 4)

    def test_resume_commits(self):
        names = [f"d{number}" for number in range(4)]
        for name in names:
            self.shows(name, f"hostname {name}\n")
        inventory = self.inventory(*names, groups={name: ["core"] for name in names})
        run = self.start(*self.run_argv("-i", inventory, "--store", self.store, "-o", "jsonl",
                                        "-c", "show running-config", "--git", self.backup,
                                        "--git-shard", "group"))
        run.wait_for(r'"index":')
        run.kill()
        resume = ["--store", self.store, "--resume", "last", "--git", self.backup, "--git-shard",
                  "group"]
        self.assertIn("groups of d0 are not stored", self.sweep(*resume, status=2).err)
        self.sweep(*resume, "-i", inventory)
        self.assertEqual(self.git("ls-files"), "".join(f"core/{name}.txt\n" for name in names))
        self.assert_sound()

    def test_of_a_past_sweep(self):
        for name in "ab":
            self.shows(name, f"hostname {name}\n".encode() + b"\xff\n")
        inventory = self.inventory("a", "b")
        first = self.look(inventory)
        self.shows("a", "hostname new\n")
        self.shows("b", None)
        second = self.look(inventory, status=1)
        keep = ["-o", "summary", "--git", self.backup]
        ran = self.netfleet("results", first, *keep)
        self.assertRegex(ran.err, rf"git {self.backup}: 2 files changed \(commit [0-9a-f]+\)")
        self.assertEqual(rig.read(f"{self.backup}/b.txt"), b"hostname b\n\xff\n")
        self.netfleet("results", second, *keep, status=1)
        self.assertEqual(self.commits(), [f"Sweep {second}", f"Sweep {first}"])
        self.assertEqual(self.git("show", "--format=", "--name-only"), "a.txt\n")
        self.assert_sound()
        self.netfleet("results", second, *keep, status=1)
        self.assertEqual(len(self.commits()), 2, "nothing is new")

        self.backup = self.path("at once")
        self.save(inventory, status=1)
        at_once = self.git("show", "-s", "--format=%s %ct")
        self.backup = self.path("later")
        self.netfleet("results", "last", "-o", "summary", "--git", self.backup, status=1)
        self.assertEqual(self.git("show", "-s", "--format=%s %ct"), at_once)
        self.backup = self.path("by-region")
        self.netfleet("results", first, "-o", "summary", "--git", self.backup, "--git-shard",
                      "region")
        self.assertEqual(self.git("ls-files"), "default/a.txt\ndefault/b.txt\n")
        for arguments, said in ((["--git-shard", "region"], "--git-shard needs --git"),
                                (["--git", self.directory], "no git repository"),
                                (["--git", self.backup, "--list"], "one sweep of a store here")):
            self.assertIn(said, self.netfleet("results", first, *arguments, status=2).err)
        ran = self.finish([f"{rig.BIN}/netfleet", "results", "--git", self.backup],
                          env={"NETFLEET_SERVER": "http://127.0.0.1:1"})
        self.assertEqual(ran.status, 2, str(ran))
        self.assertIn("give --store FILE", ran.err)

    def test_a_full_disk_fails_no_sweep(self):
        disk = self.path("disk")
        os.mkdir(disk)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=True)
        self.backup = os.path.join(disk, "backup")
        self.shows("a", "good\n")
        inventory = self.inventory("a")
        self.save(inventory)
        with open(os.path.join(disk, "ballast"), "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass
        self.shows("a", os.urandom(300_000).hex() + "\n")
        ran = self.save(inventory, status=2)
        self.assertIn("No space left on device", ran.err)
        self.assertEqual(self.netfleet("results", "-o", "jsonl").outcomes(), {"ok": 1})
        self.assertEqual(rig.read(f"{self.backup}/a.txt"), b"good\n")
        os.unlink(os.path.join(disk, "ballast"))
        self.assertIn("1 file changed", self.save(inventory).err)
        self.assert_sound()


if __name__ == "__main__":
    unittest.main()

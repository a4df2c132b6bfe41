"""Bad input: each with a clear message (what, on what, why, file:line where there is one), the
right exit status or outcome, nothing lost, and never a crash.
"""

import os
import subprocess
import unittest

import rig

USAGE = 2


class BadInput(rig.RigTest):
    def run_with(self, inventory, *arguments, status=USAGE, **options):
        ran = self.sweep("-i", inventory, "-u", "admin", "-c", "show clock", "--retries", 0,
                         *arguments, status=status, **options)
        self.assertNotIn("terminate called", ran.err)
        return ran

    def refused(self, inventory, *words, **options):
        """Refused before any device is touched; the message holds all of these."""
        ran = self.run_with(inventory, **options)
        self.assertEqual(ran.out, b"")
        for word in words:
            self.assertIn(word.lower(), ran.err.lower())
        self.assertLess(len(ran.err.splitlines()), 40)
        return ran

    # Inventories ---------------------------------------------------------------------------------

    def test_files_that_are_no_inventory(self):
        empty = self.write("empty.txt", "")
        self.refused(empty, empty, "no host")
        comments = self.write("comments.txt", "# nothing\n\n  \n")
        self.refused(comments, comments, "no host")
        missing = self.path("missing.txt")
        self.refused(missing, missing, "no such file")
        binary = self.write("binary.txt", bytes(range(256)) * 100)
        self.refused(binary, f"{binary}:")
        folder = self.path("folder")
        os.mkdir(folder)
        self.refused(folder, folder, "hosts.yaml")

    def test_an_unreadable_file(self):
        # Root reads everything: this one runs as nobody, from a copy that nobody can reach.
        unreadable = self.write("unreadable.txt", "127.0.0.1\n", 0o000)
        program = self.write("netfleet", rig.read(f"{rig.BIN}/netfleet"), 0o755)
        argv = self.run_argv("-i", unreadable, "-u", "admin", "-c", "show clock", "--store", "none")
        ran = self.finish(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                           program, *argv[1:]])
        self.assertEqual(ran.status, USAGE, str(ran))
        self.assertIn(unreadable, ran.err)
        self.assertIn("permission denied", ran.err.lower())

    def test_a_gigabyte(self):
        huge = self.path("huge.txt")
        with open(huge, "wb") as file:
            file.truncate(1 << 30)
        self.refused(huge, huge)
        with open(huge, "wb") as file:  # and one that is text, without a single line ending
            file.write(b"a" * (1 << 20))
            file.truncate(1 << 30)
        self.refused(huge, huge)

    def test_lines_that_are_no_host(self):
        for line in ("127.0.0.1:0", "127.0.0.1:70000", "127.0.0.1:-1", "127.0.0.1:ssh", "[::1",
                     "[::1]x", "admin@", "@127.0.0.1", "a b c d", "host\x1b[31m", "x" * 5000):
            with self.subTest(line=line[:40]):
                inventory = self.write("bad.txt", f"127.0.0.2\n{line}\n127.0.0.3\n")
                ran = self.refused(inventory, f"{inventory}:2")
                self.assertNotIn("\x1b", ran.err)

    def test_all_that_is_wrong_is_said_at_once(self):
        inventory = self.write("bad.txt", "a:0\nb\nc:70000\n")
        self.refused(inventory, f"{inventory}:1", f"{inventory}:3")

    def test_broken_csv_and_yaml(self):
        csv = self.write("bad.csv", "name,port\nr1,22\nr2,seventy\n")
        self.refused(csv, f"{csv}:3")
        yaml = self.write("bad.yaml", "hosts:\n  r1:\n    port: [1\n")
        self.refused(yaml, yaml)
        port = self.write("port.yaml", "hosts:\n  r1:\n    hostname: a\n    port: 70000\n")
        self.refused(port, f"{port}:4")
        group = self.write("group.yaml", "hosts:\n  r1:\n    groups: [nowhere]\n")
        self.refused(group, group, "nowhere")
        cycle = self.write("cycle.yaml", "hosts: {r1: {groups: [a]}}\n"
                                         "groups: {a: {groups: [b]}, b: {groups: [a]}}\n")
        self.refused(cycle, cycle)
        bomb = self.write("bomb.yaml", "hosts:\n  r1: &a {data: {x: 1}}\n  r2: *a\n" +
                          "a: " + "[" * 20000 + "\n")
        self.refused(bomb, bomb)

    def test_an_unknown_platform(self):
        inventory = self.write("devices.txt", "127.0.0.1 cisco_iso\n")
        self.refused(inventory, "cisco_iso")
        ran = self.run_with(self.write("one.txt", "127.0.0.1\n"), "--platform", "nonesuch")
        self.assertIn("nonesuch", ran.err)

    def test_what_is_unusual_but_right(self):
        good = self.devsim(3)
        lines = rig.read(good).decode().splitlines()
        crlf = self.write("crlf.txt", "\ufeff" + "\r\n".join(lines) + "\r\n")
        ran = self.run_with(crlf, "-o", "jsonl", status=0)
        self.assert_order(ran, good)

        double = self.write("double.txt", "\n".join([*lines, lines[0]]))
        ran = self.run_with(double, "-o", "jsonl", status=0)
        self.assert_order(ran, good)
        self.assertIn(f"{double}:4", ran.err)  # said, not swallowed

        ran = self.sweep("-i", "-", "-u", "admin", "-c", "show clock", "-o", "jsonl",
                         stdin=rig.read(good))
        self.assert_order(ran, good)

        arguments = ",".join(line.split()[0] for line in lines)
        ran = self.sweep("-H", arguments, "-u", "admin", "-c", "show clock", "-o", "jsonl")
        self.assert_order(ran, good)

    def test_ipv6_and_names_that_do_not_resolve(self):
        closed = rig.free_port()
        good = self.devsim(1)
        inventory = self.write("devices.txt", "::1\n[::1]:{0}\ncore_sw_1\n".format(closed - 1) +
                               rig.read(good).decode())
        ran = self.run_with(inventory, "--port", closed, "-o", "jsonl", status=1)
        bare, bracketed, name, fine = ran.objects()
        for task, port in ((bare, closed), (bracketed, closed - 1)):
            self.assertEqual((task["address"], task["port"]), ("::1", port))
            self.assertEqual(task["outcome"], "unreachable")
            self.assertIn(f"[::1]:{port}", task["error"])
        self.assertEqual((name["host"], name["outcome"]), ("core_sw_1", "unreachable"))
        self.assertIn("core_sw_1", name["error"])
        self.assertEqual(fine["outcome"], "ok")

    def test_a_domain_user(self):
        inventory = self.devsim(1, "--user", r"CORP\joe")
        address = rig.read(inventory).decode().split()[0].rpartition("@")[2]
        self.sweep("-H", rf"CORP\joe@{address}", "-c", "show clock")
        self.sweep("-H", address, "-u", r"CORP\joe", "-c", "show clock")

    # Command line --------------------------------------------------------------------------------

    def test_command_lines_that_make_no_sense(self):
        for arguments, word in (
                (["--sessions", "0"], "sessions"), (["--sessions", "many"], "sessions"),
                (["--connect-timeout", "10y"], "connect-timeout"),
                (["--command-timeout", "-1s"], "command-timeout"),
                (["--port", "0"], "port"), (["--port", "70000"], "port"),
                (["-o", "xml"], "xml"), (["--order", "random"], "order"),
                (["--host-key-policy", "maybe"], "host-key-policy"),
                (["--no-such-option"], "no-such-option"), (["-l", "group:"], "group"),
                (["-l", "(a or"], "a or"), (["-l", "nobody"], "nobody"),
                (["--commands-file", self.path("none.txt")], "none.txt"),
                (["-c", "two\nlines"], "line")):
            with self.subTest(arguments=arguments):
                ran = self.sweep("-H", "127.0.0.1", "-u", "admin", "-c", "show clock", *arguments,
                                 status=USAGE)
                self.assertIn(word, ran.err)
                self.assertEqual(ran.out, b"")
        for argv in (["run"], ["run", "-H", "a", "-u", "b"], ["run", "-u", "b", "-c", "c"],
                     ["walk"], []):
            with self.subTest(argv=argv):
                self.assertEqual(self.finish([f"{rig.BIN}/netfleet", *argv]).status, USAGE)
        for argv in (["--help"], ["run", "--help"], ["results", "--help"], ["--version"]):
            ran = self.finish([f"{rig.BIN}/netfleet", *argv])
            self.assertEqual((ran.status, ran.err), (0, ""), str(ran))
            self.assertNotEqual(ran.out, b"")

    # Credentials ---------------------------------------------------------------------------------

    def test_no_terminal_and_no_password(self):
        inventory = self.devsim(1, "--record", self.path("record"))
        ran = self.run_with(inventory, password=None)
        self.assertIn("--password-env", ran.err)
        self.assertEqual(rig.login_attempts(self.path("record")), {})

    def test_password_sources_that_give_none(self):
        empty = self.write("empty", "", 0o600)
        for source, word in ((["--password-env", "NOT_THERE"], "NOT_THERE"),
                             (["--password-file", self.path("none")], "none"),
                             (["--password-file", empty], "empty"),
                             (["--password-command", "exit 3"], "3"),
                             (["--password-command", "true"], "password")):
            with self.subTest(source=source):
                ran = self.sweep("-H", "127.0.0.1", "-u", "admin", "-c", "show clock", *source,
                                 password=None, status=USAGE)
                self.assertIn(word, ran.err)

    def test_password_sources_that_work(self):
        inventory = self.devsim(2)
        secret = self.write("secret", f"{rig.PASSWORD}\n", 0o600)
        for source in (["--password-file", secret], ["--password-command", f"cat {secret}"]):
            ran = self.run_with(inventory, *source, "-o", "jsonl", password=None, status=0)
            self.assertEqual(ran.outcomes(), {"ok": 2})

    def key(self, name, passphrase="", mode=0o600):
        path = self.path(name)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", path],
                       check=True, timeout=30)
        os.chmod(path, mode)
        return path

    def test_keys_that_cannot_be_used(self):
        inventory = self.devsim(1, "--record", self.path("record"))
        cases = [(self.key("open_key", mode=0o644), "permission"),
                 (self.key("locked_key", "open sesame"), "passphrase"),
                 (self.write("no_key", "hello\n", 0o600), "key"),
                 (self.path("none"), "no such file")]
        for path, word in cases:
            with self.subTest(key=path):
                ran = self.run_with(inventory, "--key", path, password=None)
                self.assertIn(path, ran.err)
                self.assertIn(word, ran.err.lower())
        wrong = {"NETFLEET_TEST_PHRASE": "close sesame"}
        ran = self.run_with(inventory, "--key", cases[1][0], "--key-passphrase-env",
                            "NETFLEET_TEST_PHRASE", password=None, env=wrong)
        self.assertIn("passphrase", ran.err)
        self.assertNotIn("close sesame", ran.err)
        self.assertEqual(rig.login_attempts(self.path("record")), {})

    # Where results go ----------------------------------------------------------------------------

    def small_disk(self):
        place = self.path("small")
        os.mkdir(place)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", place], check=True,
                       timeout=30)
        self.addCleanup(subprocess.run, ["umount", "-l", place], check=True, timeout=30)
        return place

    def test_places_that_cannot_be_written(self):
        inventory = self.devsim(1, "--record", self.path("record"))
        file = self.write("file", "")
        for option in ("--output-dir", "--store"):
            with self.subTest(option=option):
                ran = self.run_with(inventory, option, f"{file}/below")
                self.assertIn(f"{file}/below", ran.err)
                self.assertEqual(ran.out, b"")
        # Host keys that cannot be remembered are that host's failure: nothing else needs the file.
        ran = self.run_with(inventory, "--known-hosts", f"{file}/below", "-o", "jsonl", status=1)
        self.assertEqual(ran.outcomes(), {"host_key_rejected": 1})
        self.assertIn(f"{file}/below", ran.objects()[0]["error"])
        self.assertEqual(rig.login_attempts(self.path("record")), {})

    def test_a_store_that_is_none(self):
        inventory = self.devsim(1)
        store = self.write("store.db", "this is no database " * 400)
        ran = self.run_with(inventory, "--store", store)
        self.assertIn(store, ran.err)
        self.assertEqual(rig.read(store), b"this is no database " * 400)

    def check_full_disk(self, ran, inventory, place, command):
        """The disk filled up in the middle: what the devices said is still printed, whole."""
        self.assertEqual(ran.status, USAGE, str(ran))
        self.assertIn(place, ran.err)
        self.assertRegex(ran.err.lower(), "no space|full")
        self.assert_order(ran, inventory)
        for number, task in enumerate(ran.objects(), 1):
            self.assertEqual(task["commands"][0]["output"].encode(),
                             self.simulated_output(command, number))

    def test_a_full_disk_for_the_output_directory(self):
        place, inventory = self.small_disk(), self.devsim(10)
        ran = self.finish(self.run_argv("-i", inventory, "-u", "admin", "-c", "show tech 100", "-o",
                                        "jsonl", "--output-dir", place))
        self.check_full_disk(ran, inventory, place, "show tech 100")
        for name in os.listdir(place):  # whole files only
            self.assertGreaterEqual(os.path.getsize(os.path.join(place, name)), 100 * 1024)

    def test_a_full_disk_for_the_store(self):
        place, inventory = self.small_disk(), self.devsim(10)
        with open(f"{place}/ballast", "wb") as ballast:
            ballast.write(b"-" * (20 << 10))  # room for the tables, not for the results
        ran = self.finish(self.run_argv("-i", inventory, "-u", "admin", "-c", "show tech 1000",
                                        "-o", "jsonl", "--store", f"{place}/store.db"))
        self.check_full_disk(ran, inventory, place, "show tech 1000")

    def test_a_full_disk_for_standard_output(self):
        inventory = self.devsim(3)
        with open("/dev/full", "wb") as full:
            argv = self.run_argv("-i", inventory, "-u", "admin", "-c", "show version")
            done = subprocess.run(argv, stdout=full, stderr=subprocess.PIPE, env=self.env,
                                  stdin=subprocess.DEVNULL, timeout=60, check=False)
        self.assertEqual(done.returncode, USAGE, done.stderr)
        self.assertIn(b"No space left", done.stderr)

    def run_into(self, argv, **streams):
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.run(argv, env=self.env, timeout=60, check=False, **{**quiet, **streams})

    def test_standard_error_that_cannot_be_written(self):
        """Nothing can be said there, and the results are still whole."""
        inventory = self.devsim(3)
        argv = self.run_argv("-i", inventory, "-u", "admin", "-c", "show version", "-v", "-o",
                             "jsonl")
        with open("/dev/full", "wb") as full:
            done = self.run_into(argv, stderr=full)
        self.assertEqual((done.returncode, len(done.stdout.splitlines())), (0, 3))
        done = self.run_into(["sh", "-c", '"$@" 2>&-', "sh", *argv])
        self.assertEqual((done.returncode, len(done.stdout.splitlines())), (0, 3), done.stderr)

    def test_help_that_cannot_be_printed(self):
        for program in ("netfleet", "netfleet-worker"):
            with self.subTest(program=program), open("/dev/full", "wb") as full:
                done = self.run_into([f"{rig.BIN}/{program}", "--help"], stdout=full)
                self.assertEqual(done.returncode, USAGE)
                self.assertIn(b"No space left", done.stderr)


if __name__ == "__main__":
    unittest.main()

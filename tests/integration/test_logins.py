"""Logins of every kind against real SSH servers of three makes: several questions, one-time codes,
disclaimers, several methods one after the other. What is typed where is in the servers' records.
"""

import json
import os
import select
import socket
import unittest

import rig
import servers
import terminal

PASSWORD = rig.PASSWORD
ASK_PASSWORD = ["Password: ", False]
ASK_CODE = ["Verification code: ", False]


def setUpModule():
    servers.take_machine()


class Logins(rig.RigTest):
    def serve(self, make, user="admin", **scenario):
        scenario = {"user": user, "password": PASSWORD, "methods": ["keyboard-interactive"],
                    **scenario}
        path = self.write("scenario.json", json.dumps(scenario))
        self.record = self.path("record")
        process = self.start("/usr/bin/python3", "-W", "ignore",
                             os.path.join(os.path.dirname(__file__), "other_ssh.py"), make, path,
                             self.record)
        port = int(process.wait_for(r"^ready (\d+)")[1])
        self.address = f"{user}@127.0.0.1:{port}"

    def run_argv(self, *arguments, **options):
        return super().run_argv("-H", self.address, "-P", "generic", "-c", "show clock", "-o",
                                "jsonl", "--store", "none", *arguments, **options)

    def answers(self):
        return [(e.get("prompt"), e["answer"])
                for e in rig.recorded(self.record, "answer", "password")]

    def logs_in(self, *arguments, **options):
        task, = self.sweep(*arguments, **options).objects()
        self.assertEqual(task["outcome"], "ok", task)
        self.assertEqual(task["commands"][0]["output"], "ran show clock\n")

    def refused(self, *arguments, **options):
        task, = self.sweep(*arguments, status=4, **options).objects()
        self.assertEqual(task["outcome"], "auth_failed", task)
        return task["error"]

    def otp(self, text):
        return "--otp-command", f"echo {text}"


class Questions(Logins):
    def test_password_and_code_in_one_round(self):
        for make in ("asyncssh", "paramiko"):
            with self.subTest(make):
                self.serve(make, rounds=[{"prompts": [ASK_PASSWORD, ASK_CODE],
                                          "right": [PASSWORD, "123456"]}])
                self.logs_in(*self.otp("123456"))
                self.assertEqual(self.answers()[-2:],
                                 [("Password: ", PASSWORD), ("Verification code: ", "123456")])

    def test_disclaimer_password_code_and_a_round_without_questions(self):
        terms = ["Do you accept the terms (yes/no)? ", True]
        self.serve("asyncssh", rounds=[
            {"title": "Warning", "instruction": "Authorised use only", "prompts": [terms],
             "right": ["yes"]},
            {"prompts": [ASK_PASSWORD], "right": [PASSWORD]},
            {"instruction": "A code was sent to you", "prompts": [["PASSCODE: ", False]],
             "right": ["admin-code"]},
            {"prompts": [], "right": []}])
        self.logs_in("--otp-command", 'echo "$NETFLEET_USER-code"')

    def test_password_and_code_in_one_answer(self):
        both = ["Password & verification code: ", False]
        self.serve("asyncssh", rounds=[{"prompts": [both], "right": [PASSWORD + "77"]}])
        self.logs_in(*self.otp("77"))

    def test_the_command_is_told_who_asks(self):
        self.serve("asyncssh", rounds=[{"prompts": [ASK_CODE], "right": [
            "admin 127.0.0.1 Verification code:"]}])
        host = self.address.partition("@")[2]
        self.logs_in("--otp-command",
                     f'[ "$NETFLEET_HOST" = {host} ] && echo "$NETFLEET_USER '
                     '${NETFLEET_HOST%:*} $NETFLEET_PROMPT"')

    def test_a_secret_goes_to_no_other_question(self):
        self.serve("asyncssh", rounds=[
            {"prompts": [ASK_PASSWORD, ["Mother's maiden name: ", False]], "right": ["", ""]}])
        self.assertIn('something else than a password or a one-time code: "Mother\'s maiden name:"',
                      self.refused(*self.otp("1; touch spent"), cwd=self.directory))
        self.assertEqual(self.answers(), [])
        self.assertFalse(os.path.exists(self.path("spent")))

    def test_a_password_that_must_be_changed(self):
        self.serve("paramiko", rounds=[
            {"prompts": [ASK_PASSWORD], "right": [PASSWORD]},
            {"prompts": [["New password: ", False], ["Retype new password: ", False]],
             "right": ["", ""]}])
        self.assertIn('wants the password changed: "New password:"', self.refused())
        self.assertEqual(self.answers(), [("Password: ", PASSWORD)])

    def test_a_refused_answer_is_not_repeated(self):
        self.serve("asyncssh", rounds=[
            {"prompts": [ASK_CODE], "right": ["other"], "again": True}])
        self.assertIn('it asks again: "Verification code:"', self.refused(*self.otp("1")))
        self.assertEqual(len(self.answers()), 1)

    def test_no_code_to_be_had(self):
        self.serve("asyncssh", rounds=[{"prompts": [ASK_CODE], "right": ["1"]}])
        self.assertIn('asks for a one-time code: "Verification code:"; give --otp-command',
                      self.refused())
        self.assertIn("it ended with status 7", self.refused("--otp-command", "exit 7"))
        # The command's end and the session's: whichever is noticed first.
        self.assertRegex(self.refused("--otp-command", "exec tail -f /dev/null", "--auth-timeout",
                                      "1s"),
                         'no one-time code (came within 1 s )?for "Verification code:"')
        self.assertEqual(self.answers(), [])


class Terminal(Logins):
    def setUp(self):
        super().setUp()
        self.serve("asyncssh", rounds=[{"prompts": [ASK_PASSWORD, ASK_CODE],
                                        "right": [PASSWORD, "4711"]}])

    def run_on_terminal(self, *arguments):
        return terminal.Terminal(self, self.run_argv(*arguments))

    def test_a_person_is_asked(self):
        tty = self.run_on_terminal("--progress", "on")
        tty.wait_for(rb"admin@127\.0\.0\.1:\d+ asks: Verification code: ")
        self.assertFalse(tty.echoes())
        tty.type(b"4711\n")
        self.assertEqual(tty.wait(), 0, tty.text())
        self.assertTrue(tty.echoes())
        self.assertNotIn("4711", tty.text())
        self.assertIn('"outcome":"ok"', tty.text())

    def test_nobody_is_there(self):
        tty = self.run_on_terminal("--auth-timeout", "1s")
        self.assertEqual(tty.wait(), 4, tty.text())
        self.assertIn('no one-time code', tty.text())
        self.assertTrue(tty.echoes())

    def test_interrupted_twice(self):
        tty = self.run_on_terminal()
        tty.wait_for(rb"asks: ")
        tty.type(b"\x03")
        tty.wait_for(rb"interrupt")
        tty.type(b"\x03")
        self.assertEqual(tty.wait(), 130, tty.text())
        self.assertTrue(tty.echoes())


class Steps(Logins):
    def test_password_then_code(self):
        self.serve("paramiko", methods=["password", "keyboard-interactive"],
                   rounds=[{"prompts": [ASK_CODE], "right": ["31337"]}])
        self.logs_in(*self.otp("31337"))
        self.assertEqual(self.answers(), [(None, PASSWORD), ("Verification code: ", "31337")])

    def test_the_second_step_is_refused(self):
        self.serve("paramiko", methods=["password", "keyboard-interactive"],
                   rounds=[{"prompts": [ASK_PASSWORD], "right": [PASSWORD]}])
        self.assertIn('it asks again: "Password:"', self.refused())
        self.assertEqual(self.answers(), [(None, PASSWORD)])

    def test_openssh_wants_key_and_password_in_either_order(self):
        user = servers.add_user(self, "steps", "/bin/bash")
        key = servers.client_key(self)
        for methods in ("publickey,password", "password,publickey"):
            with self.subTest(methods):
                server = servers.sshd(self, user, name=methods.replace(",", "-"),
                                      options=[f"AuthenticationMethods {methods}"])
                ran = self.finish([f"{rig.BIN}/netfleet", "run", "-H",
                                   f"{user}@127.0.0.1:{server.port}", "-P", "linux", "-k", key,
                                   "-c", "echo $((6*7))", "-o", "jsonl", "--store", "none",
                                   "--password-env", "SECRET"], env={"SECRET": servers.PASSWORD})
                self.assertEqual(ran.status, 0, str(ran))
                self.assertEqual(ran.objects()[0]["commands"][0]["output"], "42\n")


class Algorithms(Logins):
    """An asyncssh server that speaks old ones only."""

    def setUp(self):
        super().setUp()
        self.serve("asyncssh", methods=["password"], kex_algs=["diffie-hellman-group14-sha1"],
                   encryption_algs=["aes128-cbc", "3des-cbc"], mac_algs=["hmac-sha1"])

    def test_they_are_named_and_allowed_one_by_one(self):
        allowed = []
        for option in ("--kex +diffie-hellman-group14-sha1", "--ciphers +aes128-cbc",
                       "--macs +hmac-sha1"):
            task, = self.sweep("--retries", "0", *allowed, status=1).objects()
            self.assertEqual(task["outcome"], "unreachable")
            self.assertIn(f"(--legacy-algorithms or {option} allows it)", task["error"])
            allowed += option.split()
        self.logs_in(*allowed)
        self.logs_in("--legacy-algorithms")

    def test_in_the_inventory(self):
        inventory = self.write("hosts.yaml", f"""
hosts:
  old:
    hostname: 127.0.0.1
    port: {self.address.rpartition(":")[2]}
    username: admin
    kex: diffie-hellman-group14-sha1
    ciphers: +3des-cbc
    macs: ^hmac-sha1
""")
        ran = self.finish([f"{rig.BIN}/netfleet", "run", "-i", inventory, "-P", "generic", "-c",
                           "show clock", "-o", "summary", "--store", "none", "--password-env",
                           "NETFLEET_TEST_PASSWORD"])
        self.assertEqual(ran.status, 0, str(ran))

    def test_unknown_ones_are_refused_before_anything_is_done(self):
        ran = self.sweep("--macs", "hmac-md5", status=2)
        self.assertIn("--macs: 'hmac-md5' is no MAC that netfleet knows; it knows hmac-sha2-256",
                      ran.err)


class SshConfig(Logins):
    """The user's own ~/.ssh/config, with a real OpenSSH server behind it."""

    def setUp(self):
        super().setUp()
        self.user = servers.add_user(self, "config", "/bin/bash")
        self.key = servers.client_key(self)
        self.server = servers.sshd(self, self.user, options=["PasswordAuthentication no",
                                                             "Ciphers aes256-ctr"])
        os.mkdir(self.path(".ssh"), 0o700)

    def configure(self, text):
        self.write(".ssh/config", text, 0o600)

    def run_on(self, host, *arguments, status=0):
        ran = self.finish([f"{rig.BIN}/netfleet", "run", "-H", host, "-P", "linux", "-c",
                           "echo $((6*7))", "-o", "jsonl", "--store", "none", *arguments])
        self.assertEqual(ran.status, status, str(ran))
        return ran

    def test_says_all_that_is_needed(self):
        self.write(".ssh/fleet.conf", f"User {self.user}\nIdentityFile {self.key}\n", 0o600)
        self.configure(f"""
Host edge-*
  HostName 127.0.0.1
  Port {self.server.port}
  Ciphers -*-gcm@openssh.com,chacha20*
  Include fleet.conf
Host *
  ServerAliveInterval 60
  ConnectTimeout 5
""")
        ran = self.run_on("edge-1")
        self.assertEqual(ran.objects()[0]["commands"][0]["output"], "42\n")
        self.assertIn("ssh_config: not acted on: connecttimeout", ran.err)
        self.assertNotIn("serveralive", ran.err)
        self.run_on("edge-1", "--ssh-config", "none", "--no-agent", "--retries", "0",
                    "--password-env", "USER", status=1)

    def test_inventory_and_command_line_go_before_it(self):
        self.configure("Host *\n  User nobody\n  Port 1\n  IdentityFile /nowhere\n")
        self.run_on(f"{self.user}@127.0.0.1:{self.server.port}", "-k", self.key)
        self.run_on("127.0.0.1", "-u", self.user, "--port", str(self.server.port), "-k", self.key)

    def test_a_proxy_is_never_gone_around(self):
        for proxy, outcome, message in (
                ("ProxyCommand nc gate %p", "unreachable",
                 "ssh_config says ProxyCommand nc gate %p, and netfleet starts no commands"),
                (f"ProxyJump 127.0.0.1:{rig.free_port()}", "jump_failed", "connection refused")):
            self.configure(f"Match originalhost 127.0.0.1 user {self.user}\n  {proxy}\n"
                           f"Host *\n  IdentityFile {self.key}\n")
            with socket.create_server(("127.0.0.1", 0)) as device:
                host = f"{self.user}@127.0.0.1:{device.getsockname()[1]}"
                task, = self.run_on(host, "--retries", "0", status=1).objects()
                self.assertEqual(select.select([device], [], [], 0)[0], [], "it was connected to")
            self.assertEqual(task["outcome"], outcome)
            self.assertIn(message, task["error"])

    def test_a_proxy_that_is_its_own_is_an_error_as_for_ssh(self):
        self.configure("Host *\n  ProxyJump gate\n")
        ran = self.run_on("edge-1", status=2)
        self.assertIn("the way to edge-1: jump host 'gate': a loop: gate -> gate", ran.err)

    def test_a_broken_file_is_named(self):
        self.configure("Host a\n  Port none\n")
        ran = self.run_on("a", status=2)
        self.assertIn(".ssh/config:2: 'none' is no port", ran.err)


class Exec(Logins):
    """Commands over the exec channel, on servers of three makes."""

    def run_exec(self, *commands, arguments=(), status=0, password=PASSWORD):
        argv = [word for command in commands for word in ("-c", command)]
        ran = self.finish([f"{rig.BIN}/netfleet", "run", "-H", self.address, "-P", "linux",
                           "--exec", *argv, "-o", "jsonl", "--store", "none", "--password-env",
                           "SECRET", *arguments], env={"SECRET": password})
        self.assertEqual(ran.status, status, str(ran))
        task, = ran.objects()
        return task

    def test_output_of_both_streams_and_exit_statuses(self):
        for make in ("asyncssh", "paramiko"):
            with self.subTest(make):
                self.serve(make, methods=["password"])
                task = self.run_exec("echo out; echo err >&2; echo more",
                                     "printf 'a\\r\\nb'; exit 3", "echo after", status=1)
                self.assertEqual([(c["output"], c["outcome"]) for c in task["commands"]],
                                 [("out\nmore\nerr\n", "ok"), ("a\nb", "command_failed"),
                                  ("after\n", "ok")])
                self.assertEqual(task["outcome"], "command_failed")
                self.assertRegex(task["error"], r"run 'printf .*' on .*: exit status 3$")

    def test_a_signal(self):
        self.serve("asyncssh", methods=["password"])
        task = self.run_exec("!signal TERM", status=1)
        self.assertIn("ended by signal TERM", task["error"])
        self.assertFalse(rig.recorded(self.record, "exec")[0]["pty"])

    def openssh(self):
        user = servers.add_user(self, "exec", "/bin/bash")
        server = servers.sshd(self, user, options=["MaxSessions 2"])
        self.address = f"{user}@127.0.0.1:{server.port}"

    def test_openssh_many_and_large(self):
        self.openssh()
        task = self.run_exec(*[f"echo {i}" for i in range(20)],
                             "head -c 5000000 /dev/zero | tr '\\0' x",
                             "cat; test -t 1 || echo none", arguments=("--max-output", "1M"),
                             password=servers.PASSWORD)
        outputs = [c["output"] for c in task["commands"]]
        self.assertEqual(outputs[:20], [f"{i}\n" for i in range(20)])
        self.assertEqual(outputs[20], "x" * (1 << 20))
        self.assertTrue(task["commands"][20]["truncated"])
        self.assertEqual(outputs[21], "none\n")

    def test_openssh_a_command_that_does_not_end(self):
        self.openssh()
        task = self.run_exec("echo before", "echo begun; exec tail -f /dev/null", "echo never",
                             arguments=("--command-timeout", "1s"), status=1,
                             password=servers.PASSWORD)
        self.assertEqual(task["outcome"], "timed_out")
        self.assertIn("run 'echo begun; exec tail -f /dev/null' on", task["error"])
        self.assertIn("timed out after 1s", task["error"])
        self.assertEqual([(c["output"], c["outcome"]) for c in task["commands"]],
                         [("before\n", "ok"), ("begun\n", "timed_out")])

    def test_only_where_the_platform_has_it(self):
        self.address = "127.0.0.1:1"
        for platform, message in (
                ("cisco_ios", "platform cisco_ios is not known to run commands over SSH's exec"),
                ("auto", "a platform is found out in a shell: name it")):
            ran = self.sweep("--exec", "-P", platform, status=2)
            self.assertIn(message, ran.err)

    def run_argv(self, *arguments, **options):
        return rig.RigTest.run_argv(self, "-H", self.address, "-c", "x", *arguments, **options)


class Workers(Logins):
    def test_a_worker_runs_the_command_itself(self):
        self.serve("asyncssh", rounds=[{"prompts": [ASK_PASSWORD, ASK_CODE],
                                        "right": [PASSWORD, "99"]}])
        endpoint = f"ipc://{self.path('fleet')}"
        self.worker(endpoint, "w", 2, *self.otp("99"))
        self.logs_in("--listen", endpoint)

    def test_the_dispatcher_has_no_use_for_it(self):
        self.address = "127.0.0.1:1"
        ran = self.sweep("--listen", f"ipc://{self.path('fleet')}", *self.otp("99"), status=2)
        self.assertIn("give it to netfleet-worker", ran.err)


if __name__ == "__main__":
    unittest.main()

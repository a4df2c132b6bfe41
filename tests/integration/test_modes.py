"""Modes, configuration and questions, end to end: what was typed is in the devices' records."""

import unittest

import rig

SECRET = "en4ble-s3cret"
ENABLE = {"NETFLEET_TEST_ENABLE": SECRET}
WRONG = {"NETFLEET_TEST_ENABLE": "wrong-s3cret"}


class Configuration(rig.RigTest):
    def user_mode(self, count=1, platform="cisco_ios"):
        return self.devsim(count, "--platform", platform, "--privilege", 1, "--enable-password",
                           SECRET, "--record", self.path("record"))

    def change(self, inventory, *arguments, env=ENABLE, **options):
        return self.sweep("-i", inventory, "-u", "admin", "-o", "jsonl", "--enable-password-env",
                          "NETFLEET_TEST_ENABLE", *arguments, env=env, **options)

    def typed(self):
        """The commands of the first device, but for its paging and the logout; no secret is one."""
        lines = [e["text"] for e in rig.recorded(self.path("record"), "command")
                 if e["device"] == "sim-1"]
        return [line for line in lines if not line.startswith("terminal ") and line != "exit"]

    def test_configuration_is_typed_saved_and_checked(self):
        ran = self.change(self.user_mode(3), "--config-line", "interface Loopback0",
                          "--config-line", " description x", "--save", "-c", "show clock")
        for number, task in enumerate(ran.objects(), 1):
            self.assertEqual([c["command"] for c in task["commands"]],
                             ["configure", "write memory", "show clock"])
            self.assertEqual(task["commands"][0]["output"],
                             f"sim-{number}(config)#interface Loopback0\n"
                             f"sim-{number}(config-if)# description x\n")
        self.assertEqual(self.typed(),
                         ["enable", "configure terminal", "interface Loopback0", "description x",
                          "end", "write memory", "disable", "show clock"])

    def test_a_refused_line_is_named_and_nothing_follows_it(self):
        ran = self.change(self.user_mode(), "--config-line", "vlan 10", "--config-line",
                          "invalid thing", "--config-line", "vlan 11", "--save", "-c",
                          "show clock", status=1)
        task, = ran.objects()
        self.assertEqual(task["outcome"], "command_failed")
        self.assertIn("line 2 of 3 'invalid thing': refused: % Invalid input", task["error"])
        self.assertEqual([c["command"] for c in task["commands"]], ["configure"])
        self.assertEqual(self.typed(), ["enable", "configure terminal", "vlan 10", "invalid thing",
                                        "end", "disable"])

    def test_a_wrong_enable_password_is_an_authentication_failure(self):
        ran = self.change(self.user_mode(), "--mode", "privileged", "-c", "show clock", env=WRONG,
                          status=4)
        task, = ran.objects()
        self.assertEqual(task["outcome"], "auth_failed")
        self.assertIn("enable refused", task["error"])
        self.assertNotIn("s3cret", ran.out.decode() + ran.err)
        self.assertEqual(self.typed(), ["enable"])

    def test_without_an_enable_password_nothing_is_typed_at_its_question(self):
        ran = self.sweep("-i", self.user_mode(), "-u", "admin", "-o", "jsonl", "--mode",
                         "privileged", "-c", "show clock", status=4)
        self.assertIn("--enable-password-env", ran.objects()[0]["error"])
        self.assertEqual(self.typed(), ["enable"])

    def test_a_mode_that_is_not_there_names_those_that_are(self):
        inventory = self.devsim(1, "--platform", "cisco_ios")
        ran = self.sweep("-i", inventory, "-u", "admin", "--mode", "root", "-c", "x", status=2)
        self.assertIn("privileged", ran.err)

    def test_a_dry_run_connects_to_nobody(self):
        ran = self.change(self.user_mode(), "--config-line", "vlan 10", "--dry-run")
        command, = ran.objects()[0]["commands"]
        self.assertEqual((command["command"], command["output"]), ("configure", "vlan 10\n"))
        self.assertEqual(rig.login_attempts(self.path("record")), {})

    def test_a_question_is_told_or_answered(self):
        inventory = self.devsim(1, "--record", self.path("record"))
        ran = self.sweep("-i", inventory, "-u", "admin", "-o", "jsonl", "-c", "clear counters",
                         "--command-timeout", "1s", status=1)
        task, = ran.objects()
        self.assertEqual(task["outcome"], "timed_out")
        self.assertIn('it asked "Clear "show interface" counters', task["error"])
        ran = self.sweep("-i", inventory, "-u", "admin", "-o", "jsonl", "-c", "clear counters",
                         "-c", "show clock", "--answer", r"\[confirm\]$=y")
        first, second = ran.objects()[0]["commands"]
        self.assertNotIn("#", first["output"])
        self.assertEqual(second["output"].encode(),
                         self.simulated_output("show clock", 1))

    def test_root_is_reached_by_sudo(self):
        ran = self.sweep("-i", self.devsim(1, "--platform", "linux", "--privilege", 1,
                                           "--enable-password", rig.PASSWORD),
                         "-u", "admin", "-o", "jsonl", "--mode", "root", "-c", "uname -a")
        self.assertEqual(ran.outcomes(), {"ok": 1})


if __name__ == "__main__":
    unittest.main()

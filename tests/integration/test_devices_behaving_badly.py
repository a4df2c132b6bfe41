"""Every way in which a device goes wrong has its outcome and a message that says what was tried, on
what and why; the devices beside it lose nothing.
"""

import re
import unittest

import rig

# fault -> (outcome, what the reason says)
FAULTS = {
    "silent": ("unreachable", r"timed out after [\d.]+ ?s"),
    "refuse": ("unreachable", r"connection refused"),
    "banner-garbage": ("unreachable", r"ssh"),
    "close-at-accept": ("unreachable", r"closed|reset"),
    "close-at-banner": ("unreachable", r"closed|reset|broken pipe"),
    "close-at-kex": ("unreachable", r"closed|reset"),
    "close-at-auth": ("unreachable|auth_failed|disconnected", r"closed|reset|disconnect"),
    "close-at-shell": ("disconnected", r"clos|shell|reset"),
    "close-at-prompt": ("disconnected", r"clos|reset"),
    "close-at-command": ("disconnected", r"clos|reset"),
    "hang-at-auth": ("timed_out", r"timed out after [\d.]+ ?s"),
    "hang-at-shell": ("timed_out", r"timed out after [\d.]+ ?s"),
    "hang-at-prompt": ("timed_out", r"timed out after [\d.]+ ?s"),
    "hang-at-command": ("timed_out", r"timed out after [\d.]+ ?s"),
    "no-prompt": ("timed_out", r"timed out after [\d.]+ ?s"),
    "wrong-password": ("auth_failed", r"password|refused|denied|rejected"),
    "legacy": ("unreachable", r"legacy-algorithms|closed|reset"),  # see test_legacy below
    "flood": ("timed_out", r"timed out"),
}
# These only look bad: outcome ok, and all of the output.
ODD = ["slow", "garbage-output", "prompt-lookalike", "motd", "split-escapes"]
TIMES = ["--connect-timeout", "2s", "--auth-timeout", "2s", "--command-timeout", "3s"]


class DevicesBehavingBadly(rig.RigTest):
    def test_each_fault_has_its_outcome(self):
        names = list(FAULTS)
        rules = [word for place, name in enumerate(names)
                 for word in ("--fault", f"{name}:{2 * place + 2}")]
        # Every second device is a good one.
        count = 2 * len(names) + 1
        inventory = self.devsim(count, *rules)
        ran = self.sweep("-i", inventory, "-u", "admin", "-c", "show version", "-c", "show clock",
                         "--retries", 0, "--on-auth-failure", "continue", "--max-output", 1 << 20,
                         *TIMES, "-o", "jsonl", status=1)
        self.assert_order(ran, inventory)
        for number, task in enumerate(ran.objects(), 1):
            if number % 2:
                self.assertEqual((task["outcome"], task["error"]), ("ok", None))
                self.assertEqual(task["commands"][0]["output"].encode(),
                                 self.simulated_output("show version", number))
                continue
            name = names[number // 2 - 1]
            outcome, reason = FAULTS[name]
            where = rf"\({task['address']}:{task['port']}\)"
            with self.subTest(fault=name):
                self.assertRegex(task["outcome"], f"^({outcome})$", task["error"])
                message = re.compile(rf"^\w.* \S+ {where}( as \w+)?: .*({reason})", re.IGNORECASE)
                self.assertRegex(task["error"], message)
                self.assertEqual(task["error"].count("\n"), 0)

    def test_legacy_algorithms_on_request(self):
        inventory = self.devsim(10, "--fault", "legacy:all")
        common = ["-i", inventory, "-u", "admin", "-c", "show version", "-o", "jsonl"]
        ran = self.sweep(*common, "--retries", 0, status=1)
        self.assertEqual(ran.outcomes(), {"unreachable": 10})
        # A device that hangs up quickly takes its own list of algorithms back with a reset.
        explained = [task["error"] for task in ran.objects() if "--legacy" in task["error"]]
        self.assertGreater(len(explained), 3, str(ran))
        for error in explained:
            self.assertIn("diffie-hellman-group1-sha1", error)
        ran = self.sweep(*common, "--legacy-algorithms")
        self.assertEqual(ran.outcomes(), {"ok": 10})

    def test_what_only_looks_bad(self):
        rules = [word for number, name in enumerate(ODD, 1)
                 for word in ("--fault", f"{name}:{number}")]
        inventory = self.devsim(len(ODD), *rules)
        ran = self.sweep("-i", inventory, "-u", "admin", "-c", "show version", "-c", "show clock",
                         "-o", "jsonl")
        for number, (name, task) in enumerate(zip(ODD, ran.objects()), 1):
            with self.subTest(fault=name):
                self.assertEqual(task["outcome"], "ok", task["error"])
                self.assertEqual(len(task["commands"]), 2)
                if name not in ("garbage-output", "prompt-lookalike"):
                    self.assertEqual(task["commands"][0]["output"].encode(),
                                     self.simulated_output("show version", number))

    def test_each_phase_closed_does_not_cost_the_guard(self):
        """A device that hangs up in the login is not a refused password."""
        inventory = self.devsim(6, "--fault", "close-at-kex:2", "--fault", "close-at-shell:4")
        ran = self.sweep("-i", inventory, "-u", "admin", "-c", "show version", "--retries", 0, "-o",
                         "jsonl", "--sessions", 1, status=1)
        self.assertEqual([task["outcome"] for task in ran.objects()],
                         ["ok", "unreachable", "ok", "disconnected", "ok", "ok"])

    def test_a_flood_is_cut_and_marked(self):
        inventory = self.devsim(3, "--fault", "flood:2")
        ran = self.sweep("-i", inventory, "-u", "admin", "-c", "show version", "--max-output",
                         100_000, *TIMES, "-o", "jsonl", status=1)
        first, flood, last = ran.objects()
        self.assertEqual((first["outcome"], last["outcome"]), ("ok", "ok"))
        self.assertEqual(flood["outcome"], "timed_out", flood["error"])
        for command in flood["commands"]:
            self.assertLessEqual(len(command["output"].encode()), 400_000)

    def test_large_output_is_whole(self):
        inventory = self.devsim(2)
        ran = self.sweep("-i", inventory, "-u", "admin", "-c", "show tech 20000", "-o", "jsonl")
        for number, task in enumerate(ran.objects(), 1):
            output = task["commands"][0]["output"].encode()
            self.assertEqual(len(output), 20000 * 1024)
            self.assertEqual(output, self.simulated_output("show tech 20000", number))

    def test_a_refused_command(self):
        inventory = self.devsim(2)
        ran = self.sweep("-i", inventory, "-u", "admin", "-c", "show nonsense", "-c", "show clock",
                         "-o", "jsonl", status=1)
        for task in ran.objects():
            self.assertEqual(task["outcome"], "command_failed")
            self.assertEqual(task["commands"][0]["outcome"], "command_failed")
            self.assertIn("Invalid input", task["commands"][0]["output"])


if __name__ == "__main__":
    unittest.main()

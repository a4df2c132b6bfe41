"""One of 50 devices is down: its time-out is reported, the others' outputs come in order."""

import unittest

import rig


class OneDown(rig.RigTest):
    def setUp(self):
        super().setUp()
        self.inventory = self.devsim(50, "--fault", "silent:7")

    def test_jsonl(self):
        ran = self.sweep("-i", self.inventory, "-u", "admin", "-c", "show version", "--retries", 0,
                         "--connect-timeout", "3s", "-o", "jsonl", status=1)
        self.assert_order(ran, self.inventory)
        for number, task in enumerate(ran.objects(), 1):
            if number == 7:
                self.assertEqual(task["outcome"], "unreachable")
                where = f"{task['address']}:{task['port']}"
                self.assertRegex(task["error"],
                                 rf"^connect \S+ \({where}\): timed out after [\d.]+ ?s")
                self.assertEqual(task["commands"], [])
            else:
                self.assertEqual((task["outcome"], task["error"]), ("ok", None))
                self.assertEqual(task["commands"][0]["output"].encode(),
                                 self.simulated_output("show version", number))
                self.assertGreaterEqual(task["duration_ms"], 0)

    def test_text(self):
        ran = self.sweep("-i", self.inventory, "-u", "admin", "-c", "show version", "--retries", 0,
                         "--connect-timeout", "3s", status=1)
        rest = ran.out
        for number in range(1, 51):
            if number != 7:
                block = self.simulated_output("show version", number)
                before, found, rest = rest.partition(block)
                self.assertTrue(found, f"device {number} in\n{ran}")
                if number == 8:
                    self.assertIn(b"timed out", before)
        self.assertIn("timed out", ran.err)  # the summary names what failed
        self.assertRegex(ran.err, r"\b49\b")

    def test_retries_are_counted(self):
        ran = self.sweep("-i", self.inventory, "-u", "admin", "-c", "show version", "--retries", 2,
                         "--connect-timeout", "500ms", "-o", "jsonl", status=1)
        self.assertEqual([task["attempt"] for task in ran.objects()], [1] * 6 + [3] + [1] * 43)


if __name__ == "__main__":
    unittest.main()

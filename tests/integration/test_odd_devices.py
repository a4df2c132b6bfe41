"""A device that is odd without being broken gives all of its output; a question that nobody
expected is reported and never answered.
"""

import os
import unittest

import rig

PLAIN = "first line\nlast line\n"


class OddDevices(rig.RigTest):
    def setUp(self):
        super().setUp()
        self.record = self.write("record", "")
        process = self.start("/usr/bin/python3", "-W", "ignore",
                             os.path.join(os.path.dirname(__file__), "odd_device.py"), self.record)
        self.port = int(process.wait_for(r"^ready (\d+)")[1])

    def ask(self, oddity, *more, status=0, commands=("show clock", "show clock")):
        arguments = [word for command in commands for word in ("-c", command)]
        task, = self.sweep("-H", f"{oddity}@127.0.0.1:{self.port}", "-P", "cisco_ios", *arguments,
                           "-o", "jsonl", "--store", "none", *more,
                           status=status).objects()
        return task

    def typed(self):
        with open(self.record, encoding="utf-8") as record:
            return record.read().splitlines()

    def test_all_of_the_output_comes(self):
        for oddity, output in {
                "is-plain": PLAIN, "pauses": PLAIN, "echoes-never": PLAIN, "echoes-twice": PLAIN,
                "refuses-a-terminal": PLAIN,
                "cuts-characters": "first line\n\u20ac\u00e4bold\nlast line\n",
                "looks-like-a-prompt":
                    "first line\nR1#\nR1#show clock\nR1(config)#\n R1#\nlast line\n",
        }.items():
            with self.subTest(oddity=oddity):
                task = self.ask(oddity)
                self.assertEqual(task["outcome"], "ok", task["error"])
                self.assertEqual([command["output"] for command in task["commands"]],
                                 [output, output])

    def test_a_line_of_20_mib(self):
        task = self.ask("never-ends-a-line", commands=["show tech"])
        self.assertEqual(task["outcome"], "ok", task["error"])
        output = task["commands"][0]["output"]
        self.assertEqual(len(output), len(PLAIN) + (20 << 20) + 1)
        self.assertEqual(output.strip("x"), output)
        self.assertTrue(output.endswith("x\nlast line\n"))

    def test_a_question_is_reported_and_never_answered(self):
        for oddity, question in {"asks": "Delete everything? [yes/no]",
                                 "asks-for-a-secret": "Password:"}.items():
            with self.subTest(oddity=oddity):
                task = self.ask(oddity, "--command-timeout", "2s", status=1)
                self.assertEqual(task["outcome"], "timed_out", task)
                self.assertIn(f'it asked "{question}"', task["error"])
                self.assertNotIn("deleted", task["commands"][0]["output"])
        self.assertEqual(self.typed(), ["terminal length 0", "show clock"] * 2)

    def test_another_name_in_the_middle(self):
        task = self.ask("is-renamed", "--command-timeout", "2s", status=1)
        self.assertEqual(task["outcome"], "timed_out", task)
        self.assertIn('the last line was "R2#"', task["error"])


if __name__ == "__main__":
    unittest.main()

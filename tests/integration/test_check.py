"""netfleet platforms and netfleet check, as they are typed."""

import json
import unittest

import rig

NETFLEET = f"{rig.BIN}/netfleet"
USAGE = 2


class Platforms(rig.RigTest):
    def ran(self, *arguments, status=0):
        ran = self.finish([NETFLEET, *arguments])
        self.assertEqual(ran.status, status, str(ran))
        return ran

    def test_lists_all(self):
        lines = self.ran("platforms").out.decode().splitlines()
        self.assertEqual(len(lines), 1 + 62)
        self.assertIn("juniper_junos", [line.split()[0] for line in lines])
        listed = [json.loads(line)
                  for line in self.ran("platforms", "-o", "jsonl").out.splitlines()]
        self.assertEqual([one["name"] for one in listed], [line.split()[0] for line in lines[1:]])

    def test_shows_one_by_any_of_its_names(self):
        page = self.ran("platforms", "juniper_junos").out.decode()
        self.assertIn("config     --[ exit configuration-mode ]--> user", page)
        self.assertEqual(self.ran("platforms", "junos").out.decode(), page)
        self.assertEqual(self.ran("platforms", "juniper_junos_telnet").out.decode(), page)
        unknown = self.ran("platforms", "junox", status=USAGE)
        self.assertIn("no platform is named 'junox'", unknown.err)

    def test_shows_ones_own(self):
        self.write("box.yaml", "name: box\nmodes: [{name: user, prompt: '^box>$'}]\n")
        page = self.ran("platforms", "--platform-dir", self.path(""), "box").out.decode()
        self.assertIn("^box>$", page)


class Check(rig.RigTest):
    def check(self, *arguments, status=0):
        ran = self.finish([NETFLEET, "check", *arguments])
        self.assertEqual(ran.status, status, str(ran))
        return ran

    def test_counts(self):
        inventory = self.write("hosts.txt", "a ios\nb linux\nc\n")
        ran = self.check("-i", inventory)
        self.assertEqual(ran.out.decode(), "       3  hosts\n       1  platform auto\n"
                         "       1  platform ios\n       1  platform linux\nnothing is wrong\n")
        self.assertEqual(ran.err, "")

    def test_tells_all_that_is_wrong(self):
        inventory = self.write("hosts.txt", "a iox\nb:0\nc:99999\n")
        good = self.write("good.txt", "d iox\n")
        first = self.write("first.yaml",
                           "name: box\nmodes: [{name: user, prompt: '('}]\nlogot: x\n")
        self.write("second.yaml", "name: [a\n")
        commands = self.write("commands", "show clock\x07\n")
        ran = self.check("-i", inventory, "-i", good, "--platform-dir", self.path(""),
                         "--commands-file", commands, status=USAGE)
        for problem in (f"{inventory}:2: ", f"{inventory}:3: ", f"{first}:2: regular expression",
                        f"{first}:3: unknown key \"logot\"", "second.yaml:2: ", f"{commands}:1: "):
            self.assertIn(problem, ran.err)
        self.assertNotIn("nothing is wrong", ran.out.decode())
        ran = self.check("-i", good, status=USAGE)
        self.assertIn("host d: no platform is named 'iox'", ran.err)


if __name__ == "__main__":
    unittest.main()

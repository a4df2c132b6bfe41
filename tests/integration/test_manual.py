"""The manual pages, the completion and --help tell of the same options."""

import os
import re
import subprocess
import unittest

import rig

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


class Manual(rig.RigTest):
    def options(self, *argv):
        ran = self.finish([*argv, "--help"])
        self.assertEqual(ran.status, 0, str(ran))
        found = set(re.findall(r"--[a-z][a-z-]+", ran.out.decode()))
        self.assertIn("--help", found)
        return found - {"--help", "--version"}

    def page(self, name):
        path = os.path.join(ROOT, "docs", "man", name)
        complaints = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path], timeout=30,
                                    capture_output=True, check=False).stdout
        self.assertEqual(complaints, b"")
        shown = subprocess.run(["mandoc", "-T", "ascii", path], timeout=30, capture_output=True,
                               check=True).stdout.decode()
        return set(re.findall(r"--[a-z][a-z-]+", re.sub(r".\x08", "", shown)))

    def test_pages_name_every_option_and_no_other(self):
        netfleet, worker = f"{rig.BIN}/netfleet", f"{rig.BIN}/netfleet-worker"
        self.assertEqual(self.page("netfleet.1"),
                         self.options(netfleet, "run") | self.options(netfleet, "detect")
                         | self.options(netfleet, "results") | self.options(netfleet, "keygen")
                         | self.options(netfleet, "replay") | self.options(netfleet, "platforms")
                         | self.options(netfleet, "check") | self.options(netfleet, "diff")
                         | self.options(netfleet, "prune"))
        self.assertEqual(self.page("netfleet-worker.1"), self.options(worker))

    def complete(self, *words):
        script = ('source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _netfleet; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        completion = os.path.join(ROOT, "scripts", "completion", "netfleet.bash")
        done = subprocess.run(["bash", "-c", script, completion, *words], capture_output=True,
                              check=True, timeout=30)
        return done.stdout.decode().split()

    def test_completion(self):
        program = f"{rig.BIN}/netfleet"
        self.assertEqual(self.complete(program, "r"), ["run", "results", "replay"])
        self.assertEqual(self.complete(program, "run", "--known"), ["--known-hosts"])
        self.assertEqual(self.complete(program, "run", "-o", "j"), ["jsonl"])
        self.assertEqual(self.complete(program, "detect", "-o", ""), ["table", "jsonl"])
        self.assertIn("--list", self.complete(program, "results", "--"))
        self.assertIn("--dispatcher", self.complete(f"{program}-worker", "--"))


if __name__ == "__main__":
    unittest.main()

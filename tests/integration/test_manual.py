"""The manual pages, the completions and --help tell of the same options."""

import os
import re
import subprocess
import unittest

import rig
import terminal

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
        verbs = ("run", "detect", "results", "keygen", "replay", "platforms", "check", "diff",
                 "prune", "serve", "workers", "submit", "status", "watch", "cancel", "retry",
                 "schedule")
        self.assertEqual(self.page("netfleet.1"),
                         set.union(*(self.options(netfleet, verb) for verb in verbs)))
        self.assertEqual(self.page("netfleet-worker.1"), self.options(worker))

    def completion(self, name):
        return os.path.join(ROOT, "scripts", "completion", name)

    def complete(self, *words):
        script = ('source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _netfleet; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        ran = self.finish(["bash", "-c", script, self.completion("netfleet.bash"), *words])
        self.assertEqual((ran.status, ran.err), (0, ""), str(ran))
        return ran.out.decode().split()

    def test_completion_of_bash(self):
        program = f"{rig.BIN}/netfleet"
        self.assertEqual(self.complete(program, "re"), ["results", "replay", "retry"])
        self.assertIn("check", self.complete(program, ""))
        self.assertEqual(self.complete(program, "run", "--known"), ["--known-hosts"])
        self.assertEqual(self.complete(program, "run", "-o", "j"), ["jsonl"])
        self.assertEqual(self.complete(program, "detect", "-o", ""), ["table", "jsonl"])
        self.assertIn("--list", self.complete(program, "results", "--"))
        self.assertEqual(self.complete(program, "status", "-o", ""), ["table", "jsonl"])
        self.assertEqual(self.complete(program, "schedule", "p"), ["pause"])
        hosts = self.write("hosts", "")
        for option in ("-i", "--inventory", "--known-hosts"):
            self.assertEqual(self.complete(program, "run", option, hosts[:-2]), [hosts])
        self.assertEqual(self.complete(program, "run", "--password-env", "HOM"), ["HOME"])
        self.assertEqual(self.complete(program, "run", "--retries", ""), [])
        self.assertIn("--dispatcher", self.complete(f"{program}-worker", "--"))

    def complete_in_fish(self, line):
        ran = self.finish(["fish", "--no-config", "-c", f"source {self.completion('netfleet.fish')}"
                           f"; complete -C '{rig.BIN}/{line}'"])
        self.assertEqual((ran.status, ran.err), (0, ""), str(ran))
        return [one.split("\t")[0] for one in ran.out.decode().splitlines()]

    def test_completion_of_fish(self):
        self.assertEqual(self.complete_in_fish("netfleet re"), ["replay", "results", "retry"])
        self.assertIn("check", self.complete_in_fish("netfleet "))
        self.assertEqual(self.complete_in_fish("netfleet run --known"), ["--known-hosts"])
        self.assertEqual(self.complete_in_fish("netfleet run -o "), ["jsonl", "summary", "text"])
        self.assertEqual(self.complete_in_fish("netfleet detect --output "), ["jsonl", "table"])
        self.assertEqual(self.complete_in_fish("netfleet run --resume "), [])
        self.assertEqual(self.complete_in_fish("netfleet schedule p"), ["pause"])
        self.write("hosts of mine", "")
        self.assertEqual(self.complete_in_fish(f"netfleet run -i {self.directory}/hos"),
                         [f"{self.directory}/hosts of mine"])
        self.assertIn("--dispatcher", self.complete_in_fish("netfleet-worker --"))

    def test_completion_of_zsh(self):
        for name in ("_netfleet", "_netfleet-worker"):
            self.write(name, rig.read(self.completion("_netfleet")))
        shell = terminal.Terminal(self, ["zsh", "-f", "-i"],
                                  {"TERM": "dumb", "PATH": f"{rig.BIN}:{self.env['PATH']}"})
        shell.type(f"fpath=({self.directory} $fpath); autoload -U compinit; compinit -u -D; "
                   "PS1=rea; PS1+='dy '\n".encode())
        shell.wait_for(rb"ready ")
        for typed, shown in (("netfleet re", rb"replay +-- .*\s+results +-- .*\s+retry +-- "),
                             ("netfleet che", rb"netfleet check "),
                             ("netfleet run --known", rb"--known-hosts "),
                             ("netfleet run --order in", rb"inventory "),
                             ("netfleet detect -o t", rb"-o table "),
                             ("netfleet schedule his", rb"history "),
                             ("netfleet results --li", rb"--list "),
                             (f"netfleet run -i {self.directory}/_netfleet-", rb"-worker "),
                             ("netfleet-worker --drain", rb"--drain-timeout ")):
            shell.shown = b""
            shell.type(b"\x15" + typed.encode() + b"\t")  # ^U: an empty line
            shell.wait_for(shown)


if __name__ == "__main__":
    unittest.main()

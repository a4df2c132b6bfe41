"""Job files: one run here, and what `netfleet check` says of them."""

import os
import unittest

import rig

JOB = """
name: ntp
inventory: {inventory}
commands: show version
configuration:
  - "ntp server 192.0.2.1"
  - template: name.mustache
credentials: {{user: admin, password_file: secret}}
ssh: {{host_key_policy: off}}
limits: {{sessions: 3}}
timeouts: {{connect: 10s, command: 30s}}
retries: 0
output: {{format: jsonl, directory: out}}
rollout: {{canary: 1, batch: 50%, max_failures: 0}}
schedule: {{cron: "0 2 * * *", zone: Europe/Berlin}}
store: store.db
"""


class Job(rig.RigTest):
    def setUp(self):
        super().setUp()
        self.record = self.path("record")
        self.write("secret", rig.PASSWORD + "\n", mode=0o600)
        self.write("name.mustache", "snmp-server location {{{{name}}}}\n".format())

    def job(self, inventory, text=JOB, name="job.yaml"):
        return self.write(name, text.format(inventory=os.path.basename(inventory)))

    def run_job(self, *arguments, status=0):
        ran = self.finish([f"{rig.BIN}/netfleet", "run", *arguments], cwd="/")
        self.assertEqual(ran.status, status, str(ran))
        return ran

    def check(self, *arguments, status=0):
        ran = self.finish([f"{rig.BIN}/netfleet", "check", *arguments], cwd="/")
        self.assertEqual(ran.status, status, str(ran))
        return ran

    def test_one_run_here(self):
        inventory = self.devsim(5, "--record", self.record)
        ran = self.run_job(self.job(inventory))
        self.assertEqual(ran.outcomes(), {"ok": 5}, str(ran))
        self.assert_order(ran, inventory)
        self.assertIn("batch 2: hosts 2 to 4 of 5", ran.err)
        self.assertEqual(len(rig.commands_seen(self.record, "ntp server 192.0.2.1")), 5)
        self.assertEqual(len(os.listdir(self.path("out"))), 5)
        self.assertTrue(os.path.exists(self.path("store.db")))
        located = [event for event in rig.recorded(self.record, "command")
                   if event["text"].startswith("snmp-server location ")]
        self.assertEqual(len(located), 5)

        # By hand: other commands, no canary's file, text.
        ran = self.run_job(self.path("job.yaml"), "--dry-run", "-o", "summary", status=2)
        self.assertIn("--dry-run runs no commands", ran.err)
        again = self.run_job(self.path("job.yaml"), "--config-line", "ntp server 192.0.2.2",
                             "--canary", "4")
        self.assertIn("batch 2: hosts 5 to 5 of 5", again.err)
        self.assertEqual(len(rig.commands_seen(self.record, "ntp server 192.0.2.2")), 5)
        self.assertEqual(len(rig.commands_seen(self.record, "ntp server 192.0.2.1")), 5)

    def test_check_says_what_would_happen_to_whom(self):
        inventory = self.devsim(5, "--record", self.record)
        job = self.job(inventory)
        before = self.check(job)
        said = before.out.decode()
        for line in ("       5  hosts", "       1  command", "changes devices",
                     "batches   1, 3, 1", "failures  0 borne, then stops",
                     "when      0 2 * * * (Europe/Berlin)", "02:00 CE", "time      unknown",
                     "nothing is wrong"):
            self.assertIn(line, said)
        self.assertEqual(rig.login_attempts(self.record), {}, "nothing is connected to")
        self.assertFalse(os.path.exists(self.path("store.db")))
        ran = self.run_job(job)
        self.assertEqual(ran.outcomes(), {"ok": 5}, str(ran))
        self.assertRegex(self.check(job).out.decode(),
                         r"time      about [\d.]+m?s, as sweep \S+: [\d.]+m?s a host")

    def test_check_says_all_that_is_wrong(self):
        self.write("hosts.txt", "edge-1 cisco_ios\nedge-2 cisco_iosx\n")
        job = self.write("job.yaml", "inventory: hosts.txt\nselects: group:core\n"
                         "comands: x\nretries: many\nsave: maybe\n"
                         "configuration: {file: nowhere.cfg}\n"
                         "schedule: {cron: '0 25 * * *', zone: Mars/Base}\n"
                         "timeouts:\n  connect: soon\n")
        ran = self.check(job, status=2)
        self.assertEqual(ran.out, b"")
        for text in ("3: unknown key 'comands', did you mean 'commands'?",
                     "4: retries: 'many' is no number from 0 to 100",
                     "5: 'maybe' is neither true nor false",
                     f"6: configuration: read {self.path('nowhere.cfg')}: No such file",
                     "7: hour field", "7: \"Mars/Base\" is no time zone",
                     "9: timeouts.connect: 'soon' is no duration"):
            self.assertIn(f"{job}:{text}", ran.err)

        self.write("job.yaml", "inventory: hosts.txt\ncommands: x\nselects: group:core\n")
        self.assertIn("no group is called 'core'", self.check(job, status=2).err)
        self.write("job.yaml", "inventory: hosts.txt\ncommands: x\n")
        self.assertIn("'cisco_iosx'", self.check(job, status=2).err)
        self.write("job.yaml", "inventory: hosts.txt\nselects: edge-1\n"
                   "configuration: {template: t.mustache}\n")
        self.write("t.mustache", "x\nhostname {{data.nothing}}\n")
        self.assertIn("t.mustache:2: {{data.nothing}} is not defined for edge-1",
                      self.check(job, status=2).err)
        self.write("job.yaml", "inventory: hosts.txt\nselects: edge-1\n"
                   "commands: x\nmode: nonsense\n")
        self.assertIn("nonsense", self.check(job, status=2).err)
        self.assertIn("no such file", self.check(self.path("none.yaml"), status=2).err.lower())
        self.assertIn("exclude each other", self.check(job, "-i", "x", status=2).err)

    def test_run_refuses_what_check_does(self):
        job = self.write("job.yaml", "hosts: 192.0.2.1\ncommands: x\nretrys: 5\n")
        ran = self.run_job(job, status=2)
        self.assertIn(f"{job}:3: unknown key 'retrys', did you mean 'retries'?", ran.err)

    def test_a_named_credential_and_a_region(self):
        inventory = self.devsim(3, "--password", "night-s3cret")
        self.write("night", "night-s3cret\n", mode=0o600)
        self.write("credentials.yaml", "credentials:\n  night: {password_file: night}\n"
                   "  lost: {password_file: nowhere}\n")
        text = ("inventory: {inventory}\ncommands: show version\nregion: eu\n"
                "ssh: {{host_key_policy: off}}\noutput: {{format: jsonl}}\n"
                "credentials:\n  user: admin\n  name: NAME\n  file: credentials.yaml\n")
        job = self.job(inventory, text.replace("NAME", "night"))
        self.assertIn("       3  region eu\n", self.check(job).out.decode())
        ran = self.run_job(job)
        self.assertEqual({(task["outcome"], task["region"]) for task in ran.objects()},
                         {("ok", "eu")}, str(ran))
        again = self.run_job("--resume", "last", "--only", "ok", "--credential-file",
                             self.path("credentials.yaml"), "-o", "jsonl")
        self.assertEqual(again.outcomes(), {"ok": 3}, str(again))
        self.assertIn("--credential-file says where one is",
                      self.run_job("--resume", "last", "--only", "ok", status=2).err)

        self.job(inventory, text.replace("NAME", "nihgt"))
        self.assertIn(f"{job}:8: credentials.name: {self.path('credentials.yaml')} has no "
                      "credential 'nihgt' (it has: lost, night)", self.check(job, status=2).err)
        self.assertIn("asks for the credential 'nihgt', which is not known here",
                      self.run_job(job, status=2).err)
        self.job(inventory, text.replace("NAME", "lost"))
        self.assertIn("credential 'lost': ", self.run_job(job, status=2).err)
        self.job(inventory, text.replace("NAME", "night").replace("  file", "  agent: true\n  #"))
        self.assertIn("--credential: all of it is said where the name is defined",
                      self.check(job, status=2).err)
        self.job(inventory, text.replace("NAME", "night").replace("  file", "  #"))
        self.assertIn("'night' is for who runs the job to know", self.check(job).err)

    def test_workers_know_credentials_of_their_own(self):
        inventory = self.devsim(3, "--password", "night-s3cret")
        self.write("night", "night-s3cret\n", mode=0o600)
        file = self.write("worker.yaml", "credentials: {night: {password_file: night}}\n")
        endpoint = f"tcp://127.0.0.1:{rig.free_port(3)}"
        self.worker(endpoint, "w1", 3, "--credential-file", file)
        ran = self.sweep("-i", inventory, "-u", "admin", "-c", "show version", "-o", "jsonl",
                         "--listen", endpoint, "--credential", "night", password=None)
        self.assertEqual(ran.outcomes(), {"ok": 3}, str(ran))


if __name__ == "__main__":
    unittest.main()

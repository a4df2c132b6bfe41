"""`netfleet serve`: jobs become sweeps by schedule and on demand; nothing is lost or repeated."""

import json
import os
import signal
import time
import unittest
import urllib.error
import urllib.request

import rig

JOB = """
inventory: {inventory}
commands: show version
credentials: {{user: admin, password_file: secret}}
ssh: {{host_key_policy: off}}
timeouts: {{connect: 3s}}
retries: 0
"""


class Service(rig.RigTest):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path("jobs"))
        self.write("jobs/secret", rig.PASSWORD + "\n", mode=0o600)

    def job(self, name, inventory, more=""):
        return self.write(f"jobs/{name}.yaml", JOB.format(inventory=inventory) + more)

    def serve(self, *arguments):
        service = self.start(f"{rig.BIN}/netfleet", "serve", self.path("jobs"), "--store",
                             self.path("store.db"), "--http", "127.0.0.1:0", *arguments)
        self.url = service.wait_for("netfleet: ready: .*API at (.*)").group(1)
        with open(self.path("api-token"), encoding="ascii") as token:
            self.token = token.read().strip()
        self.service = service
        return service

    def ask(self, path, body=None, token=None, status=200, headers=()):
        request = urllib.request.Request(
            self.url + path, method="GET" if body is None else "POST",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token or self.token}",
                     "Content-Type": "application/json", **dict(headers)})
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:
                got, text = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            got, text = error.code, error.read().decode()
        self.assertEqual(got, status, text)
        return [json.loads(line) for line in text.splitlines()]

    def submit(self, job, status=202, headers=(), **more):
        return self.ask("/v1/sweeps", {"job": job, **more}, status=status, headers=headers)[0]

    def ended(self, sweep):
        def over():
            view = self.ask(f"/v1/sweeps/{sweep}")[0]
            return view if view["state"] == "ended" else None
        return rig.wait_until(over, f"sweep {sweep} ends")

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(), 0, process.text())

    def test_jobs_run_when_somebody_asks(self):
        inventory = self.devsim(20, "--fault", "silent:3")
        self.job("show", inventory)
        process = self.serve()
        sweep = self.submit("show")["sweep"]
        self.assertEqual(self.ended(sweep)["outcomes"], {"ok": 19, "unreachable": 1})
        results = self.ask(f"/v1/sweeps/{sweep}/results")
        self.assertEqual([one["index"] for one in results], list(range(20)))
        self.assertIn("Cisco IOS", results[0]["commands"][0]["output"])
        few = self.submit("show", limit=[results[5]["host"]])["sweep"]
        self.assertEqual(self.ended(few)["total"], 1)
        self.submit("nothing", status=404)
        self.ask("/v1/sweeps", token="nf_wrong", status=401)
        self.stop(process)

    def test_the_same_key_is_the_same_sweep(self):
        self.job("show", self.devsim(3))
        process = self.serve()
        key = [("Idempotency-Key", "once")]
        first = self.submit("show", headers=key)["sweep"]
        self.assertEqual(self.submit("show", headers=key)["sweep"], first)
        self.ended(first)
        self.stop(process)
        process = self.serve()
        self.assertEqual(self.submit("show", headers=key)["sweep"], first)
        self.assertEqual(len(self.ask("/v1/sweeps")[0]["sweeps"]), 1)
        self.stop(process)

    def test_the_same_key_is_the_same_retry(self):
        self.job("show", self.devsim(3, "--fault", "silent:2"))
        process = self.serve()
        sweep = self.submit("show")["sweep"]
        self.ended(sweep)
        key = [("Idempotency-Key", "again")]

        def retry(which):
            return self.ask(f"/v1/sweeps/{which}/retry", {"only": "failed"}, status=202,
                            headers=key)[0]["sweep"]
        first = retry(sweep)
        self.assertNotEqual(first, sweep)
        self.assertEqual(retry(sweep), first)
        self.assertEqual(self.ended(first)["total"], 1)
        self.stop(process)
        process = self.serve()
        self.assertEqual(retry("last"), first)
        self.assertEqual(len(self.ask("/v1/sweeps")[0]["sweeps"]), 2)
        self.stop(process)

    def test_many_sweeps_at_once_and_no_device_twice(self):
        record = self.path("record")
        inventory = self.devsim(6, "--command-delay", "200ms", "--record", record)
        for name in ("one", "two", "three"):
            self.job(name, inventory)
        process = self.serve()
        sweeps = [self.submit(name)["sweep"] for name in ("one", "two", "three")]
        for sweep in sweeps:
            self.assertEqual(self.ended(sweep)["outcomes"], {"ok": 6})
        self.assertEqual(len(rig.commands_seen(record, "show version")), 18)
        self.stop(process)

    def test_killed_in_mid_sweep_it_goes_on(self):
        record = self.path("record")
        inventory = self.devsim(40, "--command-delay", "300ms", "--record", record)
        self.job("show", inventory, "limits: {sessions: 4}\n")
        process = self.serve("--lease", "2s")
        sweep = self.submit("show")["sweep"]
        rig.wait_until(lambda: self.ask(f"/v1/sweeps/{sweep}")[0]["done"] >= 8, "some are done")
        process.kill()
        process = self.serve("--lease", "2s")
        view = self.ended(sweep)
        self.assertEqual(view["outcomes"], {"ok": 40})
        process.wait_for(f"sweep {sweep} of job show goes on")
        # Only what ran when it died was repeated: at most a task a session.
        self.assertLessEqual(len(rig.commands_seen(record, "show version")), 40 + 4)
        self.stop(process)

    def test_a_changing_job_is_never_repeated(self):
        record = self.path("record")
        inventory = self.devsim(20, "--command-delay", "300ms", "--record", record)
        self.job("ntp", inventory,
                 "configuration: ['ntp server 192.0.2.1']\nlimits: {sessions: 4}\n")
        process = self.serve("--lease", "2s")
        sweep = self.submit("ntp")["sweep"]
        rig.wait_until(lambda: self.ask(f"/v1/sweeps/{sweep}")[0]["done"] >= 4, "some are done")
        process.kill()
        process = self.serve("--lease", "2s")
        outcomes = self.ended(sweep)["outcomes"]
        self.assertEqual(outcomes["ok"] + outcomes.get("lost", 0), 20)
        typed = rig.commands_seen(record, "ntp server 192.0.2.1")
        self.assertLessEqual(len(typed), 20, "no device was configured twice")
        self.stop(process)

    def test_a_schedule_fires_and_says_what_came_of_it(self):
        self.job("minutely", self.devsim(3), 'schedule: {cron: "* * * * *", zone: UTC}\n')
        process = self.serve()
        firing = rig.wait_until(
            lambda: self.ask("/v1/schedules/minutely/firings")[0]["firings"], "it fires", 75)[0]
        self.assertEqual(firing["what"], "started")
        self.assertTrue(firing["due"].endswith(":00.000Z"), firing)
        self.assertEqual(self.ended(firing["sweep"])["outcomes"], {"ok": 3})
        self.ask("/v1/schedules/minutely/pause", {})
        self.assertTrue(self.ask("/v1/schedules")[0]["schedules"][0]["paused"])
        self.stop(process)
        process = self.serve()
        self.assertTrue(self.ask("/v1/schedules")[0]["schedules"][0]["paused"])
        self.stop(process)

    def test_a_refused_password_pauses_nothing_but_its_sweep(self):
        inventory = self.devsim(10)
        self.job("show", inventory)
        self.write("jobs/secret", "wrong\n", mode=0o600)
        process = self.serve()
        sweep = self.submit("show")["sweep"]
        outcomes = self.ended(sweep)["outcomes"]
        self.assertGreaterEqual(outcomes["auth_failed"], 1)
        self.assertEqual(outcomes["auth_failed"] + outcomes.get("skipped", 0), 10)
        self.write("jobs/secret", rig.PASSWORD + "\n", mode=0o600)
        self.assertEqual(self.ended(self.submit("show")["sweep"])["outcomes"], {"ok": 10})
        self.stop(process)

    def test_jobs_name_credentials(self):
        inventory = self.devsim(3, "--password", "night-s3cret")
        for name in ("night", "lab"):
            self.job(name, inventory)
            path = self.path(f"jobs/{name}.yaml")
            self.write(path, rig.read(path).replace(b"password_file: secret",
                                                    b"name: " + name.encode()))
        self.write("night", "night-s3cret\n", mode=0o600)
        file = self.write("credentials.yaml", "credentials:\n  night: {password_file: night}\n")
        process = self.serve("--credential-file", file)
        jobs = {job["name"]: job for job in self.ask("/v1/jobs")[0]["jobs"]}
        self.assertIsNone(jobs["night"]["error"])
        self.assertIn(f"lab.yaml:4: credentials.name: {file} has no credential 'lab' (it has: "
                      "night)", jobs["lab"]["error"])
        self.submit("lab", status=404)
        sweep = self.submit("night")["sweep"]
        self.assertEqual(self.ended(sweep)["outcomes"], {"ok": 3})

        with open(file, "a", encoding="ascii") as credentials:
            credentials.write("  lab: {password_file: night}\n")
        process.send_signal(signal.SIGHUP)
        process.wait_for("read the jobs again: 2 of 2 are right")
        self.assertEqual(self.ended(self.submit("lab")["sweep"])["outcomes"], {"ok": 3})
        retried = self.ask(f"/v1/sweeps/{sweep}/retry", {"only": "ok"}, status=202)[0]["sweep"]
        self.assertEqual(self.ended(retried)["outcomes"], {"ok": 3})
        self.stop(process)
        process = self.serve()  # which is told of no file
        jobs = {job["name"]: job for job in self.ask("/v1/jobs")[0]["jobs"]}
        self.assertIn("night.yaml:4: credentials.name: nothing says where the credential 'night' "
                      "is", jobs["night"]["error"])
        self.stop(process)

    def test_what_a_token_may_not_say_it_may_not_repeat(self):
        self.job("show", self.devsim(3))
        made = self.finish([f"{rig.BIN}/netfleet", "keygen", "--token", "night", "--scopes", "run"])
        token = next(word for word in (made.out.decode() + made.err).split()
                     if word.startswith("nf_"))
        line = next(line for line in (made.out.decode() + made.err).splitlines()
                    if line.strip().startswith("night "))
        self.stop(self.serve())
        with open(self.path("api-tokens"), "a", encoding="ascii") as tokens:
            tokens.write(line.strip() + "\n")
        process = self.serve()
        own = {"job": "show", "commands": ["show clock"]}
        self.ask("/v1/sweeps", own, token=token, status=403)
        sweep = self.ask("/v1/sweeps", own, status=202)[0]["sweep"]
        self.ended(sweep)
        again = {"only": "ok"}
        self.ask(f"/v1/sweeps/{sweep}/retry", again, token=token, status=403)
        self.ended(self.ask(f"/v1/sweeps/{sweep}/retry", again, status=202)[0]["sweep"])
        usual = self.ask("/v1/sweeps", {"job": "show"}, token=token, status=202)[0]["sweep"]
        self.ended(usual)
        retried = self.ask(f"/v1/sweeps/{usual}/retry", again, token=token, status=202)[0]["sweep"]
        self.assertEqual(self.ended(retried)["outcomes"], {"ok": 3})
        self.stop(process)

    def test_a_wrong_job_hides_no_other(self):
        self.job("good", self.devsim(2))
        self.write("jobs/bad.yaml", "commands: [show version]\nnonsense: 1\n")
        process = self.serve()
        jobs = {job["name"]: job for job in self.ask("/v1/jobs")[0]["jobs"]}
        self.assertIn("bad.yaml:2", jobs["bad"]["error"])
        self.assertFalse(self.ask("/v1/health")[0]["ok"])
        self.assertEqual(self.ended(self.submit("good")["sweep"])["outcomes"], {"ok": 2})
        os.remove(self.path("jobs/bad.yaml"))
        process.send_signal(signal.SIGHUP)
        process.wait_for("read the jobs again: 1 of 1 are right")
        self.assertTrue(self.ask("/v1/health")[0]["ok"])
        self.stop(process)

    def test_a_damaged_store_is_kept_aside(self):
        self.job("show", self.devsim(2))
        self.stop(self.serve())
        with open(self.path("store.db"), "r+b") as store:
            store.seek(4096)
            store.write(b"\xff" * 8192)
        process = self.serve()
        process.wait_for("is damaged: it is kept as")
        kept = [name for name in os.listdir(self.path("")) if ".damaged-" in name]
        self.assertTrue(kept)
        self.assertEqual(self.ended(self.submit("show")["sweep"])["outcomes"], {"ok": 2})
        self.stop(process)

    def test_two_services_do_not_share_a_store(self):
        self.job("show", self.devsim(1))
        process = self.serve()
        second = self.finish([f"{rig.BIN}/netfleet", "serve", self.path("jobs"), "--store",
                              self.path("store.db"), "--http", "none"])
        self.assertEqual(second.status, 2, str(second))
        self.assertIn("another netfleet serve works with it", second.err)
        self.stop(process)


if __name__ == "__main__":
    unittest.main()

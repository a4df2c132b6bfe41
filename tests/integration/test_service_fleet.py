"""A service and what it needs: a roll-out that stops, a disk that fills up, workers of their own,
jump hosts, and people who ask over TLS."""

import json
import os
import re
import signal
import subprocess
import unittest

import fleet
import rig
import servers
import service


def setUpModule():
    servers.take_machine()


class Rollout(service.ServiceTest):
    def test_a_canary_stops_a_bad_change_after_5_of_200_devices(self):
        bad = "invalid ntp server"
        self.job("change", self.devices(200), f"configuration: ['{bad}']\n"
                 "rollout: {canary: 5, batch: 10%, max_failures: 2%}\n")
        self.serve()
        ran = self.ask("submit", "change", "--watch", status=1)
        sweep = ran.out.decode().strip()
        self.assertIn("200 hosts: 5 command_failed, 195 skipped", ran.err)
        self.ask("watch", sweep, status=1)
        self.assertEqual(self.ended(sweep)["outcomes"], {"command_failed": 5, "skipped": 195})
        tasks = self.results(sweep, status=1)
        self.assertEqual([task["host"] for task in tasks], self.hosts)
        self.assertEqual([task["outcome"] for task in tasks],
                         ["command_failed"] * 5 + ["skipped"] * 195)
        self.assertIn("5 of 200 hosts failed", tasks[5]["error"])
        self.assertEqual(len(rig.commands_seen(self.record, bad)), 5)
        self.assertEqual(len(rig.login_attempts(self.record)), 5)


class FullDisk(service.ServiceTest):
    def setUp(self):
        super().setUp()
        self.disk = self.path("disk")
        os.mkdir(self.disk)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", self.disk], check=True,
                       timeout=30)
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], check=True, timeout=30)
        self.env["NETFLEET_TOKEN_FILE"] = f"{self.disk}/api-token"

    def serve(self, *arguments, **options):
        return super().serve("--store", f"{self.disk}/store.db", *arguments, **options)

    def fill(self):
        with open(f"{self.disk}/ballast", "wb", buffering=0) as ballast:
            with self.assertRaises(OSError):  # full
                while True:
                    ballast.write(b"-" * 512)

    def make_room(self):
        os.remove(f"{self.disk}/ballast")

    def test_a_sweep_waits_for_room(self):
        """Nothing more is begun, all is said, and with room it goes on: nothing lost, nothing
        repeated."""
        command = "show tech 300"
        self.job("tech", self.devices(20), f"commands: {command}\nchanges_device: true\n"
                 "limits: {sessions: 4}\n", commands="")
        self.hold(1, 2, 3, 4)
        process = self.serve()
        sweep = self.submit("tech")
        rig.wait_until(lambda: len(rig.commands_seen(self.record, command)) == 4, "four at work")
        self.fill()
        self.release(1, 2, 3, 4)
        process.wait_for("the store has no room: nothing more is started until there is some")
        status = self.ask("status", status=1).out.decode()
        self.assertIn("the store has no room", status)
        rig.wait_until(lambda: len(rig.recorded(self.record, "disconnect")) == 4, "they ended")
        self.assertIn("full", self.ask("submit", "tech", status=3).err)
        self.assertEqual(len(rig.commands_seen(self.record, command)), 4)
        self.make_room()
        process.wait_for("the store has room again: going on")
        self.assertEqual(self.ended(sweep)["outcomes"], {"ok": 20})
        self.ask("status")
        for number, task in enumerate(self.results(sweep), 1):
            self.assertIn(task["attempt"], (1, 2))  # 2: granted, told to nobody, taken back
            self.assertEqual(task["commands"][0]["output"].encode(),
                             self.simulated_output(command, number))
        self.assertEqual(set(fleet.executions(self.record, command).values()), {1})

    def test_started_again_without_room_it_waits_for_some(self):
        change = "ntp server 192.0.2.1"
        self.job("change", self.devices(12), f"configuration: ['{change}']\n"
                 "limits: {sessions: 4}\n", commands="")
        self.hold(1, 2, 3, 4)
        process = self.serve()
        sweep = self.submit("change")
        rig.wait_until(lambda: len(rig.login_attempts(self.record)) == 4, "four at work")
        process.kill()
        self.release(1, 2, 3, 4)
        self.fill()
        process = self.serve()
        process.wait_for("the disk is full")
        self.ask("status", status=1)
        self.make_room()
        self.assertEqual(self.ended(sweep)["outcomes"], {"lost": 4, "ok": 8})
        self.ask("status")
        self.assertEqual(set(fleet.executions(self.record, change).values()), {1})

    def test_firings_are_told_once_there_is_room(self):
        self.job("watch", self.devices(2), 'schedule: {cron: "* * * * *", zone: UTC}\n')
        process = self.serve(env=self.clock("2026-03-01 11:59:57", speed=10))
        self.fired("watch", 1)
        self.fill()
        process.wait_for("job watch: not started: ", count=2)
        self.make_room()
        firings = self.fired("watch", lambda all: len(all) > 3 and all[-1]["what"] == "started")
        self.check_minutes(firings)
        self.assertGreaterEqual([one["what"] for one in firings].count("failed"), 2)
        self.assertIn("full", next(one["why"] for one in firings if one["what"] == "failed"))


class LaterAgain(service.ServiceTest):
    def test_what_cannot_go_on_is_tried_again(self):
        """At the start its job is wrong, for want of the inventory; then it is mended."""
        inventory = self.devices(8)
        self.job("show", inventory, "limits: {sessions: 2}\n")
        self.hold(1, 2)
        process = self.serve()
        sweep = self.submit("show")
        rig.wait_until(lambda: len(rig.login_attempts(self.record)) == 2, "two are at work")
        process.kill()
        os.rename(inventory, inventory + ".away")
        process = self.serve()
        process.wait_for(f"sweep {sweep} is not gone on with: there is no job 'show'")
        self.assertIn(f"sweep {sweep} is not gone on with",
                      self.ask("status", status=1).out.decode())
        self.release(1, 2)
        os.rename(inventory + ".away", inventory)
        process.send_signal(signal.SIGHUP)
        self.assertEqual(self.ended(sweep)["outcomes"], {"ok": 8})
        self.ask("status")


class Workers(service.ServiceTest):
    def test_a_worker_with_keys_is_killed_in_mid_sweep(self):
        self.make_keys("w1", "w2")
        port = rig.free_port(3)
        endpoint = f"tcp://127.0.0.1:{port}"
        self.job("show", self.devices(200))
        self.serve("--listen", endpoint, "--keys", self.keys, "--min-workers", "2")
        w1, w2 = (self.worker(endpoint, name, 20, "--keys", self.keys)
                  for name in ("w1", "w2"))
        self.hold(*range(1, 201))
        sweep = self.submit("show")
        rig.wait_until(lambda: len(rig.commands_seen(self.record, "show version")) == 40,
                       "both are at work")
        self.assertEqual({worker["worker"]: worker["running"] for worker in
                          self.ask("workers", "-o", "jsonl").objects()}, {"w1": 20, "w2": 20})
        w1.kill()
        self.release(*range(1, 201))
        self.assertEqual(self.ended(sweep)["outcomes"], {"ok": 200})
        tasks = self.results(sweep)
        self.assertEqual([task["host"] for task in tasks], self.hosts)
        self.assertEqual(sum(task["attempt"] == 2 for task in tasks), 20)
        self.assertEqual({task["worker"] for task in tasks if task["attempt"] == 2}, {"w2"})
        self.assertEqual(fleet.acts_of_former_owners(self.record), [])
        self.assertFalse(w2.ended(), w2.text())


class Ways(service.ServiceTest):
    def test_devices_behind_a_jump_host(self):
        user = servers.add_user(self, "jump", "/usr/sbin/nologin")
        hop = servers.sshd(self, user, options=["AllowTcpForwarding yes"])
        self.devices(4)
        inventory = self.write("behind.yaml", json.dumps({
            "hosts": {f"edge-{number}": dict(zip(("hostname", "port"), host.rsplit(":", 1)))
                      for number, host in enumerate(self.hosts, 1)},
            "defaults": {"platform": "cisco_ios", "jump": "bastion"},
            "jumps": {"bastion": {"address": "127.0.0.1", "port": hop.port, "user": user,
                                  "password": servers.PASSWORD}}}))
        self.job("behind", inventory)
        self.serve()
        sweep = self.submit("behind")
        self.assertEqual(self.ended(sweep)["outcomes"], {"ok": 4})
        tasks = self.results(sweep)
        self.assertEqual([(task["host"], task["jump"]) for task in tasks],
                         [(f"edge-{number}", "bastion") for number in range(1, 5)])
        hop.process.wait_for("Accepted password for")

    def test_curl_asks_over_tls(self):
        self.job("show", self.devices(5))
        certificate, key = self.path("api.pem"), self.path("api.key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=api",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-out", certificate, "-keyout",
                        key], check=True, capture_output=True, timeout=30)
        self.serve("--tls-cert", certificate, "--tls-key", key)
        url = f"https://127.0.0.1:{self.port}"
        token = rig.read(self.path("state/netfleet/api-token")).decode().strip()

        def curl(path, *arguments):
            return self.finish(["curl", "-sS", "--fail-with-body", "-H",
                                f"Authorization: Bearer {token}", *arguments, url + path])
        trusted = ["--cacert", certificate]
        begun = curl("/v1/sweeps", *trusted, "-d", '{"job": "show"}', "-H",
                     "Content-Type: application/json")
        self.assertEqual(begun.status, 0, str(begun))
        sweep = begun.objects()[0]["sweep"]
        events = curl(f"/v1/sweeps/{sweep}/events", *trusted).out.decode()
        self.assertIn('"state":"ended"', re.sub(r"\s", "", events))
        results = curl(f"/v1/sweeps/{sweep}/results", *trusted).objects()
        self.assertEqual([(task["host"], task["outcome"]) for task in results],
                         [(host, "ok") for host in self.hosts])
        self.assertEqual(curl("/v1/health").status, 60, "an unknown certificate")
        verb = ["--server", url, "--ca", certificate]
        self.assertEqual(self.ask("results", sweep, "-o", "jsonl", *verb).objects(), results)
        self.assertIn("certificate", self.ask("status", "--server", url, status=3).err)


if __name__ == "__main__":
    unittest.main()

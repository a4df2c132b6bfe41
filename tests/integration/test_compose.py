"""docker-compose.yml does what it promises: its services, commands, networks and volumes, as
processes in network namespaces, from images that the Dockerfile describes.
"""

import os
import shutil
import tempfile
import unittest

import compose
import containers
import packages
import rig
import servers
from rig import log_line

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docker-compose.yml")
HOSTS = [f"{region}-{number}" for region in ("eu", "us") for number in range(1, 21)]
SESSIONS = 8  # of each worker


def setUpModule():
    servers.take_machine()
    containers.private_mounts()


class Compose(rig.RigTest):
    def setUp(self):
        super().setUp()
        directory = tempfile.mkdtemp(prefix="netfleet-packages-")
        self.addCleanup(shutil.rmtree, directory)
        self.project = compose.Project(self, os.path.realpath(FILE), packages.make(directory))

    def one(self, service):
        container, = self.project.containers[service]
        return container

    def tasks(self):
        """The results of the sweep that the dispatcher does: every host ok, in order."""
        dispatcher = self.project.finished("dispatcher")
        printed = [line.split()[1] for line in dispatcher.process.lines if line.startswith("=== ")]
        self.assertEqual(printed, HOSTS)
        tasks = dispatcher.run("netfleet", "results", "last", "-o", "jsonl").objects()
        self.assertEqual([(task["host"], task["outcome"]) for task in tasks],
                         [(host, "ok") for host in HOSTS])
        for task in tasks:
            self.assertEqual(task["worker"], task["region"])
            self.assertIn(f"{task['host']} uptime", task["commands"][0]["output"])
        return tasks

    def check_who_knows_whom(self):
        """A region's devices are names to its jump host alone, jump hosts to workers alone."""
        names = ("dispatcher", "worker-eu", "worker-us", "jump-eu", "jump-us", "devices-eu",
                 "devices-us")
        for service, known in (("dispatcher", {"dispatcher", "worker-eu", "worker-us"}),
                               ("worker-eu", {"dispatcher", "worker-eu", "jump-eu"}),
                               ("jump-us", {"worker-us", "jump-us", "devices-us"}),
                               ("devices-us", {"jump-us", "devices-us"})):
            found = {name for name in names
                     if self.one(service).run("getent", "hosts", name).status == 0}
            self.assertEqual(found, known, service)
        devices, = self.one("devices-eu").addresses.values()
        for service, reached in (("jump-eu", True), ("worker-eu", False), ("dispatcher", False)):
            ran = self.one(service).run("bash", "-c", f"exec 3<>/dev/tcp/{devices}/2201")
            self.assertEqual(ran.status == 0, reached, str(ran))

    def test_up_sweep_kill_scale_sweep(self):
        project = self.project
        project.up("dispatcher", "worker-eu")  # which waits for two workers
        for service in ("dispatcher", "worker-eu"):
            rig.wait_until(self.one(service).healthy, f"{service} is healthy")
        project.up()
        self.assertEqual({task["attempt"] for task in self.tasks()}, {1})
        self.check_who_knows_whom()
        killed = self.one("worker-eu")
        rig.wait_until(lambda: not killed.healthy(), "no dispatcher")

        project.up("dispatcher")
        dispatcher = project.containers["dispatcher"][-1]
        dispatcher.process.wait_for(log_line("granted", worker="eu"), count=SESSIONS)
        killed.process.kill()
        project.up("worker-eu", worker_eu=3)
        again = [task["host"] for task in self.tasks() if task["attempt"] == 2]
        self.assertIn(len(again), range(1, SESSIONS + 1))
        self.assertTrue(all(host.startswith("eu-") for host in again), again)

        command = project.file["services"]["dispatcher"]["command"]
        project.run("dispatcher", command.replace("--min-workers 2", "--min-workers 4"))
        self.assertEqual({task["attempt"] for task in self.tasks()}, {1})
        workers = project.containers["worker-eu"]
        self.assertEqual(len(workers), 3)
        for worker in (killed, *workers):  # each of them has been at the jump host
            self.one("jump-eu").process.wait_for(
                f"Accepted publickey for netfleet from {worker.addresses['region-eu']} ")
        for worker in (*workers, self.one("worker-us")):
            worker.process.stop()
            self.assertEqual(worker.process.popen.returncode, 0, worker.process.text())

    def test_a_service_instead(self):
        project = self.project
        project.up("serve", "worker-eu", "worker-us")
        serve = self.one("serve")
        rig.wait_until(serve.healthy, "the service is healthy")
        ran = serve.run("netfleet", "submit", "versions", "--watch")
        self.assertEqual(ran.status, 0, str(ran))
        self.assertIn("40 hosts: 40 ok", ran.err)
        sweep = ran.out.decode().strip()
        tasks = serve.run("netfleet", "results", sweep, "-o", "jsonl").objects()
        self.assertEqual([(task["host"], task["worker"]) for task in tasks],
                         [(host, host[:2]) for host in HOSTS])
        scheduled = serve.run("netfleet", "schedule", "-o", "jsonl").objects()
        self.assertEqual([one["job"] for one in scheduled], ["versions"])

        serve.process.stop()
        self.assertEqual(serve.process.popen.returncode, 0, serve.process.text())
        project.up("serve")
        serve = self.one("serve")
        rig.wait_until(serve.healthy, "it is healthy again")
        self.assertIn(sweep, serve.run("netfleet", "status").out.decode())
        ran = serve.run("netfleet", "submit", "versions", "-l", "region:us", "--watch")
        self.assertIn("20 hosts: 20 ok", ran.err, str(ran))


if __name__ == "__main__":
    unittest.main()

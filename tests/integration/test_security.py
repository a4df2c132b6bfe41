"""Keys and strangers: who may join a fleet, what outsiders get from it, what a flood costs it, and
where no secret may be found."""

import json
import os
import resource
import signal
import socket
import subprocess
import unittest

import zmq

import hostile
import rig

PORTS = 3  # control, sink, one lane
MEBIBYTE = 1 << 20


def resident(pid, what="VmRSS"):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(what + ":"))


class FleetTest(rig.RigTest):
    def setUp(self):
        super().setUp()
        self.port = rig.free_port(PORTS)
        self.endpoint = f"tcp://127.0.0.1:{self.port}"

    def pair(self, name):
        return (hostile.Key(f"{self.keys}/workers/{name}.pub").text,
                hostile.Key(f"{self.keys}/worker-{name}.secret").text)

    def server_key(self):
        return hostile.Key(f"{self.keys}/dispatcher.pub").text

    def peers(self, address="127.0.0.1"):
        peers = hostile.Peers(self.port, address)
        self.addCleanup(peers.close)
        return peers

    def dispatcher(self, inventory, *arguments, listen=None, **options):
        return self.start(*self.run_argv("-i", inventory, "-u", "admin", "-c", "show version", "-o",
                                         "jsonl", "--listen", listen or self.endpoint, *arguments,
                                         **options))

    def keyed_worker(self, name, sessions, *arguments, endpoint=None):
        return self.worker(endpoint or self.endpoint, name, sessions, "--keys", self.keys,
                           *arguments)

    def listening(self):
        def listens():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0
        rig.wait_until(listens, "the dispatcher's port")

    def at_work(self, count):
        rig.wait_until(lambda: len(rig.commands_seen(self.path("record"), "show version")) >= count,
                       f"{count} devices at work")

    def finished(self, dispatcher, count):
        self.assertEqual(dispatcher.wait(), 0, dispatcher.text())
        dispatcher.stop()
        tasks = [json.loads(line) for line in dispatcher.lines if line.startswith("{")]
        self.assertEqual([task["index"] for task in tasks], list(range(count)))
        self.assertEqual({task["outcome"] for task in tasks}, {"ok"}, dispatcher.text())
        return tasks


class Keys(FleetTest):
    def test_keygen_makes_closed_secrets_and_overwrites_nothing(self):
        ran = self.keygen("dispatcher")
        with open(f"{self.keys}/dispatcher.secret", "rb") as file:
            secret = file.read()
        self.assertEqual(os.stat(f"{self.keys}/dispatcher.secret").st_mode & 0o7777, 0o600)
        self.assertEqual(os.stat(f"{self.keys}/dispatcher.pub").st_mode & 0o7777, 0o644)
        self.assertNotIn(secret.split()[3], ran.out + ran.err.encode())
        refused = self.keygen("dispatcher", status=2)
        self.assertIn("--replace", refused.err)
        self.assertEqual(rig.read(f"{self.keys}/dispatcher.secret"), secret)
        self.keygen("dispatcher", "--replace")
        self.assertNotEqual(rig.read(f"{self.keys}/dispatcher.secret"), secret)

    def test_off_loopback_keys_are_required(self):
        for listen in ("tcp://0.0.0.0:7600", "tcp://[::]:7600", "tcp://*:7600", "tcp://10.0.0.1:1"):
            ran = self.sweep("-H", "127.0.0.1", "-u", "admin", "-c", "show clock", "--listen",
                             listen, status=2)
            self.assertRegex(ran.err, "CURVE is required.*netfleet keygen.*--keys DIR")
            ran = self.finish([f"{rig.BIN}/netfleet-worker", "--dispatcher", listen])
            self.assertEqual(ran.status, 2, str(ran))
            self.assertRegex(ran.err, "CURVE is required.*netfleet keygen.*--keys DIR")

    def test_what_is_wrong_with_keys_is_said_before_anything_is_asked(self):
        def refused(problem):
            ran = self.sweep("-H", "127.0.0.1", "-u", "admin", "-c", "show clock", "--listen",
                             self.endpoint, "--keys", self.keys, status=2, password="--no-agent")
            self.assertIn(problem, ran.err)
            self.assertNotIn("password", ran.err)
        refused("netfleet keygen")
        self.keygen("dispatcher")
        refused("no worker may join")
        self.keygen("worker", "eu-1")
        os.chmod(f"{self.keys}/dispatcher.secret", 0o640)
        refused("chmod 600")

    def test_workers_join_by_name_and_by_address(self):
        self.make_keys("eu-1", "eu-2")
        dispatcher = self.dispatcher(self.devsim(20, "--command-delay", "200ms"), "--min-workers",
                                     2, "--keys", self.keys, listen=f"tcp://[::]:{self.port}",
                                     password="--no-agent")
        self.keyed_worker("eu-1", 5, endpoint=f"tcp://localhost:{self.port}")
        self.keyed_worker("eu-2", 5, endpoint=f"tcp://[::1]:{self.port}")
        tasks = self.finished(dispatcher, 20)
        self.assertEqual({task["worker"] for task in tasks}, {"eu-1", "eu-2"})

    def test_passwords_travel_only_when_allowed(self):
        self.make_keys("poor", "rich")
        inventory = self.devsim(2)
        env = {name: value for name, value in self.env.items() if "PASSWORD" not in name}
        everywhere = f"tcp://0.0.0.0:{self.port}"
        ran = self.sweep("-i", inventory, "-u", "admin", "-c", "show version", "--listen",
                         everywhere, "--keys", self.keys, status=2)
        self.assertIn("--send-credentials", ran.err)
        dispatcher = self.dispatcher(inventory, "--keys", self.keys, listen=everywhere,
                                     password="--no-agent")
        poor = self.poor_worker(env)
        # What it cannot log in to it gives back, and leaves; the other one does it.
        self.assertEqual(poor.wait(), 3, poor.text())
        poor.wait_for("no credential 'default' here, and the dispatcher sent none")
        dispatcher.wait_for("worker left, no credential 'default' here.*worker=poor")
        self.keyed_worker("rich", 2)
        self.assertEqual({task["worker"] for task in self.finished(dispatcher, 2)}, {"rich"})
        sending = self.dispatcher(inventory, "--keys", self.keys, "--send-credentials",
                                  listen=everywhere)
        poor = self.poor_worker(env)
        self.finished(sending, 2)
        self.assertFalse(poor.ended(), poor.text())

    def poor_worker(self, env):
        return self.start(f"{rig.BIN}/netfleet-worker", "--dispatcher", self.endpoint, "--keys",
                          self.keys, "--name", "poor", "--known-hosts", self.path("known_hosts"),
                          env=env)

    def test_workers_come_and_go_while_a_sweep_runs(self):
        self.make_keys("eu-1")
        inventory = self.devsim(40, "--command-delay", "1s", "--record", self.path("record"))
        dispatcher = self.dispatcher(inventory, "--keys", self.keys, "--lease", "2s")
        old = self.keyed_worker("eu-1", 2)
        self.at_work(2)
        self.keygen("worker", "eu-2")
        self.keyed_worker("eu-2", 10)
        self.at_work(10)
        os.remove(f"{self.keys}/workers/eu-1.pub")
        dispatcher.wait_for("worker is silent.*eu-1|eu-1.*worker is silent")
        tasks = self.finished(dispatcher, 40)
        self.assertIn("eu-2", {task["worker"] for task in tasks})
        self.assertFalse(old.ended(), old.text())


    def test_an_operator_asks_with_a_key(self):
        self.make_keys("eu-1")
        self.keygen("operator", "anna")
        dispatcher = self.dispatcher(self.devsim(5, "--command-delay", "1s"), "--keys", self.keys)
        ask = [f"{rig.BIN}/netfleet", "workers", "--dispatcher", self.endpoint, "-o", "jsonl"]
        self.listening()
        self.assertEqual(self.finish(ask).status, 2, "without a key nobody is told anything")
        answer = self.finish([*ask, "--keys", self.keys])
        self.assertEqual(answer.status, 0, str(answer))
        self.keyed_worker("eu-1", 5)
        self.finished(dispatcher, 5)


class Impostors(FleetTest):
    def offers(self, lane, wanted):
        """Task references that are offered, by reading a lane."""
        found = {}
        while len(found) < wanted:
            for number, offer in hostile.fields(lane.recv()[3:]):
                if number == 2:
                    found[dict(hostile.fields(offer))[1]] = offer
        return found

    def test_a_key_speaks_for_its_own_name_and_incarnation_alone(self):
        self.make_keys("eu-1", "eu-2", "eu-3")
        inventory = self.devsim(2)
        dispatcher = self.dispatcher(inventory, "--keys", self.keys, "--lease", "2s")
        self.listening()
        peers, server = self.peers(), self.server_key()
        mine, theirs = 0x1111111111111101, 0x2222222222222201
        liar = peers.connect(zmq.DEALER, 0, theirs, self.pair("eu-2"), server)
        liar.send(hostile.hello(theirs, "eu-1"))
        kind, refusal = hostile.told(liar)
        self.assertEqual(kind, hostile.REFUSED)
        self.assertIn(b"its key is that of worker eu-2", refusal)

        # eu-1 takes both tasks. The result of one is delivered by eu-2 in its name, that of the
        # other by itself: which shows that such a result counts, and that the first did not.
        owner = peers.connect(zmq.DEALER, 0, mine, self.pair("eu-1"), server)
        owner.send(hostile.hello(mine, "eu-1", slots=2))
        kind, welcome = hostile.told(owner)
        self.assertEqual(kind, hostile.WELCOME)
        journal = hostile.journal_of(welcome)
        lane = peers.connect(zmq.PULL, 2, None, self.pair("eu-1"), server)
        offers = self.offers(lane, 2)
        owner.send(hostile.claim(mine, offers.values(), journal))
        while hostile.told(owner)[0] != hostile.GRANT:
            pass
        forged, own = sorted(offers, key=lambda task: dict(hostile.fields(task)).get(2, 0))
        false_sink = peers.connect(zmq.PUSH, 1, None, self.pair("eu-2"), server)
        false_sink.send(hostile.result(mine, forged, b"a forged version", journal))
        true_sink = peers.connect(zmq.PUSH, 1, None, self.pair("eu-1"), server)
        true_sink.send(hostile.result(mine, own, b"its own version", journal))
        # Nor does eu-2 speak on the control socket as eu-1: it gets no answer, and renews nothing.
        other = peers.connect(zmq.DEALER, 0, theirs, self.pair("eu-2"), server)
        other.send(hostile.hello(theirs, "eu-2"))
        self.assertEqual(hostile.told(other)[0], hostile.WELCOME)
        impostor = peers.connect(zmq.DEALER, 0, mine, self.pair("eu-2"), server)
        impostor.send(hostile.heartbeat(mine, journal=journal))

        self.keyed_worker("eu-3", 2)
        tasks = self.finished(dispatcher, 2)
        self.assertEqual([task["worker"] for task in tasks], ["eu-3", "eu-1"])
        self.assertEqual([task["attempt"] for task in tasks], [2, 1])
        self.assertEqual(tasks[1]["commands"][0]["output"], "its own version")
        self.assertNotIn("forged version", dispatcher.text())
        self.assertEqual(impostor.poll(0), 0)
        self.assertRegex(dispatcher.text(), r"dropped \d+ malformed or forged messages")


class Strangers(FleetTest):
    COUNT = 40

    def test_outsiders_get_nothing_and_disturb_nothing(self):
        self.make_keys("eu-1")
        inventory = self.devsim(self.COUNT, "--command-delay", "1s", "--record",
                                self.path("record"))
        dispatcher = self.dispatcher(inventory, "--keys", self.keys, password="--no-agent",
                                     listen=f"tcp://0.0.0.0:{self.port}")
        worker = self.keyed_worker("eu-1", 5)
        self.at_work(2)
        before = resident(dispatcher.pid)
        peers, server, known = self.peers(), self.server_key(), self.pair("eu-1")
        stranger, other_server = hostile.new_pair(), hostile.new_pair()[0]
        listeners = []
        for offset, kind in ((0, zmq.DEALER), (1, zmq.PUSH), (2, zmq.PULL)):
            for pair, key in ((None, None), (stranger, server), (known, other_server)):
                number = 0x7700 + len(listeners) + 1
                peer = peers.connect(kind, offset, number if kind == zmq.DEALER else None, pair,
                                     key, immediate=kind == zmq.PUSH)
                listeners.append(peer)
                if kind == zmq.DEALER:
                    peer.send(hostile.hello(number, "eu-1", slots=500))
        silent = [socket.create_connection(("127.0.0.1", self.port + offset), timeout=10)
                  for offset in range(PORTS) for _ in range(100)]
        for offset in range(PORTS):
            for data in hostile.raw_attacks().values():
                hostile.throw(self.port + offset, data)
        dispatcher.wait_for(rf"refused \d+ connections?, the last one from 127\.0\.0\.1")
        self.at_work(self.COUNT)
        for peer in listeners:
            # A PUSH that insists on a connection takes a message only once its key was accepted.
            event = zmq.POLLOUT if peer.type == zmq.PUSH else zmq.POLLIN
            self.assertEqual(peer.poll(0, event), 0, "an outsider was let in")
        tasks = self.finished_with_one_attempt(dispatcher, worker)
        for one in silent:
            one.close()
        self.assertEqual({task["worker"] for task in tasks}, {"eu-1"})
        self.assertLess(self.peak - before, 64 * MEBIBYTE)

    def finished_with_one_attempt(self, dispatcher, worker):
        """Nothing was lost and nothing repeated; remembers the dispatcher's greatest size."""
        self.at_work(self.COUNT)
        self.peak = resident(dispatcher.pid, "VmHWM")
        tasks = self.finished(dispatcher, self.COUNT)
        self.assertEqual({task["attempt"] for task in tasks}, {1})
        self.assertEqual(len(rig.commands_seen(self.path("record"), "show version")), self.COUNT)
        self.assertFalse(worker.ended(), worker.text())
        return tasks

    def flooded(self, keys):
        """A sweep with one good worker, while others flood each port and never read."""
        inventory = self.devsim(self.COUNT, "--command-delay", "1s", "--record",
                                self.path("record"))
        keyed = ("--keys", self.keys) if keys else ()
        dispatcher = self.dispatcher(inventory, *keyed)
        worker = self.worker(self.endpoint, "eu-1", 5, *keyed)
        self.at_work(2)
        before = resident(dispatcher.pid)
        peers = self.peers()
        curve = (self.pair("rogue"), self.server_key()) if keys else (None, None)
        impatient = {"sndtimeo": 0, "sndhwm": 1000, "rcvhwm": 1}
        floods = []
        for number in range(0x5501, 0x5505):
            body = hostile.heartbeat(number)
            big = hostile.heartbeat(number) + hostile.field(99, b"x" * 900_000)
            floods.append((peers.connect(zmq.DEALER, 0, number, *curve, **impatient), body))
            floods.append((peers.connect(zmq.DEALER, 0, number + 0x100, *curve, **impatient), big))
            floods.append((peers.connect(zmq.PUSH, 1, None, *curve, **impatient),
                           hostile.result(number, hostile.field(1, 1) + hostile.field(3, 1),
                                          b"x" * 100_000)))
        deaf = [peers.connect(zmq.PULL, 2, None, *curve, **impatient) for _ in range(4)]
        sent = 0
        while len(rig.commands_seen(self.path("record"), "show version")) < self.COUNT:
            for peer, body in floods:
                for _ in range(200):
                    try:
                        peer.send(body)
                    except zmq.Again:
                        break
                    sent += 1
        self.assertGreater(sent, 10_000)
        self.finished_with_one_attempt(dispatcher, worker)
        for peer in deaf:
            peer.close()
        self.assertRegex(dispatcher.text(), r"dropped \d+ malformed or forged messages")
        print(f"flood: {sent} messages; the dispatcher grew by "
              f"{(self.peak - before) // MEBIBYTE} MiB", flush=True)
        self.assertLess(self.peak - before, 256 * MEBIBYTE)

    def test_a_flood_on_loopback(self):
        self.flooded(keys=False)

    def test_a_flood_by_a_worker_with_a_key(self):
        self.make_keys("eu-1", "rogue")
        self.flooded(keys=True)


class Secrets(FleetTest):
    PASSWORD, ENABLE, PASSPHRASE = "Tr0ub4dor&3-login", "c0rrect-enable-horse", "b4ttery-key-staple"

    def start_all(self):
        """A dispatcher and a worker that know every kind of secret, at work and talkative."""
        self.make_keys("eu-1")
        self.env.update(NETFLEET_TEST_PASSWORD=self.PASSWORD, ENABLE=self.ENABLE,
                        PASSPHRASE=self.PASSPHRASE)
        os.mkdir(self.path("work"))
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", self.PASSPHRASE, "-f",
                        self.path("id")], check=True, timeout=60)
        inventory = self.devsim(10, "--password", self.PASSWORD, "--command-delay", "1s",
                                "--record", self.path("record"))
        secrets = ["--enable-password-env", "ENABLE"]
        options = {"cwd": self.path("work"), "preexec_fn": lambda: resource.setrlimit(
            resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))}
        dispatcher = self.start(
            *self.run_argv("-i", inventory, "-u", "admin", "-c", "show version", "-o", "jsonl",
                           "--listen", f"tcp://0.0.0.0:{self.port}", "--keys", self.keys,
                           "--send-credentials", "-vv", "--store", self.path("store.db"), *secrets),
            **options)
        worker = self.start(f"{rig.BIN}/netfleet-worker", "--dispatcher", self.endpoint, "--keys",
                            self.keys, "-vv", "-k", self.path("id"), "--key-passphrase-env",
                            "PASSPHRASE", "--known-hosts", self.path("known_hosts"), "--sessions",
                            2, **options)
        self.at_work(2)
        return dispatcher, worker

    def secrets(self):
        keys = [hostile.Key(f"{self.keys}/{name}.secret").text
                for name in ("dispatcher", "worker-eu-1")]
        return [self.PASSWORD, self.ENABLE, self.PASSPHRASE, *keys]

    def assert_free_of_secrets(self, data, where):
        for secret in self.secrets():
            self.assertNotIn(secret.encode(), data, f"a secret is in {where}")

    def test_no_secret_in_logs_store_files_or_command_lines(self):
        dispatcher, worker = self.start_all()
        for process in (dispatcher, worker):
            self.assert_free_of_secrets(rig.read(f"/proc/{process.pid}/cmdline"), "a command line")
        self.finished(dispatcher, 10)
        worker.stop()
        for process in (dispatcher, worker):
            said = "\n".join(process.lines).encode()
            self.assert_free_of_secrets(said, f"what {process.name} said")
        shown = self.finish([f"{rig.BIN}/netfleet", "results", "last", "-o", "jsonl", "--store",
                             self.path("store.db")])
        self.assertEqual(len(shown.objects()), 10)
        self.assert_free_of_secrets(shown.out, "the stored results")
        places = [os.path.join(folder, name) for folder, _, names in os.walk(self.directory)
                  for name in names if not folder.startswith(self.keys)]
        self.assertIn(self.path("store.db"), places)
        for place in set(places) - {self.path("record")}:  # what the devices themselves wrote
            self.assert_free_of_secrets(rig.read(place), place)

    def died_of(self, process, number):
        """Sends a signal; whether the kernel wrote a core."""
        process.send_signal(number)
        _, status = os.waitpid(process.pid, 0)
        self.assertTrue(os.WIFSIGNALED(status), process.text())
        self.assertEqual(os.WTERMSIG(status), number)
        return os.WCOREDUMP(status)

    def test_no_core_is_written(self):
        dispatcher, worker = self.start_all()
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        ordinary = self.start(
            "sleep", "1000", cwd=self.path("work"),
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, unlimited))
        rig.wait_until(lambda: rig.read(f"/proc/{ordinary.pid}/comm") == b"sleep\n", "sleep")
        self.assertTrue(self.died_of(ordinary, signal.SIGABRT), "no process leaves cores here")
        self.assertFalse(self.died_of(worker, signal.SIGABRT))
        self.assertFalse(self.died_of(dispatcher, signal.SIGSEGV))


if __name__ == "__main__":
    unittest.main()

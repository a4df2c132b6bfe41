"""netfleet-worker processes: joining late and in the middle, draining, and garbage on the ports."""

import contextlib
import json
import signal
import socket
import struct
import unittest

import rig


def zmtp_frame(body, more=False):
    return struct.pack(">BQ", 0x02 | (0x01 if more else 0), len(body)) + body


def zmtp_peer(port, kind):
    """A peer that speaks ZMTP 3.0 well enough to send frames that mean nothing."""
    peer = socket.create_connection(("127.0.0.1", port), timeout=10)
    peer.sendall(b"\xff" + b"\0" * 8 + b"\x7f\x03\0NULL".ljust(23, b"\0") + b"\0" * 32)
    ready = b"\x05READY" + b"\x0bSocket-Type" + struct.pack(">I", len(kind)) + kind
    peer.sendall(struct.pack(">BB", 0x04, len(ready)) + ready)
    return peer


GARBAGE = [b"", b"\0" * 64, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n",
           b"\xff" * 4096, bytes(range(256)) * 16]


class Workers(rig.RigTest):
    def setUp(self):
        super().setUp()
        self.port = rig.free_port(3)
        self.endpoint = f"tcp://127.0.0.1:{self.port}"

    def dispatcher(self, inventory, *arguments):
        """`netfleet run --listen`, not waited for."""
        return self.start(*self.run_argv("-i", inventory, "-u", "admin", "-c", "show version", "-o",
                                         "jsonl", "--listen", self.endpoint, *arguments))

    def finished(self, dispatcher, count, status=0):
        self.assertEqual(dispatcher.wait(), status, dispatcher.text())
        dispatcher.stop()
        tasks = [json.loads(line) for line in dispatcher.lines if line.startswith("{")]
        self.assertEqual([task["index"] for task in tasks], list(range(count)))
        return tasks

    def wait_for_commands(self, count):
        rig.wait_until(lambda: len(rig.commands_seen(self.path("record"), "show version")) >= count,
                       f"{count} devices at work")

    def test_workers_come_later_than_the_dispatcher(self):
        dispatcher = self.dispatcher(self.devsim(10), "--min-workers", 2)
        rig.wait_until(self.listens, "the dispatcher's port")
        self.worker(self.endpoint, "w1", 5)
        self.worker(self.endpoint, "w2", 5)
        tasks = self.finished(dispatcher, 10)
        self.assertEqual({task["outcome"] for task in tasks}, {"ok"})

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def test_a_worker_joins_in_the_middle(self):
        inventory = self.devsim(40, "--command-delay", "1s", "--record", self.path("record"))
        dispatcher = self.dispatcher(inventory)
        self.worker(self.endpoint, "w1", 2)
        self.wait_for_commands(2)
        self.worker(self.endpoint, "w2", 40)
        tasks = self.finished(dispatcher, 40)
        self.assertEqual({task["outcome"] for task in tasks}, {"ok"})
        self.assertEqual({task["worker"] for task in tasks}, {"w1", "w2"})

    def test_sigterm_drains_a_worker(self):
        inventory = self.devsim(30, "--command-delay", "1s", "--record", self.path("record"))
        dispatcher = self.dispatcher(inventory)
        first = self.worker(self.endpoint, "w1", 4)
        self.wait_for_commands(4)
        first.send_signal(signal.SIGTERM)
        self.worker(self.endpoint, "w2", 30)
        self.assertEqual(first.wait(), 0, first.text())
        tasks = self.finished(dispatcher, 30)
        self.assertEqual({task["outcome"] for task in tasks}, {"ok"})
        self.assertEqual({task["attempt"] for task in tasks}, {1})
        self.assertEqual(len(rig.commands_seen(self.path("record"), "show version")), 30)

    def test_a_worker_serves_one_dispatcher_after_another(self):
        worker = self.worker(self.endpoint, "w1", 10)
        for round_number in (1, 2):
            dispatcher = self.dispatcher(self.devsim(5, name=f"devices{round_number}.txt"))
            tasks = self.finished(dispatcher, 5)
            self.assertEqual({task["worker"] for task in tasks}, {"w1"})
            self.assertFalse(worker.ended(), worker.text())
        worker.send_signal(signal.SIGTERM)
        self.assertEqual(worker.wait(), 0, worker.text())

    def test_garbage_on_every_port(self):
        inventory = self.devsim(30, "--command-delay", "1s", "--record", self.path("record"))
        dispatcher = self.dispatcher(inventory)
        worker = self.worker(self.endpoint, "w1", 5)
        self.wait_for_commands(2)
        for port in range(self.port, self.port + 3):
            for garbage in GARBAGE:
                with socket.create_connection(("127.0.0.1", port), timeout=10) as peer:
                    peer.sendall(garbage)
            for kind in (b"DEALER", b"PUSH", b"PULL", b"REQ"):
                with zmtp_peer(port, kind) as peer, contextlib.suppress(ConnectionError):
                    for body in GARBAGE:
                        peer.sendall(zmtp_frame(b"", more=True) + zmtp_frame(body))
                    peer.sendall(struct.pack(">BQ", 0x02, 1 << 40))  # a frame of a terabyte
        tasks = self.finished(dispatcher, 30)
        self.assertEqual({task["outcome"] for task in tasks}, {"ok"})
        self.assertFalse(worker.ended(), worker.text())

    def test_a_port_that_is_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", self.port))
            taken.listen()
            ran = self.sweep("-H", "127.0.0.1", "-u", "admin", "-c", "show clock", "--listen",
                             self.endpoint, status=2)
        self.assertIn(str(self.port), ran.err)

    def test_no_open_address_without_keys(self):
        ran = self.sweep("-H", "127.0.0.1", "-u", "admin", "-c", "show clock", "--listen",
                         f"tcp://0.0.0.0:{self.port}", status=2)
        self.assertIn("0.0.0.0", ran.err)

    def test_a_worker_gets_the_password_from_the_dispatcher(self):
        """On loopback only, which is all there is; and it says it nowhere."""
        secret = self.env["NETFLEET_TEST_PASSWORD"] = "Tr0ub4dor&3"
        dispatcher = self.dispatcher(self.devsim(2, "--password", secret))
        env = {name: value for name, value in self.env.items() if "PASSWORD" not in name}
        worker = self.start(f"{rig.BIN}/netfleet-worker", "--dispatcher", self.endpoint, "--name",
                            "poor", "-vv", "--known-hosts", self.path("known_hosts"), env=env)
        tasks = self.finished(dispatcher, 2)
        self.assertEqual({task["outcome"] for task in tasks}, {"ok"})
        self.assertNotIn(secret, worker.text() + dispatcher.text())


if __name__ == "__main__":
    unittest.main()

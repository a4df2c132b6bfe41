"""A thousand slow devices at once: in one process, and through two workers. No timing asserts."""

import unittest

import rig

COUNT = 1000


class Many(rig.RigTest):
    def setUp(self):
        super().setUp()
        self.inventory = self.devsim(COUNT, "--login-delay", "500ms", "--command-delay", "300ms")

    def check(self, ran):
        self.assertEqual(ran.outcomes(), {"ok": COUNT}, ran.err[-3000:])
        self.assert_order(ran, self.inventory)
        for number, task in enumerate(ran.objects(), 1):
            self.assertEqual(task["commands"][0]["output"].encode(),
                             self.simulated_output("show version", number))

    def test_one_process(self):
        ran = self.sweep("-i", self.inventory, "-u", "admin", "-c", "show version", "--sessions",
                         COUNT, "-o", "jsonl")
        self.check(ran)
        self.assertEqual({task["attempt"] for task in ran.objects()}, {1})

    def through_two_workers(self, endpoint):
        workers = [self.worker(endpoint, f"w{number}", COUNT // 2) for number in (1, 2)]
        ran = self.sweep("-i", self.inventory, "-u", "admin", "-c", "show version", "--listen",
                         endpoint, "--min-workers", 2, "-o", "jsonl")
        self.check(ran)
        self.assertEqual({task["worker"] for task in ran.objects()}, {"w1", "w2"})
        return workers

    def test_two_workers_over_tcp(self):
        self.through_two_workers(f"tcp://127.0.0.1:{rig.free_port(3)}")

    def test_two_workers_over_ipc(self):
        self.through_two_workers(f"ipc://{self.path('fleet')}")


if __name__ == "__main__":
    unittest.main()

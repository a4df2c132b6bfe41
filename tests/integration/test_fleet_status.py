"""`netfleet workers` asks a running dispatcher; the log says what happens, with fixed keys."""

import json
import unittest

import rig


class FleetStatus(rig.RigTest):
    def setUp(self):
        super().setUp()
        self.endpoint = f"tcp://127.0.0.1:{rig.free_port(4)}"

    def ask(self, *arguments, status=0):
        ran = self.finish([f"{rig.BIN}/netfleet", "workers", "--dispatcher", self.endpoint,
                           *arguments])
        self.assertEqual(ran.status, status, str(ran))
        return ran

    def dispatcher(self, *arguments):
        inventory = self.devsim(8, "--command-delay", "2s", "--record", self.path("record"))
        return self.start(*self.run_argv("-i", inventory, "-u", "admin", "-c", "show version", "-o",
                                         "jsonl", "--listen", self.endpoint, *arguments))

    def wait_for_commands(self, count):
        rig.wait_until(lambda: len(rig.commands_seen(self.path("record"), "show version")) >= count,
                       f"{count} devices at work")

    def test_workers_of_a_sweep_that_runs(self):
        dispatcher = self.dispatcher("--min-workers", 2)
        self.worker(self.endpoint, "w2", 2)
        self.worker(self.endpoint, "w1", 3)
        self.wait_for_commands(5)
        objects = self.ask("-o", "jsonl").objects()
        workers = [one for one in objects if one["type"] == "worker"]
        self.assertEqual([one["worker"] for one in workers], ["w1", "w2"])
        self.assertEqual([one["slots"] for one in workers], [3, 2])
        self.assertEqual({one["silent"] for one in workers}, {False})
        self.assertEqual([one["regions"] for one in workers], [[""], [""]])
        for one in workers:
            self.assertEqual(set(one), {"type", "worker", "silent", "regions", "slots", "free",
                                        "running", "done", "rate", "since", "last_seen"})
            self.assertLessEqual(one["since"], one["last_seen"])
        [sweep] = [one for one in objects if one["type"] == "sweep"]
        self.assertEqual(sweep["total"], 8)
        self.assertLessEqual(sweep["done"] + sweep["running"], 8)
        table = self.ask().out.decode()
        self.assertRegex(table, r"(?m)^worker +state +regions +slots +free")
        self.assertRegex(table, r"(?m)^w1 +here +\(default\) +3 ")
        self.assertRegex(table, rf"(?m)^sweep {sweep['sweep']}: \d of 8 done, \d running$")
        self.assertEqual(dispatcher.wait(), 0, dispatcher.text())

    def test_before_any_worker_came(self):
        dispatcher = self.dispatcher()
        table = self.ask().out.decode()
        self.assertRegex(table, r"^no workers\nsweep \S+: 0 of 8 done, 0 running\n$")
        self.assertFalse(dispatcher.ended(), dispatcher.text())

    def test_nobody_answers(self):
        ran = self.ask(status=2)
        self.assertIn(f"no dispatcher answered at {self.endpoint} within 5 s", ran.err)
        self.assertEqual(ran.out, b"")

    def test_each_change_of_state_is_a_line_of_the_log(self):
        dispatcher = self.dispatcher("-v")
        worker = self.worker(self.endpoint, "w1", 8)
        self.assertEqual(dispatcher.wait(), 0, dispatcher.text())
        worker.stop()
        dispatcher.stop()
        lines = list(dispatcher.lines)
        tasks = [json.loads(line) for line in lines if line.startswith("{")]
        sweep = tasks[0]["sweep"]
        self.assertIn("netfleet: worker joined: worker=w1", lines)
        for task in tasks:
            about = f"sweep={sweep} host={task['host']} attempt=1 worker=w1"
            self.assertEqual(lines.count(f"netfleet: granted: {about}"), 1, about)
            self.assertEqual(lines.count(
                f"netfleet: ended: {about} outcome=ok ms={task['duration_ms']}"), 1, about)
        self.assertTrue(any('stage="command 1/1"' in line for line in lines), dispatcher.text())
        self.assertNotIn(rig.PASSWORD, [word for line in lines if not line.startswith("{")
                                        for word in line.split()])


if __name__ == "__main__":
    unittest.main()

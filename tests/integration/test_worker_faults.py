"""Workers that are killed, stopped, doubled: every task ends once, and no device is asked twice
without need.
"""

import signal
import unittest

import fleet
import relay
import rig
from rig import log_line


class WorkerFaults(fleet.FleetTest):
    def test_killed_while_idle(self):
        dispatcher = self.dispatcher(self.devices(10), "--min-workers", 2)
        idle = self.worker("w1", 5)
        dispatcher.wait_for(log_line("worker joined", worker="w1"))
        idle.kill()
        self.worker("w2", 5)
        tasks = self.tasks(dispatcher)
        self.check_once(tasks)
        self.assertEqual({task["worker"] for task in tasks}, {"w2"})

    def killed_in_the_middle(self, *arguments):
        """w1 has 5 sessions with their commands when it is killed; w2 comes then."""
        self.lease = fleet.SHORT_LEASE
        dispatcher = self.dispatcher(self.devices(12), *arguments)
        self.hold(*range(1, 6))
        first = self.worker("w1", 5)
        self.wait_for_commands(5)
        first.kill()
        self.worker("w2", 12)
        dispatcher.wait_for(log_line("lease ended", worker="w1"), count=5)
        self.release(*range(1, 6))
        return dispatcher

    def test_killed_in_the_middle_of_sessions(self):
        tasks = self.tasks(self.killed_in_the_middle())
        self.check_books(tasks)
        self.assertEqual({task["outcome"] for task in tasks}, {"ok"})
        self.assertEqual([task["attempt"] for task in tasks], [2] * 5 + [1] * 7)
        self.assertEqual(fleet.sessions_together(self.record), [])

    def test_killed_in_the_middle_of_changes(self):
        tasks = self.tasks(self.killed_in_the_middle("--changes"), status=1)
        self.check_books(tasks, changes=True)
        self.assertEqual([task["outcome"] for task in tasks], ["lost"] * 5 + ["ok"] * 7)
        for task in tasks[:5]:
            self.assertIn("w1", task["error"])

    def test_killed_before_the_acknowledgement(self):
        """The dispatcher has the results; the worker dies without knowing."""
        dispatcher = self.dispatcher(self.devices(6), "--changes")
        network = relay.Relay(self, self.port)
        self.hold()
        worker = self.worker("w1", 6, endpoint=network.endpoint)
        self.wait_for_commands(6)
        network.stall((relay.CONTROL, relay.DOWN))
        self.release()
        self.check_once(self.tasks(dispatcher))
        self.assertFalse(worker.ended(), worker.text())
        worker.kill()

    def killed_before_delivery(self, *arguments):
        """The results are on their way when the worker dies, and get lost with it."""
        self.lease = fleet.SHORT_LEASE
        dispatcher = self.dispatcher(self.devices(6), *arguments)
        network = relay.Relay(self, self.port)
        self.hold()
        worker = self.worker("w1", 6, endpoint=network.endpoint)
        self.wait_for_commands(6)
        network.stall((relay.SINK, relay.UP))
        before = network.arrived[relay.SINK, relay.UP]
        self.release()
        size = 6 * len(self.simulated_output(fleet.COMMAND, 1))
        rig.wait_until(lambda: network.arrived[relay.SINK, relay.UP] >= before + size,
                       "results on their way")
        worker.kill()
        network.reset()
        self.worker("w2", 6)
        return dispatcher

    def test_killed_while_its_results_are_under_way(self):
        tasks = self.tasks(self.killed_before_delivery())
        self.check_books(tasks)
        self.assertEqual({(task["outcome"], task["attempt"], task["worker"]) for task in tasks},
                         {("ok", 2, "w2")})

    def test_killed_while_results_of_changes_are_under_way(self):
        tasks = self.tasks(self.killed_before_delivery("--changes"), status=1)
        self.check_books(tasks, changes=True)
        self.assertEqual({task["outcome"] for task in tasks}, {"lost"})

    def test_stopped_for_longer_than_the_lease(self):
        self.lease = fleet.SHORT_LEASE
        dispatcher = self.dispatcher(self.devices(8))
        self.hold(*range(1, 5))
        first = self.worker("w1", 4)
        self.wait_for_commands(4)
        first.send_signal(signal.SIGSTOP)
        self.worker("w2", 4)
        self.wait_for_commands(4 + 4 + 4)  # the held ones once more, by w2
        first.send_signal(signal.SIGCONT)
        self.wait_for_ends(4 + 4)  # w1 leaves the held ones
        self.release(*range(1, 5))
        tasks = self.tasks(dispatcher)
        self.check_books(tasks)
        self.assertEqual({task["outcome"] for task in tasks}, {"ok"})
        self.assertEqual([task["attempt"] for task in tasks], [2] * 4 + [1] * 4)
        self.assertEqual({task["worker"] for task in tasks[:4]}, {"w2"})
        self.assertFalse(first.ended(), first.text())

    def test_stopped_for_a_moment(self):
        """Shorter than the lease: nothing happens at all."""
        dispatcher = self.dispatcher(self.devices(8))
        self.hold()
        worker = self.worker("w1", 8)
        self.wait_for_commands(8)
        worker.send_signal(signal.SIGSTOP)
        dispatcher.wait_for(log_line("worker is silent", worker="w1"))
        worker.send_signal(signal.SIGCONT)
        self.release()
        self.check_once(self.tasks(dispatcher))

    def test_two_with_one_name(self):
        dispatcher = self.dispatcher(self.devices(12), "--min-workers", 2)
        self.hold()
        twins = [self.worker("twin", 6) for _ in range(2)]
        self.wait_for_commands(12)
        self.release()
        self.check_once(self.tasks(dispatcher))
        for twin in twins:
            self.assertFalse(twin.ended(), twin.text())

    def test_one_of_two_with_one_name_is_killed(self):
        self.lease = fleet.SHORT_LEASE
        dispatcher = self.dispatcher(self.devices(12), "--min-workers", 2)
        self.hold()
        twins = [self.worker("twin", 6) for _ in range(2)]
        self.wait_for_commands(12)
        twins[0].kill()
        dispatcher.wait_for(log_line("lease ended", worker="twin"))
        self.release()
        tasks = self.tasks(dispatcher)
        self.check_books(tasks)
        self.assertEqual({task["outcome"] for task in tasks}, {"ok"})
        self.assertEqual(sorted(task["attempt"] for task in tasks), [1] * 6 + [2] * 6)

    def test_restarted_under_its_name(self):
        """Killed and back at once: the successor is somebody else to the dispatcher."""
        self.lease = fleet.SHORT_LEASE
        dispatcher = self.dispatcher(self.devices(8))
        self.hold()
        first = self.worker("w1", 4)
        self.wait_for_commands(4)
        first.kill()
        self.worker("w1", 8)
        self.wait_for_commands(8)
        self.release(*range(5, 9))
        dispatcher.wait_for(log_line("lease ended", worker="w1"))
        self.release(*range(1, 5))
        tasks = self.tasks(dispatcher)
        self.check_books(tasks)
        self.assertEqual({task["outcome"] for task in tasks}, {"ok"})
        self.assertEqual([task["attempt"] for task in tasks], [2] * 4 + [1] * 4)


if __name__ == "__main__":
    unittest.main()

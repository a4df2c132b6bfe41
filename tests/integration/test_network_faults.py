"""A network between dispatcher and worker that goes silent, in both directions or in one, and one
that resets its connections: shorter than the lease nothing happens, longer than it the tasks move.
"""

import unittest

import fleet
import relay
import rig
from rig import log_line

CONTROL_UP, CONTROL_DOWN = (relay.CONTROL, relay.UP), (relay.CONTROL, relay.DOWN)
SINK_UP, SINK_DOWN = (relay.SINK, relay.UP), (relay.SINK, relay.DOWN)
# Bytes with which each side of a ZMTP 3 connection begins: a greeting of 64, then READY with its
# socket type (RFC 23).
HANDSHAKE = 64 + 28


class NetworkFaults(fleet.BehindANetwork):
    def test_a_black_hole_for_a_while(self):
        dispatcher = self.start_all(8, "--changes")
        self.network.stall()
        dispatcher.wait_for(log_line("worker is silent", worker="w1"))
        self.release(*range(1, 5))
        self.wait_for_ends(4)
        self.network.heal()
        self.release(*range(5, 9))
        self.check_once(self.tasks(dispatcher))

    def cut_off(self, *lanes):
        """For longer than the lease: the worker ends its 4 sessions, another one is there."""
        self.lease = fleet.SHORT_LEASE
        dispatcher = self.start_all(8, sessions=4)
        self.network.stall(*lanes)
        self.wait_for_ends(4)
        self.worker("w2", 8)
        self.wait_for_commands(4 + 8)
        self.network.heal()
        self.release()
        tasks = self.tasks(dispatcher)
        self.check_books(tasks)
        self.assertEqual([(task["outcome"], task["attempt"], task["worker"]) for task in tasks],
                         [("ok", 2, "w2")] * 4 + [("ok", 1, "w2")] * 4)
        self.assertEqual(fleet.sessions_together(self.record), [])
        self.assertFalse(self.w1.ended(), self.w1.text())

    def test_a_black_hole_for_longer_than_the_lease(self):
        self.cut_off()

    def test_the_dispatcher_is_not_heard(self):
        self.cut_off(CONTROL_DOWN)

    def test_the_worker_is_not_heard(self):
        self.cut_off(CONTROL_UP)

    def test_a_black_hole_for_longer_than_the_lease_of_changes(self):
        self.lease = fleet.SHORT_LEASE
        dispatcher = self.start_all(8, "--changes", sessions=4)
        self.network.stall()
        self.wait_for_ends(4)
        dispatcher.wait_for(log_line("lease ended", worker="w1"), count=4)
        self.release()
        self.network.heal()  # it comes back and does the rest
        tasks = self.tasks(dispatcher, status=1)
        self.check_books(tasks, changes=True)
        self.assertEqual([(task["outcome"], task["worker"]) for task in tasks],
                         [("lost", "w1")] * 4 + [("ok", "w1")] * 4)

    def test_results_do_not_get_through(self):
        """Heartbeats do, for longer than the lease: they keep what is finished."""
        self.lease = fleet.SHORT_LEASE
        dispatcher = self.start_all(4, "--changes")
        self.network.stall(SINK_UP)
        heard = self.network.arrived[CONTROL_UP]
        self.release()
        self.wait_for_ends(4)
        size = 4 * len(self.simulated_output(fleet.COMMAND, 1))
        # Sent again every quarter of a lease.
        rig.wait_until(lambda: self.network.arrived[SINK_UP] > 6 * size, "results sent six times")
        self.assertGreater(self.network.arrived[CONTROL_UP], heard)
        self.network.heal()
        self.check_once(self.tasks(dispatcher))

    def test_offers_do_not_get_through(self):
        """What one worker cannot hear of is offered to the other."""
        dispatcher = self.dispatcher(self.devices(40), "--min-workers", 2)
        self.worker("w1", 5, endpoint=self.network.endpoint)
        rig.wait_until(lambda: self.network.arrived[relay.LANE, relay.UP], "w1 in its lane")
        self.network.stall((relay.LANE, relay.DOWN))
        self.worker("w2", 5)
        tasks = self.tasks(dispatcher)
        self.check_once(tasks)
        self.assertEqual({task["worker"] for task in tasks}, {"w2"})

    def test_resets(self):
        """While sessions run, and while the results are under way, which are lost then."""
        dispatcher = self.start_all(6, "--changes")
        for _ in range(3):
            heard = self.network.arrived.copy()
            self.network.reset()
            rig.wait_until(lambda: self.network.arrived[CONTROL_UP] > heard[CONTROL_UP] and all(
                self.network.arrived[lane] >= heard[lane] + HANDSHAKE
                for lane in (SINK_UP, SINK_DOWN)), "w1 is back, its results' way too")
        self.network.stall(SINK_UP)
        self.release()
        size = 6 * len(self.simulated_output(fleet.COMMAND, 1))
        rig.wait_until(lambda: self.network.arrived[SINK_UP] >= size, "results on their way")
        self.network.reset()
        self.network.heal()
        self.check_once(self.tasks(dispatcher))

    def test_a_worker_that_reads_slowly(self):
        """It slows nobody but itself, and gets its answers in time."""
        for lane in CONTROL_DOWN, (relay.LANE, relay.DOWN):
            self.network.trickle(lane, 20)  # 2 KB a second
        dispatcher = self.dispatcher(self.devices(60, "--command-delay", "200ms"), "--min-workers",
                                     2)
        self.worker("slow", 4, endpoint=self.network.endpoint)
        self.worker("fast", 4)
        tasks = self.tasks(dispatcher)
        self.check_once(tasks)
        by_worker = [task["worker"] for task in tasks]
        self.assertGreater(by_worker.count("fast"), by_worker.count("slow"))


if __name__ == "__main__":
    unittest.main()

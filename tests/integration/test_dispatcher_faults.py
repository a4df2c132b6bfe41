"""kill -9 of the dispatcher in each phase of a sweep, and a new one that goes on with it: workers
keep working meanwhile, nothing is lost, nothing is done twice.
"""

import os
import unittest

import fleet
import relay
import rig
from rig import log_line


class DispatcherFaults(fleet.BehindANetwork):
    def test_killed_before_any_worker_came(self):
        dispatcher = self.dispatcher(self.devices(6), "--min-workers", 2)
        self.worker("w1", 3)
        dispatcher.wait_for(log_line("worker joined", worker="w1"))
        dispatcher.kill()
        self.check_once(self.tasks(self.resumed()))

    def test_killed_while_sessions_run(self):
        for changes in (), ("--changes",):
            with self.subTest(changes=changes):
                self.start_all(8, *changes, sessions=5).kill()
                dispatcher = self.resumed()
                dispatcher.wait_for(log_line("worker joined", worker="w1"))
                self.release()
                self.check_once(self.tasks(dispatcher))
                self.tidy_up()

    def tidy_up(self):
        """Between the sweeps of one test. The next devices may get ports that these had, with
        other host keys."""
        self.w1.kill()
        self.simulator.stop()
        os.remove(self.record)
        os.remove(self.path("known_hosts_w1"))

    def test_sessions_end_while_nobody_listens(self):
        """All results wait at the worker when the next dispatcher comes."""
        for changes in (), ("--changes",):
            with self.subTest(changes=changes):
                self.start_all(8, *changes).kill()
                self.release()
                self.wait_for_ends(8)
                self.check_once(self.tasks(self.resumed()))
                self.tidy_up()

    def test_killed_between_the_journal_and_the_grant(self):
        """The grants are written, the worker never gets them: it claims again and gets them."""
        dispatcher = self.start_all(10, "--changes", sessions=5)
        self.network.stall((relay.CONTROL, relay.DOWN))
        self.release()
        dispatcher.wait_for(log_line("granted", worker="w1"), count=10)
        self.wait_for_ends(5)
        dispatcher.kill()
        self.assertEqual(sum(self.executions().values()), 5)
        self.network.reset()  # the grants are lost
        self.network.heal()
        self.check_once(self.tasks(self.resumed()))

    def test_killed_with_results_under_way(self):
        """Neither stored nor acknowledged: the worker sends them again."""
        dispatcher = self.start_all(6, "--changes")
        self.network.stall((relay.SINK, relay.UP))
        self.release()
        self.wait_for_results_sent(6)
        dispatcher.kill()
        self.network.heal()
        self.check_once(self.tasks(self.resumed()))

    def wait_for_results_sent(self, count):
        size = count * len(self.simulated_output(fleet.COMMAND, 1))
        rig.wait_until(lambda: self.network.arrived[relay.SINK, relay.UP] >= size,
                       "results on their way")

    def test_killed_between_the_store_and_the_acknowledgement(self):
        """Stored, shown, never acknowledged: the worker sends them again, in vain."""
        dispatcher = self.start_all(6, "--changes")
        self.network.stall((relay.CONTROL, relay.DOWN))
        self.release(*range(1, 6))
        dispatcher.wait_for(r'"index": ?4\b')
        dispatcher.kill()
        self.network.heal()
        resumed = self.resumed()
        resumed.wait_for(log_line("worker joined", worker="w1"))
        self.release(6)
        self.check_once(self.tasks(resumed))

    def test_away_for_longer_than_the_lease(self):
        """The worker ends its sessions by itself, and they are done again."""
        self.lease = fleet.SHORT_LEASE
        self.start_all(6).kill()
        self.wait_for_ends(6)
        resumed = self.resumed()
        self.wait_for_commands(12)
        self.release()
        tasks = self.tasks(resumed)
        self.check_books(tasks)
        self.assertEqual({(task["outcome"], task["attempt"]) for task in tasks}, {("ok", 2)})
        self.assertEqual(fleet.sessions_together(self.record), [])

    def test_away_for_longer_than_the_lease_of_changes(self):
        self.lease = fleet.SHORT_LEASE
        self.start_all(6, "--changes").kill()
        self.wait_for_ends(6)
        self.release()
        tasks = self.tasks(self.resumed(), status=1)
        self.check_books(tasks, changes=True)
        self.assertEqual({task["outcome"] for task in tasks}, {"lost"})

    def test_both_are_killed(self):
        """The worker's sessions die with it; the next dispatcher finds out by their leases."""
        self.lease = fleet.SHORT_LEASE
        dispatcher = self.start_all(6, sessions=3)
        dispatcher.kill()
        self.w1.kill()
        self.release()
        resumed = self.resumed()
        self.worker("w2", 6)
        tasks = self.tasks(resumed)
        self.check_books(tasks)
        self.assertEqual({task["outcome"] for task in tasks}, {"ok"})
        self.assertEqual([task["attempt"] for task in tasks], [2] * 3 + [1] * 3)

    def test_killed_again_and_again(self):
        dispatcher = self.start_all(12, "--changes", sessions=3)
        for done in range(0, 12, 3):
            last = done == 9  # the sweep must not end before the blow
            if not last:
                self.release(*range(done + 1, done + 4))
            self.wait_for_commands(min(done + 6, 12))
            dispatcher.kill()
            if last:
                self.release(10, 11, 12)
            dispatcher = self.resumed()
            dispatcher.wait_for(log_line("worker joined", worker="w1"))
        tasks = self.tasks(dispatcher)
        self.check_once(tasks)
        self.check_stored(tasks)

    def test_killed_while_the_last_results_are_shown(self):
        """Everything is stored; whoever reads standard output has not read it all."""
        reader, writer = os.pipe()
        command = "show tech 100"
        dispatcher = self.dispatcher(self.devices(5), "--changes", command=command, stdout=writer)
        self.worker("w1", 5)
        self.wait_for_ends(5)
        dispatcher.wait_for(log_line("ended", outcome="ok"), count=5)
        dispatcher.kill()
        os.close(writer)
        os.close(reader)
        tasks = self.tasks(self.resumed())
        self.check_once(tasks, command)
        self.check_stored(tasks)


if __name__ == "__main__":
    unittest.main()

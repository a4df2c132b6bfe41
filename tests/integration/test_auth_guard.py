"""A wrong password must not lock accounts out: the guard ends the sweep after the first refusal."""

import unittest

import rig

WRONG = {"NETFLEET_TEST_PASSWORD": "not-it"}


class AuthGuard(rig.RigTest):
    def logins(self):
        """Password attempts that reached a device, by device, as the devices recorded them."""
        return rig.login_attempts(self.path("record"))

    def test_first_refusal_ends_the_sweep(self):
        inventory = self.devsim(60, "--record", self.path("record"))
        ran = self.sweep("-i", inventory, "-u", "admin", "-c", "show version", "--sessions", 5,
                         "-o", "jsonl", env=WRONG, status=4)
        self.assert_order(ran, inventory)
        outcomes = ran.outcomes()
        self.assertEqual(set(outcomes), {"auth_failed", "skipped"}, str(ran))
        self.assertLessEqual(outcomes["auth_failed"], 5)
        self.assertLessEqual(sum(self.logins().values()), 5)
        self.assertIn("auth", ran.err)
        for task in ran.objects():
            self.assertEqual(task["commands"], [])
            self.assertNotEqual(task["error"], "")
            self.assertNotIn("not-it", task["error"] + ran.err)

    def test_one_session_at_a_time_costs_one_login(self):
        inventory = self.devsim(10, "--record", self.path("record"))
        ran = self.sweep("-i", inventory, "-u", "admin", "-c", "show version", "--sessions", 1,
                         "-o", "jsonl", env=WRONG, status=4)
        self.assertEqual(ran.outcomes(), {"auth_failed": 1, "skipped": 9})
        self.assertEqual(sum(self.logins().values()), 1)

    def test_refusal_late_in_the_sweep_keeps_what_was_collected(self):
        inventory = self.devsim(20, "--fault", "wrong-password:10")
        ran = self.sweep("-i", inventory, "-u", "admin", "-c", "show version", "--sessions", 1,
                         "-o", "jsonl", status=4)
        self.assertEqual([task["outcome"] for task in ran.objects()],
                         ["ok"] * 9 + ["auth_failed"] + ["skipped"] * 10)

    def test_continue_tries_each_device_once(self):
        inventory = self.devsim(30, "--record", self.path("record"))
        ran = self.sweep("-i", inventory, "-u", "admin", "-c", "show version", "--sessions", 10,
                         "--on-auth-failure", "continue", "--retries", 3, "-o", "jsonl", env=WRONG,
                         status=1)
        self.assertEqual(ran.outcomes(), {"auth_failed": 30})
        self.assertEqual([task["attempt"] for task in ran.objects()], [1] * 30)
        attempts = self.logins()
        self.assertEqual(len(attempts), 30)
        self.assertEqual(set(attempts.values()), {1})

    def test_max_auth_failures(self):
        inventory = self.devsim(20, "--fault", "wrong-password:2,4,6")
        ran = self.sweep("-i", inventory, "-u", "admin", "-c", "show version", "--sessions", 1,
                         "--max-auth-failures", 3, "-o", "jsonl", status=4)
        self.assertEqual(ran.outcomes(), {"auth_failed": 3, "ok": 3, "skipped": 14})


if __name__ == "__main__":
    unittest.main()

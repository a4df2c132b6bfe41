"""`netfleet run --resume`: what a killed one had begun goes on, and nothing is done twice."""

import os
import signal
import sqlite3
import unittest

import rig


class Resume(rig.RigTest):
    def setUp(self):
        super().setUp()
        self.store = self.path("store.db")
        self.record = self.path("record")
        self.hold = self.path("hold")
        os.mkdir(self.hold)
        self.endpoint = f"ipc://{self.path('fleet')}"

    def held_devices(self, count, *held):
        """Devices whose commands wait, those of these numbers; release() lets them go on."""
        for number in held:
            self.write(f"hold/sim-{number}", "")
        return self.devsim(count, "--record", self.record, "--hold", self.hold)

    def release(self):
        for name in os.listdir(self.hold):
            os.unlink(os.path.join(self.hold, name))

    def common(self, *more):
        return ["--store", self.store, "-o", "jsonl", *more]

    def begin(self, *arguments):
        return self.start(*self.run_argv("-u", "admin", "-c", "show version", *self.common(),
                                         *arguments))

    def kill_when_stored(self, dispatcher, results):
        rig.wait_until(lambda: self.stored() >= results, f"{results} stored results")
        dispatcher.send_signal(signal.SIGKILL)
        self.assertEqual(dispatcher.wait(), -signal.SIGKILL)

    def stored(self):
        if not os.path.exists(self.store):
            return 0
        with sqlite3.connect(self.store) as database:
            return database.execute("select count(*) from results").fetchone()[0]

    def resume(self, *arguments, status=0, **options):
        return self.sweep("--resume", "last", *self.common(), *arguments, status=status, **options)

    def commands_on(self, number):
        return [line for line in rig.recorded(self.record, "command")
                if line["device"] == f"sim-{number}" and line["text"] == "show version"]

    def test_embedded_worker_reading(self):
        inventory = self.held_devices(12, 5, 9)
        dispatcher = self.begin("-i", inventory, "-s", "4")
        self.kill_when_stored(dispatcher, 4)
        done = self.stored()
        self.release()
        ran = self.resume()
        self.assertEqual(ran.outcomes(), {"ok": 12}, str(ran))
        self.assert_order(ran, inventory)
        self.assertIn(f"{done} of 12 hosts are done", ran.err)
        repeated = [n for n in range(1, 13) if len(self.commands_on(n)) > 1]
        self.assertLessEqual(len(repeated), 4, "only what ran when it was killed runs again")
        again = self.finish([f"{rig.BIN}/netfleet", "results", "last", *self.common()])
        self.assertEqual(again.out, ran.out)

    def test_changing_tasks_that_had_begun_end_as_lost(self):
        inventory = self.held_devices(6, 2, 3)
        dispatcher = self.begin("-i", inventory, "-s", "2", "--changes")
        rig.wait_until(lambda: self.commands_on(2) and self.commands_on(3), "two held commands")
        self.kill_when_stored(dispatcher, 1)
        self.release()
        ran = self.resume(status=1)
        self.assertEqual(ran.outcomes(), {"ok": 4, "lost": 2}, str(ran))
        self.assert_order(ran, inventory)
        for number in range(1, 7):
            self.assertEqual(len(self.commands_on(number)), 1, f"sim-{number}")
        self.assertIn("it is not repeated; look at the device", ran.objects()[1]["error"])

    def test_workers_keep_working_and_deliver(self):
        inventory = self.held_devices(10, 3, 4)
        self.worker(self.endpoint, "w1", 3)
        dispatcher = self.begin("-i", inventory, "--listen", self.endpoint, "--changes")
        rig.wait_until(lambda: self.commands_on(3) and self.commands_on(4), "two held commands")
        self.kill_when_stored(dispatcher, 3)
        self.release()
        ran = self.resume("--listen", self.endpoint)
        self.assertEqual(ran.outcomes(), {"ok": 10}, str(ran))
        self.assert_order(ran, inventory)
        for number in range(1, 11):
            self.assertEqual(len(self.commands_on(number)), 1, f"sim-{number}")

    def test_after_a_new_start_of_the_machine_leases_run_out_first(self):
        inventory = self.held_devices(4, 4)
        dispatcher = self.begin("-i", inventory, "-s", "1")
        self.kill_when_stored(dispatcher, 3)
        with sqlite3.connect(self.store) as database:
            database.execute("update sweeps set boot_id = 'another'")
        self.release()
        ran = self.resume("-v")
        self.assertEqual(ran.outcomes(), {"ok": 4}, str(ran))

    def test_refused(self):
        inventory = self.held_devices(3, 2)
        dispatcher = self.begin("-i", inventory)
        rig.wait_until(lambda: self.stored() == 2, "two results")
        ran = self.resume(status=2)
        self.assertRegex(ran.err, "sweep .* is being worked at by another process")
        self.release()
        self.assertEqual(dispatcher.wait(), 0, dispatcher.text())
        self.assertRegex(self.resume(status=2).err, "sweep .* has ended")
        ran = self.sweep("--resume", "19700101", *self.common(), status=2)
        self.assertIn("no sweep '19700101'", ran.err)
        ran = self.sweep("--resume", "last", "-c", "show clock", *self.common(), status=2)
        self.assertIn("--command", ran.err)
        ran = self.sweep("--resume", "last", "--store", "none", status=2)
        self.assertIn("--resume needs a store", ran.err)

    def test_passwords_of_the_inventory_are_asked_for_again(self):
        devices = rig.read(self.held_devices(3, 3)).decode().split()[::2]
        hosts = "".join(f"  d{i}: {{hostname: 127.0.0.1, port: {device.rpartition(':')[2]}, "
                        f"password: {rig.PASSWORD}}}\n" for i, device in enumerate(devices))
        inventory = self.write("inventory.yaml", "hosts:\n" + hosts)
        dispatcher = self.begin("-i", inventory, "-P", "cisco_ios")
        self.kill_when_stored(dispatcher, 2)
        self.release()
        ran = self.resume(status=2)
        self.assertRegex(ran.err, "password of d0 came from the sweep's inventory.*again with -i")
        self.assertEqual(self.resume("-i", inventory).outcomes(), {"ok": 3})


if __name__ == "__main__":
    unittest.main()

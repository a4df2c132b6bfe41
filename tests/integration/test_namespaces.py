"""Dispatcher and workers on machines of their own, as far as the network is concerned: real
interfaces, addresses and routes between them, and CURVE. What a relay cannot play: the kernel's own
retransmissions, connections that only one end remembers, addresses that mean different machines.
"""

import unittest

import fleet
import rig
import servers
from rig import log_line

HUB = "198.18.0.1"
WORKERS = {"w1": "198.18.0.11", "w2": "198.18.0.12"}
DEVICES = "192.0.2.1"
PORTS = 2200
THEN = "show clock"  # a second command: what a session would type next


def setUpModule():
    servers.take_machine()


class Namespaces(fleet.FleetTest):
    def setUp(self):
        super().setUp()
        self.endpoint = f"tcp://{HUB}:7600"
        self.make_keys(*WORKERS)
        self.hub = servers.Lan(self, "-hub", f"{HUB}/24")
        self.at = {name: servers.Namespace(self, f"-{name}") for name in WORKERS}
        for name, address in WORKERS.items():
            self.hub.connect(self.at[name], f"{address}/24")

    def device_lan(self, name, *workers):
        """A network of devices that these workers reach, and others do not."""
        lan = servers.Lan(self, f"-{name}", f"{DEVICES}/24")
        for number, worker in enumerate(workers, 11):
            lan.connect(self.at[worker], f"192.0.2.{number}/24")
        return {"listen": f"{DEVICES}:{PORTS + 1}-{PORTS + self.count}", "inside": lan.inside}

    def start_fleet(self, count, *arguments, **options):
        self.count = count
        inventory = self.devices(count, **self.device_lan("lan", *WORKERS))
        return self.start_dispatcher(inventory, *arguments, **options)

    def start_dispatcher(self, inventory, *arguments, **options):
        return self.dispatcher(inventory, "--keys", self.keys, "--send-credentials", *arguments,
                               inside=self.hub.inside, **options)

    def start_worker(self, name, sessions, *arguments):
        return self.worker(name, sessions, "--keys", self.keys, *arguments,
                           inside=self.at[name].inside)

    def typed_at(self, *numbers):
        """What each session of these devices was given so far, but for setting up its terminal."""
        typed = {}
        for event in rig.recorded(self.record, "login", "command"):
            if event["device"] in {f"sim-{number}" for number in numbers}:
                commands = typed.setdefault((event["device"], event["session"]), [])
                if event.get("text") in (fleet.COMMAND, THEN):
                    commands.append(event["text"])
        return typed

    def wait_for_sessions(self, count, *numbers):
        """Until these devices have had so many sessions with a command."""
        rig.wait_until(lambda: len(list(filter(None, self.typed_at(*numbers).values()))) >= count,
                       f"{count} sessions")

    # ---- longer than the lease

    def cut_off(self, *arguments):
        """w1 has 1 to 4, w2 two of the others, nobody the last two, when the network loses w1."""
        self.lease = fleet.SHORT_LEASE
        dispatcher = self.start_fleet(8, "-c", THEN, *arguments)
        self.hold()
        w1 = self.start_worker("w1", 4)
        self.wait_for_commands(4)
        self.start_worker("w2", 2)
        self.wait_for_commands(4 + 2)
        self.hub.cut(self.at["w1"])
        dispatcher.wait_for(log_line("lease ended", worker="w1"), count=4)
        self.wait_for_ends(4)  # by themselves: nobody tells w1
        self.assertFalse(w1.ended(), w1.text())
        return dispatcher

    def test_a_black_hole_for_longer_than_the_lease(self):
        dispatcher = self.cut_off()
        before = self.typed_at(1, 2, 3, 4)
        self.assertEqual(list(before.values()), [[fleet.COMMAND]] * 4)
        self.release(5, 6, 7, 8)
        self.wait_for_sessions(4 + 2, 1, 2, 3, 4)  # w2 is full with two that were w1's
        self.hub.heal(self.at["w1"])
        self.wait_for_sessions(4 + 4, 1, 2, 3, 4)  # w1 is back and has the other two
        self.release(1, 2, 3, 4)
        tasks = self.tasks(dispatcher)
        self.check_books(tasks)
        self.check_stored(tasks)
        after = self.typed_at(1, 2, 3, 4)
        self.assertEqual({session: after[session] for session in before}, before)
        self.assertEqual({task["outcome"] for task in tasks}, {"ok"})
        self.assertEqual([task["attempt"] for task in tasks], [2] * 4 + [1] * 4)
        self.assertEqual(sorted(task["worker"] for task in tasks[:4]), ["w1", "w1", "w2", "w2"])
        self.assertEqual(fleet.sessions_together(self.record), [])

    def test_a_black_hole_for_longer_than_the_lease_of_changes(self):
        dispatcher = self.cut_off("--changes")
        before = self.typed_at(1, 2, 3, 4)
        self.hub.heal(self.at["w1"])
        self.wait_for_commands(4 + 2 + 2)  # w1 is back and has the last two
        self.release()
        tasks = self.tasks(dispatcher, status=1)
        self.check_books(tasks, changes=True)
        self.check_stored(tasks)
        self.assertEqual(self.typed_at(1, 2, 3, 4), before)
        self.assertEqual([task["outcome"] for task in tasks], ["lost"] * 4 + ["ok"] * 4)
        self.assertEqual(sorted(task["worker"] for task in tasks), ["w1"] * 6 + ["w2"] * 2)

    # ---- shorter than the lease

    def start_both(self, *arguments):
        """Each worker has four of eight devices that keep it waiting."""
        dispatcher = self.start_fleet(8, "--changes", *arguments)
        self.hold()
        self.start_worker("w1", 4)
        self.wait_for_commands(4)
        self.start_worker("w2", 4)
        self.wait_for_commands(8)
        return dispatcher

    def check_undisturbed(self, tasks):
        self.check_once(tasks)
        self.check_stored(tasks)
        self.assertEqual([task["worker"] for task in tasks], ["w1"] * 4 + ["w2"] * 4)

    def test_a_black_hole_for_a_while(self):
        dispatcher = self.start_both()
        self.hub.cut(self.at["w1"])
        dispatcher.wait_for(log_line("worker is silent", worker="w1"))
        self.release(1, 2)
        self.wait_for_ends(2)  # their results cannot get through
        self.hub.heal(self.at["w1"])
        self.release(3, 4, 5, 6, 7, 8)
        self.check_undisturbed(self.tasks(dispatcher))

    # ---- connections that die

    def test_connections_are_reset(self):
        """While sessions run."""
        dispatcher = self.start_both()
        self.at["w1"].forget_connections(HUB)
        self.release()
        self.check_undisturbed(self.tasks(dispatcher))

    def test_an_address_goes_and_comes_back(self):
        """The dispatcher keeps connections that nobody has the other end of."""
        dispatcher = self.start_both()
        w1, address = self.at["w1"], f"{WORKERS['w1']}/24"
        w1.ip("address", "delete", address, "dev", self.hub.name)
        w1.forget_connections(HUB)
        dispatcher.wait_for(log_line("worker is silent", worker="w1"))
        self.release(1, 2)
        self.wait_for_ends(2)
        w1.ip("address", "add", address, "dev", self.hub.name)
        self.release(3, 4, 5, 6, 7, 8)
        self.check_undisturbed(self.tasks(dispatcher))

    def test_another_address(self):
        """The worker's connections live on, from an address that is no more."""
        dispatcher = self.start_both()
        w1 = self.at["w1"]
        w1.ip("address", "delete", f"{WORKERS['w1']}/24", "dev", self.hub.name)
        w1.ip("address", "add", "198.18.0.99/24", "dev", self.hub.name)
        self.release()
        self.check_undisturbed(self.tasks(dispatcher))

    # ---- regions

    def test_an_address_in_two_regions_is_two_devices(self):
        regions = {"east": "w1", "west": "w2"}
        self.count = 4
        rows = ["name,address,platform,region"]
        for region, worker in regions.items():
            self.devsim(4, "--hostname", region + "-{n}", "--record", self.path(region),
                        name=f"{region}.txt", **self.device_lan(region, worker))
            rows += [f"{region}-{number},{DEVICES}:{PORTS + number},cisco_ios,{region}"
                     for number in range(1, 5)]
        dispatcher = self.start_dispatcher(self.write("hosts.csv", "\n".join(rows) + "\n"))
        for region, worker in regions.items():
            self.start_worker(worker, 4, "--region", region)
        self.count = 8
        tasks = self.tasks(dispatcher)
        self.assertEqual([(task["host"], task["outcome"], task["attempt"], task["worker"])
                          for task in tasks],
                         [(f"{region}-{number}", "ok", 1, worker)
                          for region, worker in regions.items() for number in range(1, 5)])
        for task in tasks:
            self.assertIn(f"{task['host']} uptime", task["commands"][0]["output"])
        for region in regions:
            self.assertEqual(fleet.executions(self.path(region), fleet.COMMAND),
                             {f"{region}-{number}": 1 for number in range(1, 5)})


if __name__ == "__main__":
    unittest.main()

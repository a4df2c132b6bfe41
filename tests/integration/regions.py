"""Regions: a worker's machine, jump hosts that it reaches, and devices that only these reach. Each
is a network namespace; jump hosts are OpenSSH with the limits that it has by default. The addresses
are the same in every region, so that nothing can find a way into another one.
"""

import collections
import json
import signal

import fleet
import rig
import servers

HUB = "198.18.0.1"
DEVICES = "192.0.2.1"
PORTS = 2200
SSHD = """ListenAddress {address}
HostKey {host_key}
PidFile none
UsePAM no
StrictModes no
KbdInteractiveAuthentication no
UseDNS no
LogLevel VERBOSE
"""


class JumpHost:
    """OpenSSH on a machine between the worker's network and the devices'."""

    def __init__(self, region, number):
        self.test, self.name = region.test, f"{region.name}-{'abcdef'[number - 1]}"
        self.address = f"203.0.113.{number}"
        self.machine = servers.Namespace(self.test, f"-{self.name}")
        region.outer.connect(self.machine, f"{self.address}/24")
        region.devices.connect(self.machine, f"192.0.2.{10 + number}/24")

    def start(self, *options, host_key="host_key"):
        config = self.test.write(f"{self.name}_config", SSHD.format(
            address=self.address,
            host_key=servers.client_key(self.test, f"{self.name}_{host_key}")) + "".join(
                f"{option}\n" for option in options))
        self.process = self.test.start(*self.machine.inside, "/usr/sbin/sshd", "-D", "-e", "-f",
                                       config)
        self.process.wait_for("Server listening on")
        return self

    def definition(self, **more):
        return {"address": self.address, "user": self.test.user, "password": servers.PASSWORD,
                **more}

    def logged(self, words):
        return sum(words in line for line in self.process.lines)

    def signal(self, number):
        """To all of its processes."""
        for pid in servers.call("ip", "netns", "pids", self.machine.name).split():
            servers.call("kill", f"-{number}", pid.decode(), check=False)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.popen.wait(rig.DEADLINE)


class Region:
    def __init__(self, test, name, jumps=2):
        self.test, self.name = test, name
        self.worker = servers.Namespace(test, f"-{name}")
        self.outer = servers.Lan(test, f"-{name}-out", "203.0.113.254/24")
        self.devices = servers.Lan(test, f"-{name}-dev", f"{DEVICES}/24")
        self.outer.connect(self.worker, "203.0.113.100/24")
        self.jumps = [JumpHost(self, number) for number in range(1, jumps + 1)]

    def start_devices(self, count, *arguments):
        self.count = count
        self.executed = collections.Counter()  # by devices, when the books were checked last
        self.record = self.test.path(f"{self.name}.record")
        self.test.devsim(count, "--hostname", f"{self.name}-{{n}}", "--record", self.record,
                         *arguments, name=f"{self.name}.txt", inside=self.devices.inside,
                         listen=f"{DEVICES}:{PORTS + 1}-{PORTS + count}")


class RegionTest(fleet.FleetTest):
    def setUp(self):
        super().setUp()
        self.user = servers.add_user(self, "jump", "/usr/sbin/nologin")

    def inventory(self, *regions, jump=None, jumps=None, hosts=None, **defaults):
        """All devices of the regions, in turns, behind `jump`: as a rule behind any of a region's
        jump hosts. `jumps` and `hosts` add to what is known of one."""
        entries = {}
        for number in range(1, max(region.count for region in regions) + 1):
            for region in regions:
                name = f"{region.name}-{number}"
                entries[name] = {"groups": [region.name], "port": PORTS + number,
                                 **(hosts or {}).get(name, {})}
        self.count = len(entries)
        known = {hop.name: hop.definition() for region in regions for hop in region.jumps}
        for name, more in (jumps or {}).items():
            known[name] = {**known.get(name, {}), **more}
        groups = {region.name: {
            "region": region.name,
            "jump": jump or [[hop.name for hop in region.jumps]]} for region in regions}
        return self.write("inventory.yaml", json.dumps({
            "hosts": entries, "groups": groups, "jumps": known,
            "defaults": {"hostname": DEVICES, "username": "admin", "platform": "cisco_ios",
                         **defaults}}, indent=1))

    def sweep_inside(self, region, *arguments, status=0, **options):
        """`netfleet run` on the worker's machine."""
        ran = self.finish([*region.worker.inside, *self.run_argv(
            "-o", "jsonl", "--store", "none", "--known-hosts", self.path("known_hosts"),
            *arguments)], **options)
        self.assertEqual(ran.status, status, str(ran))
        return ran.objects()

    def outcomes(self, tasks):
        return dict(collections.Counter(task["outcome"] for task in tasks))

    def check_region_books(self, tasks, *regions, command=fleet.COMMAND):
        """What the devices saw since the last time agrees with what the sweep says, and the order
        is the inventory's."""
        self.assertEqual([task["index"] for task in tasks], list(range(self.count)))
        executed = collections.Counter()
        for region in regions:
            seen = fleet.executions(region.record, command)
            executed += seen - region.executed
            region.executed = seen
            self.assertEqual(fleet.acts_of_former_owners(region.record), [])
        for task in tasks:
            if task["outcome"] != "ok":
                continue
            output = task["commands"][0]["output"]
            self.assertIn(f"{task['host']} uptime", output)
            self.assertGreaterEqual(executed[task["host"]], 1, task)
            self.assertLessEqual(executed[task["host"]], task["attempt"], task)

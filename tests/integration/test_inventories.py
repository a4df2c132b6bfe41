"""Inventories of other tools: dynamic ones, beside what the real `ansible-inventory` makes of them,
and that of netmiko-tools.
"""

import collections
import json
import os
import random
import re
import shutil
import subprocess
import unittest

import rig

SEEDS = 12
VARIABLES = [f"v{i}" for i in range(6)]


def random_inventory(seed):
    """Nested groups whose variables contradict each other; some hosts have their own."""
    chance = random.Random(seed)
    groups = [f"g{i}" for i in range(chance.randint(3, 9))]
    hosts = [f"h{i}" for i in range(chance.randint(4, 15))]
    inventory = {"all": {"vars": {name: "all" for name in VARIABLES} |
                         {"ansible_user": "admin", "ansible_network_os": "cisco.ios.ios"}}}
    for number, name in enumerate(groups):
        variables = {v: f"{name}-{v}" for v in VARIABLES if chance.random() < 0.4}
        if chance.random() < 0.3:
            variables["ansible_group_priority"] = chance.randint(1, 5)
        if chance.random() < 0.3:
            variables |= {"ansible_network_os": "nxos", "ansible_port": chance.randint(1, 9999)}
        inventory[name] = {
            "vars": variables, "hosts": chance.sample(hosts, chance.randint(0, 3)),
            "children": [g for g in groups[number + 1:] if chance.random() < 0.25]}
    hostvars = {name: {v: f"{name}-{v}" for v in VARIABLES if chance.random() < 0.15} |
                {"ansible_host": f"192.0.2.{number + 1}"} for number, name in enumerate(hosts)}
    return inventory | {"_meta": {"hostvars": hostvars}}


class Dynamic(rig.RigTest):
    def ansible(self, inventory):
        env = self.env | {"ANSIBLE_LOCALHOST_WARNING": "False", "LC_ALL": "C.UTF-8"}
        out = subprocess.run(["ansible-inventory", "-i", inventory, "--list"], env=env, check=True,
                             capture_output=True, timeout=60).stdout
        return json.loads(out)

    def program(self, inventory, name="inventory"):
        text = json.dumps(inventory, indent=1)
        return self.write(name, f"#!/bin/sh\ncat <<'END'\n{text}\nEND\n", mode=0o755)

    def values(self, inventory):
        """What netfleet takes each host to be: by a template that is shown, and sent to nobody."""
        template = self.write("values.mustache", "".join(
            f"{name} {{{{data.{name}}}}}\n" for name in VARIABLES) +
            "who {{address}} {{user}} {{platform}}\nport {{port}}\n")
        ran = self.sweep("-i", inventory, "--config-file", template, "--dry-run", "-o", "jsonl",
                         "--store", "none")
        found = {}
        for task in ran.objects():
            lines = task["commands"][0]["output"].splitlines()
            found[task["host"]] = dict(line.split(" ", 1) for line in lines if " " in line)
        return found

    def group_sizes(self, inventory):
        ran = self.finish([f"{rig.BIN}/netfleet", "check", "-i", inventory])
        self.assertEqual(ran.status, 0, str(ran))
        return {name: int(count) for count, name in
                re.findall(r"^ *(\d+)  group (\S+)$", ran.out.decode(), re.M)}

    @staticmethod
    def members(listed):
        """Hosts of each group, those of its children too."""
        def of(name):
            group = listed.get(name, {})
            return set(group.get("hosts", [])).union(*map(of, group.get("children", [])))
        sizes = {name: len(of(name)) for name in listed if name != "_meta"}
        return {name: size for name, size in sizes.items() if size and name != "ungrouped"}

    def assert_same(self, inventory, listed):
        values = self.values(inventory)
        hostvars = listed["_meta"]["hostvars"]
        self.assertEqual(set(values), set(hostvars))
        for host, variables in hostvars.items():
            expected = {name: variables[name] for name in VARIABLES}
            platform = variables["ansible_network_os"].rpartition(".")[2]
            expected["who"] = f"{variables['ansible_host']} {variables['ansible_user']} {platform}"
            expected["port"] = str(variables.get("ansible_port", 22))
            self.assertEqual(values[host], expected, host)
        sizes = self.group_sizes(inventory)
        sizes.pop("ungrouped", None)
        self.assertEqual(sizes, self.members(listed))

    def test_as_ansible_reads_it(self):
        self.assertTrue(shutil.which("ansible-inventory"))
        seen = collections.Counter()
        for seed in range(SEEDS):
            with self.subTest(seed=seed):
                inventory = self.program(random_inventory(seed))
                listed = self.ansible(inventory)
                self.assert_same(inventory, listed)
                seen["hosts"] += len(listed["_meta"]["hostvars"])
        self.assertGreater(seen["hosts"], SEEDS * 3)

    def test_whatever_ansible_reads_through_ansible_itself(self):
        ini = self.write("hosts.ini", "[edge]\ne1 ansible_host=192.0.2.1 v0=own\ne2 "
                         "ansible_host=192.0.2.2\n[site:children]\nedge\n[site:vars]\n"
                         "ansible_user=admin\nansible_network_os=ios\nansible_port=2200\n" +
                         "".join(f"{name}=site\n" for name in VARIABLES))
        wrapper = self.write("wrapper", f"#!/bin/sh\nexec ansible-inventory -i {ini} \"$@\"\n",
                             mode=0o755)
        self.assert_same(wrapper, self.ansible(ini))

    def test_a_sweep_with_its_passwords(self):
        devices = rig.read(self.devsim(3)).decode().split()[::2]
        hostvars = {f"r{i}": {"ansible_host": "127.0.0.1", "ansible_user": "admin",
                              "ansible_port": int(device.rpartition(":")[2]),
                              "ansible_password": rig.PASSWORD, "ansible_network_os": "ios"}
                    for i, device in enumerate(devices)}
        inventory = self.program({"_meta": {"hostvars": hostvars}, "g": list(hostvars)})
        ran = self.sweep("-i", inventory, "-c", "show version", "-o", "jsonl", "-l", "group:g",
                         password=None)
        self.assertEqual(ran.outcomes(), {"ok": 3}, str(ran))

    def test_a_sweep_with_its_passwords_of_privileged_mode(self):
        device = rig.read(self.devsim(1, "--privilege", 1, "--enable-password",
                                      "enable-s3cret")).decode().split()[0]
        inventory = self.program({"_meta": {"hostvars": {"r1": {
            "ansible_host": "127.0.0.1", "ansible_user": "admin", "ansible_network_os": "ios",
            "ansible_port": int(device.rpartition(":")[2]), "ansible_password": rig.PASSWORD,
            "ansible_become_password": "enable-s3cret"}}}, "g": ["r1"]})
        ran = self.sweep("-i", inventory, "--mode", "privileged", "-c", "show version", "-o",
                         "jsonl", "--session-log", self.path("logs"), "--store",
                         self.path("store.db"), password=None)
        self.assertEqual(ran.outcomes(), {"ok": 1}, str(ran))
        for name in (self.path("store.db"), self.path("store.db-wal"),
                     *(self.path(f"logs/{log}") for log in os.listdir(self.path("logs")))):
            if os.path.exists(name):
                self.assertNotIn(b"enable-s3cret", rig.read(name), name)

    def test_a_program_that_fails_is_told(self):
        broken = self.write("broken", "#!/bin/sh\necho 'netbox: 403 Forbidden' >&2\nexit 7\n",
                            mode=0o755)
        ran = self.sweep("-i", broken, "-c", "show version", status=2)
        self.assertIn(f"inventory program {broken} --list: it ended with status 7; it said:\n"
                      "  netbox: 403 Forbidden\n", ran.err)


class NetmikoTools(rig.RigTest):
    def test_a_sweep(self):
        devices = rig.read(self.devsim(2)).decode().split()[::2]
        text = "".join(f"r{i}:\n  device_type: cisco_ios\n  host: 127.0.0.1\n  username: admin\n"
                       f"  password: {rig.PASSWORD}\n  port: {device.rpartition(':')[2]}\n"
                       for i, device in enumerate(devices)) + "core: [r1]\n"
        inventory = self.write(".netmiko.yml", text)
        ran = self.sweep("-i", inventory, "-c", "show version", "-o", "jsonl", password=None)
        self.assertEqual(ran.outcomes(), {"ok": 2}, str(ran))
        ran = self.sweep("-i", inventory, "-l", "group:core", "-c", "show version", "-o", "jsonl",
                         password=None)
        self.assertEqual([task["host"] for task in ran.objects()], ["r1"])

    def test_the_secret_of_privileged_mode(self):
        device = rig.read(self.devsim(1, "--privilege", 1, "--enable-password",
                                      "enable-s3cret")).decode().split()[0]
        inventory = self.write(
            ".netmiko.yml", "r1: {device_type: cisco_ios, host: 127.0.0.1, username: admin, "
            f"password: {rig.PASSWORD}, secret: enable-s3cret, port: {device.split(':')[1]}}}\n")
        ran = self.sweep("-i", inventory, "--mode", "privileged", "-c", "show version", "-o",
                         "jsonl", "-vv", password=None)
        self.assertEqual(ran.outcomes(), {"ok": 1}, str(ran))
        self.assertNotIn("s3cret", ran.err)

    def test_encrypted(self):
        inventory = self.write(".netmiko.yml", "__meta__: {encryption: true}\n"
                               "r1: {host: 192.0.2.1, password: '__encrypt__abc'}\n")
        ran = self.sweep("-i", inventory, "-c", "show version", password=None, status=2)
        self.assertIn(f"{inventory}:1: the file's secrets are encrypted", ran.err)
        self.assertNotIn("abc", ran.err)


if __name__ == "__main__":
    unittest.main()

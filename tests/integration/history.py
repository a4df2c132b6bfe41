"""What the tests of the history have in common: devices that show what the test wrote for them."""

import os
import sys

import rig


class HistoryTest(rig.RigTest):
    def setUp(self):
        super().setUp()
        self.store = self.path("store.db")
        self.devices = self.path("devices")
        os.mkdir(self.devices)
        server = self.start(sys.executable, os.path.join(os.path.dirname(__file__),
                                                         "file_device.py"), self.devices)
        self.port = server.wait_for(r"^ready (\d+)").group(1)

    def shows(self, device, text, word="running-config"):
        """From now on the device shows this; None: it hangs up instead."""
        path = os.path.join(self.devices, device, word)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if text is None:
            os.unlink(path)
            return
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())

    def inventory(self, *hosts, groups=None, name="hosts.yaml"):
        """Hosts are names, or pairs of a name and its device."""
        lines = ["hosts:"]
        for host in hosts:
            host, device = host if isinstance(host, tuple) else (host, host)
            lines += [f"  {host!r}:", "    hostname: 127.0.0.1", f"    port: {self.port}",
                      f"    username: {device}", "    platform: cisco_ios"]
            if groups and host in groups:
                lines.append(f"    groups: [{', '.join(groups[host])}]")
        if groups:
            lines += ["groups:", *(f"  {group}: {{}}" for group in
                                   sorted({g for listed in groups.values() for g in listed}))]
        return self.write(name, "\n".join(lines) + "\n")

    def look(self, inventory, *arguments, commands=("show running-config",), status=0):
        """A sweep; returns its id."""
        given = [word for command in commands for word in ("-c", command)]
        ran = self.sweep("-i", inventory, "--store", self.store, "--retries", 0, "-o", "jsonl",
                         *given, *arguments, status=status)
        return ran.objects()[0]["sweep"]

    def netfleet(self, *arguments, status=0):
        ran = self.finish([f"{rig.BIN}/netfleet", *map(str, arguments), "--store", self.store])
        self.assertEqual(ran.status, status, str(ran))
        return ran

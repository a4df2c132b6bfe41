"""What differs between two sweeps, on devices that change in between."""

import os
import unittest

import history
import rig

CONFIG = """Building configuration...

Current configuration : 99 bytes
!
! Last configuration change at 07:12:44 UTC Mon Feb 10 2025
!
hostname {name}
interface Gi0/1
 description {description}
ntp clock-period {period}
end
"""


def config(name, description="uplink", period=17179869):
    return CONFIG.format(name=name, description=description, period=period)


class Diff(history.HistoryTest):
    def diff(self, *arguments, status=1):
        return self.netfleet("diff", *arguments, status=status)

    def test_only_what_differs_is_shown(self):
        for name in "sw1", "sw2", "sw3":
            self.shows(name, config(name))
        inventory = self.inventory("sw1", "sw2", "sw3")
        first = self.look(inventory)
        self.shows("sw2", config("sw2", description="core", period=99))
        self.shows("sw3", config("sw3", period=99).replace("07:12:44", "08:00:00"))
        second = self.look(inventory)
        ran = self.diff()
        self.assertEqual(ran.out.decode(), f"""--- sw2 {first} show running-config
+++ sw2 {second} show running-config
@@ -6,6 +6,6 @@ Building configuration...
 !
 hostname sw2
 interface Gi0/1
- description uplink
+ description core
 ntp clock-period 99
 end
""")
        self.assertEqual(ran.err, f"{first} to {second}: 1 of 3 hosts differ\n")
        self.assertEqual(self.diff("-l", "sw1 sw3", status=0).out, b"")
        self.assertEqual(self.diff("--volatile", "description .*", status=0).out, b"")
        unmasked = self.diff("--no-mask").out.decode()
        self.assertIn("-ntp clock-period 17179869\n+ntp clock-period 99\n", unmasked)
        self.assertIn("+++ sw3 ", unmasked)
        self.assertEqual(self.diff(first, second).out, ran.out)
        self.assertEqual(self.diff(second[:-1]).out, ran.out)
        lines = self.diff("-o", "jsonl", "-l", "sw2 sw3").objects()
        self.assertEqual(lines, [
            {"host": "sw2", "not_compared": [], "changed": [{
                "command": "show running-config",
                "hunks": ran.out.decode().split(" show running-config\n", 2)[2]}]},
            {"before": first, "after": second, "hosts": 2, "changed": 1, "not_compared": 0}])
        self.assertEqual(self.diff("-o", "jsonl", "-l", "sw1", status=0).objects(),
                         [{"before": first, "after": second, "hosts": 1, "changed": 0,
                           "not_compared": 0}])
        back = self.diff(second, first).out.decode()
        self.assertIn("- description core\n+ description uplink\n", back)

    def test_what_cannot_be_compared_is_said(self):
        names = ["sw1", "sw2", "sw3", "sw4", "gone"]
        for name in [*names, "new"]:
            self.shows(name, config(name))
        first = self.look(self.inventory(*names))
        self.shows("sw2", None)
        self.shows("sw3", config("sw3") + "x" * 8000 + "\n")
        second = self.look(self.inventory("new", *names[:-1]), "--max-output", "4K", status=1)
        found = {line.get("host"): line for line in self.diff("-o", "jsonl").objects()}
        self.assertEqual(found["new"], {"host": "new", "changed": [],
                                        "not_compared": [f"only in {second}"]})
        self.assertEqual((found[None]["changed"], found[None]["not_compared"]), (0, 4))
        lines = self.diff().out.decode().splitlines()
        self.assertEqual(len(lines), 4, lines)
        self.assertEqual(lines[0], f"Not compared: new: only in {second}")
        self.assertRegex(lines[1], f"^Not compared: sw2: disconnected in {second}: ")
        self.assertEqual(lines[2], "Not compared: sw3: 'show running-config' truncated in "
                         f"{second}")
        self.assertEqual(lines[3], f"Not compared: gone: only in {first}")

    def test_the_sweep_before_is_that_of_the_same_commands(self):
        self.shows("sw1", config("sw1"))
        self.shows("sw1", "v1\n", word="version")
        inventory = self.inventory("sw1")
        self.look(inventory)
        ran = self.diff(status=2)
        self.assertIn("ran the same commands", ran.err)
        self.look(inventory, commands=["show version"])
        self.shows("sw1", config("sw1", description="core"))
        self.look(inventory)
        self.assertIn(b"+ description core\n", self.diff().out)

    def test_commands_of_one_sweep_only(self):
        self.shows("sw1", config("sw1"))
        self.shows("sw1", "v1\n", word="version")
        inventory = self.inventory("sw1")
        first = self.look(inventory)
        second = self.look(inventory, commands=["show version", "show running-config"])
        self.assertEqual(self.diff(first, second).out.decode(),
                         f"Not compared: sw1: 'show version' only in {second}\n")

    def test_bad_input(self):
        self.assertIn("no store at", self.diff(status=2).err)
        self.shows("sw1", config("sw1"))
        inventory = self.inventory("sw1")
        for _ in range(2):
            self.look(inventory)
        self.diff(status=0)
        for arguments, message in ((["nix"], "no sweep 'nix'"),
                                   (["--volatile", "("], "--volatile: regular expression"),
                                   (["-l", "sw9"], "no host is called 'sw9'"),
                                   (["-l", "group:core"], "groups and data are not kept"),
                                   (["a", "b", "c"], "unexpected"),
                                   (["--platform-dir", "/no/such"], "/no/such")):
            ran = self.diff(*arguments, status=2)
            self.assertIn(message, ran.err)
            self.assertEqual(ran.out, b"")

    def test_a_damaged_store_is_said(self):
        self.shows("sw1", config("sw1"))
        inventory = self.inventory("sw1")
        self.look(inventory)
        self.shows("sw1", config("sw1", description="core"))
        self.look(inventory)
        for name in "store.db-wal", "store.db-shm":
            if os.path.exists(self.path(name)):
                os.unlink(self.path(name))
        content = bytearray(rig.read(self.store))
        content[4096:] = b"\xff" * (len(content) - 4096)
        self.write("store.db", bytes(content))
        self.assertIn("damaged", self.diff(status=2).err)
        self.assertEqual(rig.read(self.store), bytes(content))

    def test_closed_and_full_standard_output(self):
        self.shows("sw1", config("sw1"))
        inventory = self.inventory("sw1")
        self.look(inventory)
        self.shows("sw1", config("sw1", description="core\x1b[2J"))
        self.look(inventory)
        argv = [f"{rig.BIN}/netfleet", "diff", "--store", self.store]
        for redirection in ">&-", ">/dev/full":
            ran = self.finish(["sh", "-c", f'exec "$@" {redirection}', "sh", *argv])
            self.assertEqual(ran.status, 2, str(ran))
            self.assertIn("write standard output", ran.err)


if __name__ == "__main__":
    unittest.main()

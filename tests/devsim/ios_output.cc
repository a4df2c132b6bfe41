#include <fmt/format.h>

#include "tests/devsim/command_output.h"

namespace netfleet::devsim {
namespace {

// 40 lines.
std::string show_version(std::string_view name) {
  std::string text = fmt::format(
      "Cisco IOS Software, C2960X Software (C2960X-UNIVERSALK9-M), Version 15.2(7)E4, RELEASE "
      "SOFTWARE (fc2)\n"
      "Technical Support: http://www.cisco.com/techsupport\n"
      "Copyright (c) 1986-2021 by Cisco Systems, Inc.\n"
      "Compiled Mon 08-Mar-21 11:33 by prod_rel_team\n"
      "\n"
      "ROM: Bootstrap program is C2960X boot loader\n"
      "BOOTLDR: C2960X Boot Loader (C2960X-HBOOT-M) Version 15.2(7r)E2, RELEASE SOFTWARE (fc1)\n"
      "\n"
      "{0} uptime is 41 weeks, 2 days, 3 hours, 16 minutes\n"
      "System returned to ROM by power-on\n"
      "System restarted at 07:12:44 UTC Mon Feb 10 2025\n"
      "System image file is \"flash:/c2960x-universalk9-mz.152-7.E4.bin\"\n"
      "Last reload reason: power-on\n"
      "\n"
      "This product contains cryptographic features and is subject to United\n"
      "States and local country laws governing import, export, transfer and\n"
      "use. Delivery of Cisco cryptographic products does not imply\n"
      "third-party authority to import, export, distribute or use encryption.\n"
      "\n"
      "cisco WS-C2960X-48TS-L (APM86XXX) processor (revision A0) with 524288K bytes of memory.\n"
      "Processor board ID FOC{1:05}X0Y\n"
      "Last reset from power-on\n"
      "1 Virtual Ethernet interface\n"
      "1 FastEthernet interface\n"
      "52 Gigabit Ethernet interfaces\n"
      "The password-recovery mechanism is enabled.\n"
      "\n"
      "512K bytes of flash-simulated non-volatile configuration memory.\n",
      name, name.size() * 1237 % 100000);
  text +=
      "Base ethernet MAC Address       : 00:1B:54:AA:01:00\n"
      "Motherboard assembly number     : 73-16691-03\n"
      "Power supply part number        : 341-0537-02\n"
      "Model revision number           : A0\n"
      "Model number                    : WS-C2960X-48TS-L\n"
      "System serial number            : FOC2048X0YZ\n"
      "Top Assembly Revision Number    : A0\n"
      "\n"
      "Switch Ports Model              SW Version            SW Image\n"
      "------ ----- -----              ----------            ----------\n"
      "*    1 52    WS-C2960X-48TS-L   15.2(7)E4             C2960X-UNIVERSALK9-M\n"
      "Configuration register is 0xF\n";
  return text;
}

// 500 lines: 24 of the device, 59 interfaces of 8 lines, 4 lines of the end.
std::string show_running_config(std::string_view name) {
  std::string text = fmt::format(
      "Building configuration...\n\nCurrent configuration : 14500 bytes\n!\n"
      "! Last configuration change at 07:12:44 UTC Mon Feb 10 2025\n!\nversion 15.2\n"
      "no service pad\nservice timestamps debug datetime msec\nservice timestamps log datetime "
      "msec\n"
      "service password-encryption\n!\nhostname {}\n!\nboot-start-marker\nboot-end-marker\n!\n"
      "no aaa new-model\nsystem mtu routing 1500\n!\nip domain-name example.net\n"
      "spanning-tree mode rapid-pvst\nspanning-tree extend system-id\n!\n",
      name);
  for (int port = 1; port <= 59; ++port) {
    fmt::format_to(std::back_inserter(text),
                   "interface GigabitEthernet1/0/{0}\n description access port {0}\n"
                   " switchport access vlan {1}\n switchport mode access\n"
                   " storm-control broadcast level 5.00\n spanning-tree portfast\n"
                   " ip dhcp snooping limit rate 20\n!\n",
                   port, 10 + port % 4);
  }
  text += "line vty 0 15\n transport input ssh\n!\nend\n";
  return text;
}

std::string show_ip_interface_brief() {
  std::string text =
      "Interface              IP-Address      OK? Method Status                Protocol\n";
  for (int index = 0; index < 8; ++index) {
    fmt::format_to(std::back_inserter(text), "{:<22} {:<15} YES {:<6} {:<21} {}\n",
                   fmt::format("GigabitEthernet0/{}", index), fmt::format("192.0.2.{}", index + 1),
                   "NVRAM", index < 6 ? "up" : "administratively down", index < 6 ? "up" : "down");
  }
  return text;
}

}  // namespace

std::string ios_invalid_input(std::string_view command, std::size_t prompt_width) {
  std::size_t wrong = command.find_first_not_of(' ');
  for (const std::string_view known : {"show", "terminal", "write", "copy", "clear"}) {
    const std::size_t space = command.find(' ', wrong);
    if (space == std::string_view::npos ||
        !is_command(command.substr(wrong, space - wrong), known)) {
      continue;
    }
    wrong = command.find_first_not_of(' ', space);
    break;
  }
  return fmt::format("{:>{}}\n% Invalid input detected at '^' marker.\n\n", "^",
                     prompt_width + wrong + 1);
}

CommandOutput ios_output(std::string_view name, std::string_view command,
                         std::size_t prompt_width) {
  if (is_command(command, "show version")) return {show_version(name)};
  if (is_command(command, "show running-config")) return {show_running_config(name)};
  if (is_command(command, "show clock")) return {"*10:25:41.123 UTC Sat Nov 22 2025\n"};
  if (is_command(command, "show ip interface brief")) return {show_ip_interface_brief()};
  if (is_command(command, "show privilege")) return {"Current privilege level is 15\n"};
  if (const auto kib = bulk_size(command)) return {bulk_output(name, *kib)};
  if (is_command(command, "terminal length *") || is_command(command, "terminal width *"))
    return {};
  if (is_command(command, "write memory") || command == "write") {
    return {"Building configuration...\n[OK]\n"};
  }
  for (const std::string_view incomplete :
       {"show", "terminal", "show ip", "terminal length", "copy"}) {
    if (is_command(command, incomplete)) return {"% Incomplete command.\n\n", false};
  }
  return {ios_invalid_input(command, prompt_width), false};
}

}  // namespace netfleet::devsim

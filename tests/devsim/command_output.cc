#include "tests/devsim/command_output.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>

namespace netfleet::devsim {
namespace {

std::string_view next_word(std::string_view& text) {
  const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
  const std::size_t end = std::min(text.find(' ', begin), text.size());
  const std::string_view word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

std::string_view last_word(std::string_view text) { return text.substr(text.rfind(' ') + 1); }

CommandOutput linux_output(std::string_view name, std::string_view command) {
  if (command == "uname -a") {
    return {
        fmt::format("Linux {} 6.1.0-18-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 "
                    "(2024-02-01) x86_64 GNU/Linux\n",
                    name)};
  }
  if (command == "hostname" || command == "cat /etc/hostname") return {fmt::format("{}\n", name)};
  if (command == "whoami") return {"user\n"};
  if (command == "id") return {"uid=1000(user) gid=1000(user) groups=1000(user)\n"};
  if (command == "pwd") return {"/home/user\n"};
  if (command == "uptime")
    return {" 10:25:41 up 41 days,  3:16,  1 user,  load average: 0.00, 0.01, 0.05\n"};
  if (command == "ls") return {"backup.tar.gz  notes.txt\n"};
  if (command == "true" || command.starts_with("export ") || command.starts_with("stty "))
    return {};
  if (command == "false") return {"", false};
  if (command.starts_with("echo ")) return {fmt::format("{}\n", command.substr(5))};
  if (command == "cat /etc/os-release") {
    return {
        "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\n"
        "VERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nID=debian\n"};
  }
  if (command.starts_with("cat ")) {
    return {fmt::format("cat: {}: No such file or directory\n", last_word(command)), false};
  }
  std::string_view rest = command;
  return {fmt::format("-bash: {}: command not found\n", next_word(rest)), false};
}

CommandOutput frr_output(std::string_view name, std::string_view command) {
  if (is_command(command, "show version")) {
    return {
        fmt::format("FRRouting 8.4.4 ({}) on Linux(6.1.0-18-amd64).\n"
                    "Copyright 1996-2005 Kunihiro Ishiguro, et al.\n"
                    "configured with:\n    '--prefix=/usr' '--enable-vtysh'\n",
                    name)};
  }
  if (is_command(command, "show running-config")) {
    return {
        fmt::format("Building configuration...\n\nCurrent configuration:\n!\n"
                    "frr version 8.4.4\nfrr defaults traditional\nhostname {}\n!\n"
                    "interface eth0\n ip address 192.0.2.1/24\nexit\n!\nend\n",
                    name)};
  }
  if (is_command(command, "terminal length *")) return {};
  if (is_command(command, "write memory")) {
    return {
        "Note: this version of vtysh never writes vtysh.conf\nBuilding Configuration...\n"
        "Integrated configuration saved to /etc/frr/frr.conf\n[OK]\n"};
  }
  if (is_command(command, "show")) return {"% Command incomplete: show\n", false};
  return {fmt::format("% Unknown command: {}\n", command), false};
}

CommandOutput junos_output(std::string_view name, std::string_view command,
                           std::size_t prompt_width) {
  if (command == "show version") {
    return {fmt::format("Hostname: {}\nModel: vmx\nJunos: 21.4R1.12\n", name)};
  }
  if (command.starts_with("set cli screen-length ")) {
    return {fmt::format("Screen length set to {}\n", last_word(command))};
  }
  if (command.starts_with("set cli screen-width ")) {
    return {fmt::format("Screen width set to {}\n", last_word(command))};
  }
  if (command == "set cli complete-on-space off") return {"Disabling complete-on-space\n"};
  return {fmt::format("{:>{}}\nunknown command.\n", "^", prompt_width + 1), false};
}

CommandOutput eos_output(std::string_view name, std::string_view command) {
  if (is_command(command, "show version")) {
    return {"Arista vEOS-lab\nHardware version:\nSoftware image version: 4.29.2F\n"};
  }
  if (is_command(command, "show hostname")) {
    return {fmt::format("Hostname: {0}\nFQDN:     {0}\n", name)};
  }
  if (is_command(command, "terminal length *")) return {"Pagination disabled.\n"};
  if (is_command(command, "terminal width *")) {
    return {fmt::format("Width set to {} columns.\n", last_word(command))};
  }
  if (is_command(command, "write memory") || is_command(command, "write")) {
    return {"Copy completed successfully.\n"};
  }
  return {"% Invalid input\n", false};
}

CommandOutput routeros_output(std::string_view name, std::string_view command) {
  if (command == "/system identity print") return {fmt::format("  name: {}\n", name)};
  if (command == "/system resource print") {
    return {
        "                   version: 7.11.2 (stable)\n"
        "                board-name: CHR\n"
        "                  platform: MikroTik\n"};
  }
  if (command.starts_with("/system identity set name=") || command.starts_with("/ip ")) return {};
  std::string_view rest = command;
  return {fmt::format("bad command name {} (line 1 column 1)\n", next_word(rest)), false};
}

CommandOutput generic_output(std::string_view name, std::string_view command) {
  if (is_command(command, "show version")) {
    return {fmt::format("Generic device {}\nversion 1.0\n", name)};
  }
  if (command.starts_with("echo ")) return {fmt::format("{}\n", command.substr(5))};
  return {fmt::format("Error: unknown command '{}'\n", command), false};
}

}  // namespace

bool is_command(std::string_view line, std::string_view pattern) {
  for (std::size_t least = 2;; least = 1) {
    const std::string_view word = next_word(line);
    const std::string_view wanted = next_word(pattern);
    if (word.empty() || wanted.empty()) return word.empty() && wanted.empty();
    if (wanted != "*" && (word.size() < least || !wanted.starts_with(word))) return false;
  }
}

CommandOutput command_output(Platform platform, std::string_view name, std::string_view command,
                             std::size_t prompt_width) {
  if (const auto kib = bulk_size(command)) return {bulk_output(name, *kib)};
  switch (platform) {
    case Platform::kCiscoIos:
      return ios_output(name, command, prompt_width);
    case Platform::kLinux:
      return linux_output(name, command);
    case Platform::kFrrVtysh:
      return frr_output(name, command);
    case Platform::kGeneric:
      return generic_output(name, command);
    case Platform::kJuniperJunos:
      return junos_output(name, command, prompt_width);
    case Platform::kAristaEos:
      return eos_output(name, command);
    case Platform::kRouterOs:
      return routeros_output(name, command);
  }
  return {};
}

std::string bulk_output(std::string_view name, std::size_t kib) {
  constexpr std::size_t kLine = 64;
  constexpr std::size_t kDigits = 8;
  std::string line = fmt::format("{} tech {:0{}} ", name.substr(0, 24), 0, kDigits);
  const std::size_t digits = line.size() - 1 - kDigits;
  while (line.size() < kLine - 1) line += static_cast<char>('a' + line.size() % 26);
  line += '\n';
  std::string text;
  text.reserve(kib * 1024);
  for (std::size_t count = kib * 1024 / kLine; count > 0; --count) {
    text += line;
    for (std::size_t digit = digits + kDigits; digit-- > digits;) {
      if (++line[digit] <= '9') break;
      line[digit] = '0';
    }
  }
  return text;
}

std::optional<std::size_t> bulk_size(std::string_view command) {
  if (!is_command(command, "show tech *")) return std::nullopt;
  const std::string_view word = last_word(command);
  std::size_t kib = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), kib);
  constexpr std::size_t kMaxKib = 1'048'576;
  if (error != std::errc() || end != word.data() + word.size() || kib > kMaxKib)
    return std::nullopt;
  return kib;
}

std::string garbage_output(std::string_view name) {
  std::uint64_t state = 0x9E3779B97F4A7C15u;
  for (const char letter : name)
    state = (state ^ static_cast<unsigned char>(letter)) * 0x100000001B3u;
  static constexpr char kHead[] = "\0\xFF\xFE\xC3(\x1B[\x1B]0;\x07\b\b\x7F\xF0\x9F";
  std::string text(kHead, sizeof(kHead) - 1);
  while (text.size() < 4095) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    text += static_cast<char>(state >> 56);
  }
  // A line end, and out of any escape sequence that was begun (CAN), so that the prompt is its own
  // line.
  return text + "\x18\n";
}

std::string lookalike_output(std::string_view name) {
  return fmt::format(
      "{0}#\n{0}>\n{0}# show version\nrouter(config)#\nuser@{0}:~$ \n# a comment\n"
      "Interface    Status #\n100% > 99%\n> quoted\nPassword:\n --More-- is a word\n#\n",
      name);
}

}  // namespace netfleet::devsim

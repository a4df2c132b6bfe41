#include <utility>

#include "tests/devsim/cli.h"
#include "tests/devsim/command_output.h"

namespace netfleet::devsim {
namespace {

// IOS cuts the name in configuration mode.
constexpr std::size_t kConfigName = 20;

bool is_exit(std::string_view line) {
  return line == "exit" || line == "logout" || line == "quit" || line == "ex";
}

}  // namespace

std::string Cli::prompt_text() const {
  const std::string& name = name_;
  switch (device_.platform) {
    case Platform::kLinux:
      return mode_ == Mode::kPrivileged ? "root@" + name + ":/home/" + options_.user + "# "
                                        : options_.user + "@" + name + ":~$ ";
    case Platform::kGeneric:
      return name + "> ";
    case Platform::kJuniperJunos:
      return options_.user + "@" + name + (mode_ == Mode::kConfig ? "# " : "> ");
    case Platform::kRouterOs:
      return "[" + options_.user + "@" + name + "] > ";
    default:
      break;
  }
  const std::string blank = device_.platform == Platform::kFrrVtysh ? " " : "";
  switch (mode_) {
    case Mode::kUser:
      return name + ">" + blank;
    case Mode::kPrivileged:
      return name + "#" + blank;
    case Mode::kConfig:
      return name.substr(0, kConfigName) + "(config)#" + blank;
    case Mode::kSubConfig:
      return name.substr(0, kConfigName) + "(config-" + submode_ + ")#" + blank;
  }
  return {};
}

bool Cli::leaves(std::string_view line) const {
  if (!is_exit(line)) return false;
  if (device_.platform == Platform::kLinux || device_.platform == Platform::kJuniperJunos) {
    return mode_ == Mode::kUser;
  }
  return mode_ == Mode::kUser || mode_ == Mode::kPrivileged;
}

void Cli::run(const std::string& line) {
  switch (device_.platform) {
    case Platform::kLinux:
      return run_linux(line);
    case Platform::kGeneric:
      return print(command_output(device_.platform, name_, line, prompt_text().size()).text);
    case Platform::kJuniperJunos:
      return run_junos(line);
    case Platform::kRouterOs:
      configure_name(line);
      return print(command_output(device_.platform, name_, line, 0).text);
    default:
      return run_ios_like(line);
  }
}

void Cli::run_linux(const std::string& line) {
  if (is_exit(line)) {  // of the root shell
    mode_ = Mode::kUser;
    return print("exit\n");
  }
  if (line == "sudo -s") {
    if (!options_.enable_password.empty()) return ask_password("[sudo] password for user: ");
    mode_ = Mode::kPrivileged;
    return print({});
  }
  print(command_output(device_.platform, name_, line, 0).text);
}

void Cli::run_ios_like(const std::string& line) {
  if (mode_ == Mode::kConfig || mode_ == Mode::kSubConfig) return run_config(line);
  const std::size_t width = prompt_text().size();
  if (is_command(line, "enable")) {
    if (mode_ == Mode::kUser && !options_.enable_password.empty())
      return ask_password("Password: ");
    mode_ = Mode::kPrivileged;
    return print({});
  }
  if (is_command(line, "disable")) {
    mode_ = Mode::kUser;
    return print({});
  }
  const bool needs_privilege =
      is_command(line, "configure terminal") || is_command(line, "show running-config") ||
      is_command(line, "write memory") || is_command(line, "clear counters") ||
      is_command(line, "copy running-config startup-config");
  if (needs_privilege && mode_ == Mode::kUser) return print(ios_invalid_input(line, width));
  if (is_command(line, "configure terminal")) {
    mode_ = Mode::kConfig;
    if (device_.platform != Platform::kCiscoIos) return print({});
    return print("Enter configuration commands, one per line.  End with CNTL/Z.\n");
  }
  if (device_.platform == Platform::kCiscoIos &&
      is_command(line, "copy running-config startup-config")) {
    out_ += "Destination filename [startup-config]? ";
    after_question_ = "Building configuration...\n[OK]\n";
    answer_is_line_ = true;
    state_ = State::kQuestion;
    return;
  }
  const bool overwrites = options_.confirm_save && is_command(line, "write memory");
  const bool clears = is_command(line, "clear counters");
  if (device_.platform == Platform::kCiscoIos && (overwrites || clears)) {
    out_ += clears
                ? "Clear \"show interface\" counters on all interfaces [confirm]"
                : "Warning: Attempting to overwrite an NVRAM configuration previously written\r\n"
                  "by a different version of the system image.\r\n"
                  "Overwrite the previous NVRAM configuration?[confirm]";
    after_question_ = clears ? "" : "Building configuration...\n[OK]\n";
    answer_is_line_ = false;
    state_ = State::kQuestion;
    return;
  }
  if (is_command(line, "terminal length *")) {
    rows_ = static_cast<std::size_t>(std::strtoul(line.c_str() + line.rfind(' '), nullptr, 10));
  } else if (is_command(line, "terminal width *")) {
    columns_ = static_cast<std::size_t>(std::strtoul(line.c_str() + line.rfind(' '), nullptr, 10));
  }
  print(command_output(device_.platform, name_, line, width).text);
}

void Cli::run_config(const std::string& line) {
  static constexpr std::pair<std::string_view, std::string_view> kSubmodes[] = {
      {"interface *", "if"},
      {"interface * *", "if"},
      {"router * *", "router"},
      {"line * * *", "line"},
      {"vlan *", "vlan"}};
  const std::size_t width = prompt_text().size();
  if (is_command(line, "end")) {
    mode_ = Mode::kPrivileged;
    return print({});
  }
  if (is_exit(line)) {
    mode_ = mode_ == Mode::kSubConfig ? Mode::kConfig : Mode::kPrivileged;
    return print({});
  }
  if (line.starts_with("do ")) {
    return print(command_output(device_.platform, name_, line.substr(3), width + 3).text);
  }
  if (line.starts_with("banner ")) return begin_banner(line);
  configure_name(line);
  for (const auto& [pattern, submode] : kSubmodes) {
    if (!is_command(line, pattern)) continue;
    mode_ = Mode::kSubConfig;
    submode_ = submode;
    return print({});
  }
  // Anything else is taken as configuration, but for these: tests need a line that is refused.
  if (line.starts_with("invalid") || is_command(line, "show *")) {
    return print(ios_invalid_input(line, width));
  }
  print({});
}

// The name that a line gives the device, for this session.
void Cli::configure_name(std::string_view line) {
  for (const std::string_view begin : {"hostname ", "/system identity set name="}) {
    if (line.starts_with(begin) && line.size() > begin.size()) name_ = line.substr(begin.size());
  }
}

// "banner motd ^C ... ^C" on IOS, "banner motd" up to EOF on EOS; no prompts meanwhile.
void Cli::begin_banner(const std::string& line) {
  const bool eos = device_.platform == Platform::kAristaEos;
  const std::size_t at = line.find(' ', std::string_view("banner ").size());
  if (!eos && at == std::string::npos) return print("% Incomplete command.\n\n");
  const std::string mark = eos ? "EOF" : line.substr(at + 1, 1);
  if (!eos && line.find(mark, at + 2) != std::string::npos) return print({});  // all in one line
  out_ += eos ? "Enter TEXT message. Type 'EOF' on its own line to end.\r\n"
              : "Enter TEXT message.  End with the character '" + mark + "'.\r\n";
  banner_end_ = mark;
  state_ = State::kLine;
}

// Whether the banner goes on behind this line.
bool Cli::takes_banner_line() {
  const bool eos = device_.platform == Platform::kAristaEos;
  const bool ends = eos ? line_ == banner_end_ : line_.find(banner_end_) != std::string::npos;
  if (ends) banner_end_.clear();
  line_.clear();
  return !ends;
}

void Cli::ask_password(std::string_view question) {
  out_ += question;
  state_ = State::kPassword;
  password_tries_ = 0;
}

void Cli::password_entered() {
  constexpr int kTries = 3;
  out_ += "\r\n";
  const bool right = std::exchange(line_, {}) == options_.enable_password;
  if (right) {
    mode_ = Mode::kPrivileged;
    return print({});
  }
  const bool linux_like = device_.platform == Platform::kLinux;
  if (++password_tries_ == kTries) {
    return print(linux_like ? "sudo: 3 incorrect password attempts\n" : "% Bad secrets\n\n");
  }
  out_ += linux_like ? "Sorry, try again.\r\n[sudo] password for user: " : "Password: ";
}

void Cli::question_answered() {
  out_ += "\r\n";
  const std::string answer = std::exchange(line_, {});
  if (device_.platform == Platform::kJuniperJunos) {
    return answer.starts_with('n') ? print({}) : leave_configuration();
  }
  print(std::exchange(after_question_, {}));
}

}  // namespace netfleet::devsim

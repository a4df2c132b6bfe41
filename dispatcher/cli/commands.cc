// dispatcher/cli: the commands of a run: checks what is typed, reads --commands-file.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "dispatcher/cli/options.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxCommand = 4096;
constexpr std::size_t kMaxCommands = 10'000;

bool is_control(char c) { return (c >= 0 && c < 0x20) || c == 0x7F; }

}  // namespace

Expected<void> check_typed(const std::string& line, std::string_view what) {
  if (line.size() > kMaxCommand) {
    return fail(fmt::format("{} is longer than {} bytes", what, kMaxCommand));
  }
  if (line.find_first_of("\r\n") != std::string::npos) {
    return fail(fmt::format("{} is one line", what));
  }
  if (std::ranges::any_of(line, is_control)) {
    return fail(fmt::format("{} holds a control character", what));
  }
  return {};
}

Expected<void> check_command(const std::string& command) {
  if (command.find_first_not_of(" \t") == std::string::npos) return fail("the command is empty");
  if (command.find_first_of("\r\n") != std::string::npos) {
    return fail("a command is one line: repeat -c, or use --commands-file");
  }
  std::string without_tabs = command;
  std::ranges::replace(without_tabs, '\t', ' ');
  return check_typed(without_tabs, "the command");
}

Expected<void> check_configuration_line(const std::string& line) {
  if (line.contains('\t')) {
    return fail("the line holds a tab, by which a device completes words: use spaces");
  }
  return check_typed(line, "the line");
}

Expected<std::vector<std::string>> read_commands(const RunOptions& options) {
  std::vector<std::string> commands = options.commands;
  if (options.commands_file.empty()) return commands;
  const std::string& path = options.commands_file;
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string line;
  std::size_t number = 0;
  while (std::getline(file, line)) {
    ++number;
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    line.erase(line.find_last_not_of(" \t\r") + 1);
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string::npos || line[begin] == '#') continue;
    if (const auto checked = check_command(line); !checked) {
      return fail(fmt::format("{}:{}: {}", path, number, checked.error().message));
    }
    if (commands.size() == kMaxCommands) {
      return fail(fmt::format("{}:{}: more than {} commands", path, number, kMaxCommands));
    }
    commands.push_back(line);
  }
  if (!file.eof()) return fail(fmt::format("read commands {}: {}", path, std::strerror(errno)));
  if (commands.empty()) return fail(fmt::format("no commands in {}", path));
  return commands;
}

}  // namespace netfleet

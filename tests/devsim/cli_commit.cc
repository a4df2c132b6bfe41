// A candidate configuration, as Junos has it: what is set takes effect with the commit.
#include <fmt/format.h>

#include "tests/devsim/cli.h"
#include "tests/devsim/command_output.h"

namespace netfleet::devsim {
namespace {

constexpr std::string_view kSetName = "set system host-name ";

}  // namespace

void Cli::run_junos(const std::string& line) {
  if (mode_ == Mode::kConfig) return run_junos_config(line);
  if (is_command(line, "configure")) {
    mode_ = Mode::kConfig;
    return print("Entering configuration mode\n");
  }
  print(command_output(device_.platform, name_, line, prompt_text().size()).text);
}

void Cli::run_junos_config(const std::string& line) {
  if (line.starts_with("set ") || line.starts_with("delete ")) {
    if (line.find(" invalid") != std::string::npos) {
      return print(fmt::format("{:>{}}\nsyntax error.\n", "^", prompt_text().size() + 5));
    }
    candidate_.push_back(line);
    return print({});
  }
  if (line == "commit check") {
    if (candidate_is_sound()) print("configuration check succeeds\n");
    return;
  }
  if (line.starts_with("commit")) return commit(line);
  if (line == "show | compare") return print(difference());
  if (line.starts_with("rollback")) {
    candidate_.clear();
    return print("load complete\n");
  }
  if (line == "exit" || line == "exit configuration-mode" || line == "quit") {
    if (candidate_.empty()) return leave_configuration();
    out_ +=
        "The configuration has been changed but not committed\r\n"
        "Exit with uncommitted changes? [yes,no] (yes) ";
    answer_is_line_ = true;
    state_ = State::kQuestion;
    return;
  }
  print(fmt::format("{:>{}}\nunknown command.\n", "^", prompt_text().size() + 1));
}

void Cli::leave_configuration() {
  mode_ = Mode::kUser;
  print("Exiting configuration mode\n\n");
}

// Prints why not.
bool Cli::candidate_is_sound() {
  for (const std::string& line : candidate_) {
    if (line.find(" missing ") == std::string::npos) continue;
    print(
        "[edit]\n  'missing'\n    referenced object is not defined\n"
        "error: configuration check-out failed\n");
    return false;
  }
  return true;
}

void Cli::commit(std::string_view line) {
  if (!candidate_is_sound()) return;
  for (const std::string& set : candidate_) {
    if (set.starts_with(kSetName)) name_ = set.substr(kSetName.size());
  }
  candidate_.clear();
  constexpr std::string_view kConfirmed = "commit confirmed ";
  if (!line.starts_with(kConfirmed)) return print("commit complete\n");
  const std::string_view minutes = line.substr(kConfirmed.size());
  print(
      fmt::format("commit confirmed will be automatically rolled back in {0} minutes unless "
                  "confirmed\ncommit complete\n\n# commit confirmed will be rolled back in {0} "
                  "minutes\n",
                  minutes));
}

std::string Cli::difference() const {
  if (candidate_.empty()) return {};
  std::string text = "[edit]\n";
  for (const std::string& line : candidate_) {
    const std::size_t space = line.find(' ');
    text += fmt::format("{}  {};\n", line.starts_with("set") ? '+' : '-', line.substr(space + 1));
  }
  return text;
}

}  // namespace netfleet::devsim

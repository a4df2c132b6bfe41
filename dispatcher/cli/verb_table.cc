#include "dispatcher/cli/verb_table.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "common/command_line.h"

namespace netfleet {

bool VerbTable::named(const std::string& name) const {
  return std::ranges::find(words_, name) != words_.end();
}

Expected<CommandLine> VerbTable::settled() const {
  const auto given = app_.get_subcommands();
  if (given.size() > 1) return usage_error("one command at a time", "netfleet");
  if (given.empty()) {
    return usage_error(
        fmt::format("a command is missing: {} or {}",
                    fmt::join(names_.begin(), names_.end() - 1, ", "), names_.back()),
        "netfleet");
  }
  const auto asked = std::ranges::find(asked_, given.front(), &Asked::verb);
  auto settled = asked->settle();
  if (!settled) {
    return usage_error(settled.error().message, "netfleet " + given.front()->get_name());
  }
  return settled;
}

}  // namespace netfleet

#include "worker/device/configuration_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace netfleet {
namespace {

constexpr std::chrono::hours kMaxConfirmWithin{99};  // of {hh:mm:ss}; beyond what anyone waits for

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t") == std::string_view::npos;
}

// How many lines the block has that begins with this line: 1 when it begins none, nothing when it
// has no end.
std::optional<std::size_t> block_size(const Platform::Block& block,
                                      const std::vector<std::string>& lines, std::size_t first) {
  const std::string_view line = lines[first];
  const std::optional<Pattern::Span> begin = block.begin.find(line);
  if (!begin) return 1;
  const auto ends = [&](const auto& is_end) -> std::optional<std::size_t> {
    for (std::size_t i = first + 1; i < lines.size(); ++i) {
      if (is_end(std::string_view(lines[i]))) return i - first + 1;
    }
    return std::nullopt;
  };
  if (block.end) return ends([&](std::string_view text) { return block.end->matches(text); });
  const std::optional<Pattern::Span> group = block.begin.find_group(line);
  if (!group || group->begin == group->end) return 1;
  const std::string_view delimiter = line.substr(group->begin, group->end - group->begin);
  if (line.find(delimiter, group->end) != std::string_view::npos) return 1;
  return ends(
      [&](std::string_view text) { return text.find(delimiter) != std::string_view::npos; });
}

Expected<void> add_parts(const Platform::Configure& configure,
                         const std::vector<std::string>& lines, ConfigurationPlan& plan) {
  for (std::size_t first = 0; first < lines.size();) {
    std::size_t count = 1;
    for (const Platform::Block& block : configure.blocks) {
      const std::optional<std::size_t> size = block_size(block, lines, first);
      if (!size) {
        return fail(fmt::format("line {} of {} '{}': the block that begins here has no end",
                                first + 1, lines.size(), lines[first]));
      }
      count = std::max(count, *size);
    }
    if (count > 1 || !is_blank(lines[first])) plan.parts.push_back({first, count});
    first += count;
  }
  return {};
}

// The first of `names` in the command is replaced by the time in its unit, rounded up.
Expected<std::string> with_time(std::string command, Milliseconds within) {
  if (within <= Milliseconds(0) || within > kMaxConfirmWithin) {
    return fail("the time until a commit must be confirmed does not fit");
  }
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(within).count();
  const std::pair<std::string_view, std::string> times[] = {
      {"{minutes}", fmt::format("{}", (seconds + 59) / 60)},
      {"{seconds}", fmt::format("{}", seconds)},
      {"{hh:mm:ss}",
       fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)}};
  for (const auto& [name, time] : times) {
    const std::size_t at = command.find(name);
    if (at != std::string::npos) command.replace(at, name.size(), time);
  }
  return command;
}

}  // namespace

Expected<ConfigurationPlan> plan_configuration(const Platform& platform,
                                               const Configuration& configuration) {
  ConfigurationPlan plan;
  const auto& configure = platform.configure;
  if (!configuration.lines.empty() && !configure) {
    return fail(fmt::format("platform {} cannot be configured here", platform.name));
  }
  const bool commits = configure && configure->commit;
  // What is committed lasts by itself.
  if (configuration.save && !platform.save && !commits) {
    return fail(fmt::format("platform {} has nothing to save with", platform.name));
  }
  if (configuration.lines.empty()) return plan;
  if (auto added = add_parts(*configure, configuration.lines, plan); !added) {
    return std::unexpected(std::move(added.error()));
  }
  plan.rehearsed = configuration.dry_run && !commits;
  if (commits) plan.commit = configure->commit->command;
  if (!configuration.confirm_within || configuration.dry_run) return plan;
  if (!commits || configure->commit->confirmed.empty()) {
    return fail(fmt::format("platform {} has no confirmed commit", platform.name));
  }
  Expected<std::string> confirmed =
      with_time(configure->commit->confirmed, *configuration.confirm_within);
  if (!confirmed) return std::unexpected(std::move(confirmed.error()));
  plan.commit = *std::move(confirmed);
  plan.confirm = configure->commit->confirm;
  return plan;
}

}  // namespace netfleet

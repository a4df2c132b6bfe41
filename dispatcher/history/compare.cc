#include "dispatcher/history/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

#include "dispatcher/inventory/inventory.h"
#include "dispatcher/inventory/limit.h"
#include "dispatcher/output/text_diff.h"

namespace netfleet {
namespace {

bool asks_for_what_is_not_kept(const Limit& limit) {
  return limit.kind == Limit::Kind::kGroup || limit.kind == Limit::Kind::kData ||
         std::ranges::any_of(limit.parts, asks_for_what_is_not_kept);
}

// Fills in the names of the hosts that are selected.
Expected<void> select(Store& store, const std::string& limits,
                      std::unordered_set<std::string>& names) {
  const auto limit = parse_limit(limits);
  if (!limit) return std::unexpected(limit.error());
  if (asks_for_what_is_not_kept(*limit)) {
    return fail(
        "limit: groups and data are not kept with a sweep: give names, region: or platform:");
  }
  std::vector<Host> hosts;
  const auto visited = store.for_pairs(false, [&](const TaskPair& pair) {
    Host& host = hosts.emplace_back();
    host.name = pair.host;
    host.region = pair.region;
    host.platform = pair.platform;
    return true;
  });
  if (!visited) return std::unexpected(visited.error());
  const auto selected = select_hosts(std::move(hosts), limits);
  if (!selected) return std::unexpected(selected.error());
  for (const Host& host : *selected) names.insert(host.name.str());
  return {};
}

class Comparer {
 public:
  Comparer(Store& store, const SweepRecord& before, const SweepRecord& after,
           const CompareOptions& options)
      : store_(store), before_(before), after_(after), options_(options) {}

  Expected<HostComparison> compare(const TaskPair& pair) {
    HostComparison found{.host = pair.host, .changed = {}, .not_compared = {}};
    if (!pair.before || !pair.after) {
      found.not_compared.push_back(fmt::format("only in {}", pair.before ? before_.id : after_.id));
      return found;
    }
    const auto old_result = store_.result(before_.number, *pair.before);
    if (!old_result) return std::unexpected(old_result.error());
    const auto new_result = store_.result(after_.number, *pair.after);
    if (!new_result) return std::unexpected(new_result.error());
    const bool old_ok = is_ok(*old_result, before_, found);
    const bool new_ok = is_ok(*new_result, after_, found);
    if (*old_result && *new_result) {
      compare_commands(**old_result, **new_result, old_ok && new_ok, pair.platform, found);
    }
    return found;
  }

 private:
  static bool is_ok(const std::optional<TaskResult>& result, const SweepRecord& sweep,
                    HostComparison& found) {
    if (result && result->outcome == Outcome::kOk) return true;
    found.not_compared.push_back(
        result ? fmt::format("{} in {}: {}", outcome_name(result->outcome), sweep.id, result->error)
               : fmt::format("no result in {}", sweep.id));
    return false;
  }

  // By what was run, the first of several equal commands with the first one. `complete`: what one
  // side lacks was not run; else its task had ended before.
  void compare_commands(const TaskResult& before, const TaskResult& after, bool complete,
                        std::string_view platform, HostComparison& found) {
    std::vector<const CommandResult*> others;
    for (const CommandResult& command : before.commands) others.push_back(&command);
    const auto only_in = [&](const CommandResult& command, const SweepRecord& sweep) {
      if (!complete) return;
      found.not_compared.push_back(fmt::format("'{}' only in {}", command.command, sweep.id));
    };
    for (const CommandResult& command : after.commands) {
      const auto other = std::ranges::find_if(others, [&](const CommandResult* candidate) {
        return candidate->command == command.command;
      });
      if (other == others.end()) {
        only_in(command, after_);
        continue;
      }
      const bool told = !complete && ((*other)->outcome != Outcome::kOk ||
                                      command.outcome != Outcome::kOk);  // with its task
      if (!told) compare_outputs(**other, command, platform, found);
      others.erase(other);
    }
    for (const CommandResult* command : others) only_in(*command, before_);
  }

  void compare_outputs(const CommandResult& before, const CommandResult& after,
                       std::string_view platform, HostComparison& found) {
    for (const auto& [command, sweep] :
         {std::pair(&before, &before_), std::pair(&after, &after_)}) {
      std::string why;
      if (command->outcome != Outcome::kOk) why = outcome_name(command->outcome);
      if (command->truncated) why = "truncated";
      if (why.empty()) continue;
      found.not_compared.push_back(fmt::format("'{}' {} in {}", command->command, why, sweep->id));
      return;
    }
    auto hunks = differences(before.output, after.output, platform);
    if (!hunks) {
      found.not_compared.push_back(fmt::format("'{}': {}", after.command, hunks.error().message));
    } else if (!hunks->empty()) {
      found.changed.push_back({after.command, *std::move(hunks)});
    }
  }

  Expected<std::string> differences(const OutputText& before, const OutputText& after,
                                    std::string_view platform) const {
    if (before == after) return std::string();
    if (std::max(before.size(), after.size()) > TextDiff::kMostBytes) {
      return fail("too large to be compared");
    }
    const auto old_text = before.whole();
    if (!old_text) return old_text;
    const auto new_text = after.whole();
    if (!new_text) return new_text;
    if (!options_.mask) return diff_.hunks({*old_text, *old_text}, {*new_text, *new_text});
    const std::string old_masked = options_.mask(platform, *old_text);
    const std::string new_masked = options_.mask(platform, *new_text);
    return diff_.hunks({old_masked, *old_text}, {new_masked, *new_text});
  }

  Store& store_;
  const SweepRecord& before_;
  const SweepRecord& after_;
  const CompareOptions& options_;
  TextDiff diff_;
};

}  // namespace

Expected<std::size_t> compare_sweeps(Store& store, const SweepRecord& before,
                                     const SweepRecord& after, const CompareOptions& options,
                                     const std::function<bool(const HostComparison&)>& visit) {
  if (auto paired = store.pair_tasks(before.number, after.number); !paired) {
    return std::unexpected(paired.error());
  }
  const bool all = options.limits.empty();
  std::unordered_set<std::string> selected;
  if (!all) {
    const auto done = select(store, options.limits, selected);
    if (!done) return std::unexpected(done.error());
  }
  Comparer comparer(store, before, after, options);
  std::size_t hosts = 0;
  std::optional<Error> error;
  const bool same_commands = before.job.commands == after.job.commands;
  const auto visited = store.for_pairs(same_commands, [&](const TaskPair& pair) {
    if (options.go_on && !options.go_on()) return false;
    if (!all && !selected.contains(pair.host)) return true;
    ++hosts;
    if (pair.same) return true;
    const auto found = comparer.compare(pair);
    if (!found) {
      error = found.error();
      return false;
    }
    return (found->changed.empty() && found->not_compared.empty()) || visit(*found);
  });
  if (!visited) return std::unexpected(visited.error());
  if (error) return std::unexpected(*error);
  return hosts;
}

}  // namespace netfleet

#include "dispatcher/cli/diff_verb.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "dispatcher/cli/diff_printer.h"
#include "dispatcher/cli/server.h"
#include "dispatcher/cli/service_verbs.h"
#include "dispatcher/cli/verbs.h"
#include "dispatcher/history/compare.h"

namespace netfleet {
namespace {

constexpr int kExitTrouble = 2;

constexpr std::size_t kSweepsSearched = 1000;  // for the last one that has ended

int say_error(const Error& error) { return say_error(error, kExitTrouble); }

Expected<SweepRecord> last_ended(Store& store) {
  auto sweeps = store.sweeps(kSweepsSearched);
  if (!sweeps) return std::unexpected(sweeps.error());
  for (SweepRecord& sweep : *sweeps) {
    if (sweep.ended_at && !sweep.job.commands.empty()) return std::move(sweep);
  }
  return fail("no sweep that ran commands has ended yet");
}

struct TwoSweeps {
  SweepRecord before;
  SweepRecord after;
};

Expected<TwoSweeps> find_sweeps(Store& store, const DiffOptions& options) {
  auto after = options.after.empty() ? last_ended(store) : store.find_sweep(options.after);
  if (!after) return std::unexpected(after.error());
  if (!options.before.empty()) {
    auto before = store.find_sweep(options.before);
    if (!before) return std::unexpected(before.error());
    return TwoSweeps{*std::move(before), *std::move(after)};
  }
  auto before = store.sweep_before(*after);
  if (!before) return std::unexpected(before.error());
  if (!*before) {
    return fail(fmt::format("no sweep before {} ran the same commands: name two", after->id));
  }
  return TwoSweeps{**std::move(before), *std::move(after)};
}

}  // namespace

int diff_verb(const DiffOptions& given, const WorkerSide& worker_side) {
  DiffOptions options = given;
  if (options.after.empty()) std::swap(options.before, options.after);
  if (options.store.empty() && names_server(options.server)) return server_diff(options);
  auto mask =
      worker_side.volatile_mask(options.platform_dir, options.volatile_patterns, options.no_mask);
  if (!mask) return say_error(mask.error());
  auto store = open_kept_store(options.store);
  if (!store) return say_error(store.error());
  const auto sweeps = find_sweeps(*store, options);
  if (!sweeps) return say_error(sweeps.error());
  CompareOptions compare;
  if (!options.no_mask || !options.volatile_patterns.empty()) compare.mask = *std::move(mask);
  for (const std::string& limit : options.limits) {
    compare.limits += fmt::format("{}({})", compare.limits.empty() ? "" : " and ", limit);
  }
  DiffPrinter printer(isatty(STDOUT_FILENO) != 0, options.jsonl);
  printer.set_sweeps(sweeps->before.id, sweeps->after.id);
  const auto hosts =
      compare_sweeps(*store, sweeps->before, sweeps->after, compare,
                     [&](const HostComparison& found) { return printer.visit(found); });
  if (!hosts) return say_error(hosts.error());
  return printer.end(*hosts);
}

}  // namespace netfleet

#include "dispatcher/cli/prune_verb.h"

#include <fmt/format.h>

#include <optional>

#include "common/clock.h"
#include "common/standard_streams.h"
#include "dispatcher/cli/verbs.h"

namespace netfleet {
namespace {

int say_error(const Error& error) {
  print_error("netfleet: " + error.message + "\n");
  return kExitUsage;
}

const char* plural(std::uint64_t count) { return count == 1 ? "" : "s"; }

Expected<void> prune(Store& store, const PruneOptions& options) {
  RetentionRules rules{.keep_sweeps = options.keep_sweeps,
                       .keep_since = std::nullopt,
                       .unfinished = options.unfinished};
  if (options.keep_days) {
    rules.keep_since = SystemClock().wall() - std::chrono::days(*options.keep_days);
  }
  const auto old = store.old_sweeps(rules);
  if (!old) return std::unexpected(old.error());
  std::size_t removed = 0;
  std::string out;
  for (const SweepRecord& sweep : *old) {
    if (!options.dry_run) {
      const auto gone = store.remove_sweep(sweep);
      if (!gone) return std::unexpected(gone.error());
      if (!*gone) {
        print_error(fmt::format("netfleet: sweep {} is being worked at: it stays\n", sweep.id));
        continue;
      }
    }
    ++removed;
    out += fmt::format("{}  {} host{}\n", sweep.id, sweep.total, plural(sweep.total));
  }
  const Expected<std::uint64_t> bodies = options.dry_run ? 0 : store.remove_leftovers();
  if (!bodies) return std::unexpected(bodies.error());
  if (options.compact) {
    if (auto done = store.compact(); !done) return done;
  }
  if (const auto written = print_output(out); !written) return std::unexpected(written.error());
  if (options.dry_run) {
    print_error(fmt::format("{} sweep{} would be removed\n", removed, plural(removed)));
    return {};
  }
  print_error(fmt::format("{} sweep{} removed, with {} distinct output{}\n", removed,
                          plural(removed), *bodies, plural(*bodies)));
  return {};
}

}  // namespace

int prune_verb(const PruneOptions& options) {
  auto store = open_kept_store(options.store);
  if (!store) return say_error(store.error());
  const auto done = prune(*store, options);
  return done ? kExitOk : say_error(done.error());
}

}  // namespace netfleet

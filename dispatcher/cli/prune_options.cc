#include <CLI/CLI.hpp>

#include "dispatcher/cli/option_values.h"
#include "dispatcher/cli/prune_verb.h"

namespace netfleet {
namespace {

constexpr const char* kExamples = R"(Examples:
  netfleet prune --keep-sweeps 30 --dry-run        what would go
  netfleet prune --keep-days 90 --keep-sweeps 10   90 days, and 10 whatever their age

A sweep stays when one of the rules keeps it. One that runs stays always; one that 'netfleet run
--resume' can go on with stays unless --unfinished is given. Others may read and run sweeps
meanwhile.)";

}  // namespace

void add_prune(CLI::App& prune, PruneOptions& options) {
  prune.footer(kExamples);
  add_value(prune, "--keep-sweeps", "N", "Keep the newest N sweeps", Times::kOnce,
            take_count(options.keep_sweeps));
  add_value(prune, "--keep-days", "N", "Keep the sweeps of the last N days", Times::kOnce,
            take_count(options.keep_days));
  prune.add_flag("--unfinished", options.unfinished,
                 "Remove also what never ended, unless somebody works at it");
  prune.add_flag("--dry-run", options.dry_run, "Only say what would be removed");
  prune.add_flag("--compact", options.compact,
                 "Then give unused room back to the disk: takes as much again for the time");
  add_text(prune, "--store", "FILE", "Where results are kept (default: your state directory)",
           options.store);
}

Expected<void> settle_prune(const PruneOptions& options) {
  if (!options.keep_sweeps && !options.keep_days) {
    return fail("nothing says what stays: give --keep-sweeps N, --keep-days N or both");
  }
  if (options.dry_run && options.compact) return fail("--dry-run and --compact exclude each other");
  return {};
}

}  // namespace netfleet

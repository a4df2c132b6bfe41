#include "dispatcher/cli/diff_verb.h"

#include <fmt/format.h>
#include <unistd.h>

#include <optional>
#include <utility>

#include "common/standard_streams.h"
#include "dispatcher/cli/verbs.h"
#include "dispatcher/history/compare.h"
#include "dispatcher/output/visible.h"

namespace netfleet {
namespace {

constexpr int kExitSame = 0;
constexpr int kExitDifferent = 1;
constexpr int kExitTrouble = 2;

constexpr std::size_t kWriteAt = 64u << 10;    // bytes gathered before they are written
constexpr std::size_t kSweepsSearched = 1000;  // for the last one that has ended

int say_error(const Error& error) {
  print_error("netfleet: " + error.message + "\n");
  return kExitTrouble;
}

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

// Prints one host after another.
class Printer {
 public:
  Printer(const TwoSweeps& sweeps, bool to_terminal) : sweeps_(sweeps), to_terminal_(to_terminal) {}

  bool visit(const HostComparison& found) {
    for (const std::string& line : found.not_compared) {
      out_ += fmt::format("Not compared: {}: {}\n", one_line(found.host), one_line(line));
    }
    for (const HostComparison::Changed& changed : found.changed) {
      for (const auto& [mark, sweep] :
           {std::pair("---", &sweeps_.before), std::pair("+++", &sweeps_.after)}) {
        out_ += fmt::format("{} {} {} {}\n", mark, one_line(found.host), sweep->id,
                            one_line(changed.command));
      }
      if (to_terminal_) {
        append_visible(out_, changed.hunks);
      } else {
        out_ += changed.hunks;
      }
    }
    not_compared_ += found.not_compared.empty() ? 0 : 1;
    changed_ += found.changed.empty() ? 0 : 1;
    return out_.size() < kWriteAt || flush();
  }

  int end(std::size_t hosts) {
    if (open_ && !error_) flush();
    if (error_) return say_error(*error_);
    print_error(fmt::format(
        "{} to {}: {} of {} hosts differ{}\n", sweeps_.before.id, sweeps_.after.id, changed_, hosts,
        not_compared_ == 0 ? std::string()
                           : fmt::format(", {} not or not wholly compared", not_compared_)));
    return changed_ + not_compared_ == 0 ? kExitSame : kExitDifferent;
  }

 private:
  bool flush() {
    const auto written = print_output(out_);
    out_.clear();
    if (!written) error_ = written.error();
    return open_ = written.value_or(false);
  }

  const TwoSweeps& sweeps_;
  bool to_terminal_;
  std::string out_;
  std::size_t changed_ = 0;       // hosts
  std::size_t not_compared_ = 0;  // hosts
  bool open_ = true;
  std::optional<Error> error_;
};

}  // namespace

int diff_verb(const DiffOptions& given, const WorkerSide& worker_side) {
  DiffOptions options = given;
  if (options.after.empty()) std::swap(options.before, options.after);
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
  Printer printer(*sweeps, isatty(STDOUT_FILENO) != 0);
  const auto hosts =
      compare_sweeps(*store, sweeps->before, sweeps->after, compare,
                     [&](const HostComparison& found) { return printer.visit(found); });
  if (!hosts) return say_error(hosts.error());
  return printer.end(*hosts);
}

}  // namespace netfleet

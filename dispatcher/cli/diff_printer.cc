#include "dispatcher/cli/diff_printer.h"

#include <fmt/format.h>

#include <utility>

#include "common/standard_streams.h"
#include "dispatcher/cli/server.h"
#include "dispatcher/cli/verbs.h"
#include "dispatcher/history/compare_lines.h"
#include "dispatcher/output/visible.h"

namespace netfleet {
namespace {

constexpr int kExitDifferent = 1;

constexpr std::size_t kWriteAt = 64u << 10;  // bytes gathered before they are written

}  // namespace

void DiffPrinter::set_sweeps(std::string before, std::string after) {
  before_ = std::move(before);
  after_ = std::move(after);
}

bool DiffPrinter::visit(const HostComparison& found) {
  if (jsonl_) {
    out_ += json_line_of(found);
  } else {
    add_text(found);
  }
  not_compared_ += found.not_compared.empty() ? 0 : 1;
  changed_ += found.changed.empty() ? 0 : 1;
  return out_.size() < kWriteAt || flush();
}

void DiffPrinter::add_text(const HostComparison& found) {
  for (const std::string& line : found.not_compared) {
    out_ += fmt::format("Not compared: {}: {}\n", one_line(found.host), one_line(line));
  }
  for (const HostComparison::Changed& changed : found.changed) {
    for (const auto& [mark, sweep] : {std::pair("---", &before_), std::pair("+++", &after_)}) {
      out_ += fmt::format("{} {} {} {}\n", mark, one_line(found.host), one_line(*sweep),
                          one_line(changed.command));
    }
    if (to_terminal_) {
      append_visible(out_, changed.hunks);
    } else {
      out_ += changed.hunks;
    }
  }
}

int DiffPrinter::end(std::size_t hosts) {
  if (jsonl_ && is_open()) {
    out_ += json_line_of(ComparisonTotals{.before = before_,
                                          .after = after_,
                                          .hosts = hosts,
                                          .changed = changed_,
                                          .not_compared = not_compared_});
  }
  if (is_open()) flush();
  if (error_) return say_error(*error_, kExitUsage);
  print_error(fmt::format(
      "{} to {}: {} of {} hosts differ{}\n", one_line(before_), one_line(after_), changed_, hosts,
      not_compared_ == 0 ? std::string()
                         : fmt::format(", {} not or not wholly compared", not_compared_)));
  return changed_ + not_compared_ == 0 ? kExitOk : kExitDifferent;
}

bool DiffPrinter::flush() {
  const auto written = print_output(out_);
  out_.clear();
  if (!written) error_ = written.error();
  return open_ = written.value_or(false);
}

}  // namespace netfleet

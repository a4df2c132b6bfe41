#include "dispatcher/output/renderer.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "dispatcher/output/formats.h"
#include "dispatcher/output/visible.h"

namespace netfleet {
namespace {

std::uint32_t count_of(const Summary& summary, Outcome outcome) {
  return summary.by_outcome[static_cast<std::size_t>(outcome)];
}

std::uint32_t finished(const Summary& summary) {
  return std::accumulate(summary.by_outcome.begin(), summary.by_outcome.end(), 0u);
}

}  // namespace

Expected<OutputFormat> output_format_from_name(std::string_view name) {
  if (name == "text") return OutputFormat::kText;
  if (name == "grouped") return OutputFormat::kGrouped;
  if (name == "jsonl") return OutputFormat::kJsonl;
  if (name == "csv") return OutputFormat::kCsv;
  if (name == "summary") return OutputFormat::kSummary;
  return fail(fmt::format(
      "unknown output format '{}': expected text, grouped, jsonl, csv or summary", name));
}

std::unique_ptr<Renderer> make_renderer(OutputFormat format, std::string sweep, bool to_terminal) {
  switch (format) {
    case OutputFormat::kText:
      return make_text_renderer(to_terminal);
    case OutputFormat::kGrouped:
    case OutputFormat::kGroupedDiff:
      return make_grouped_renderer(format == OutputFormat::kGroupedDiff, to_terminal);
    case OutputFormat::kCsv:
      return make_csv_renderer(sweep, to_terminal);
    case OutputFormat::kJsonl:
      return make_jsonl_renderer(std::move(sweep));
    case OutputFormat::kSummary:
      return make_summary_renderer();
    case OutputFormat::kDetectionTable:
      return make_detection_table();
    case OutputFormat::kDetectionJsonl:
      return make_detection_jsonl();
  }
  std::unreachable();
}

std::string seconds_text(Milliseconds duration) {
  return fmt::format("{:.2f}s", static_cast<double>(duration.count()) / 1000);
}

std::string totals_line(const Summary& summary) {
  std::string line = fmt::format("{} host{}:", summary.total, summary.total == 1 ? "" : "s");
  const char* separator = " ";
  for (int i = 0; i < kOutcomeCount; ++i) {
    const auto outcome = static_cast<Outcome>(i);
    const std::uint32_t count = count_of(summary, outcome);
    if (count == 0) continue;
    line += fmt::format("{}{} {}", separator, count, outcome_name(outcome));
    separator = ", ";
  }
  if (const std::uint32_t done = finished(summary); done < summary.total) {
    line += fmt::format("{}{} without a result", separator, summary.total - done);
    separator = ", ";
  }
  if (summary.total == 0) line += " nothing to do";
  if (!summary.elapsed) return line;
  return line + fmt::format(" in {:.1f} s", static_cast<double>(summary.elapsed->count()) / 1000);
}

std::string render_summary(const Summary& summary, const std::vector<FailedHost>& failed) {
  std::string text = totals_line(summary) + "\n";
  std::vector<const FailedHost*> sorted;
  for (const FailedHost& host : failed) sorted.push_back(&host);
  std::ranges::sort(sorted, {}, [](const FailedHost* host) {
    return std::pair(host->outcome, host);  // within an outcome in the order of `failed`
  });
  if (sorted.size() > kFailedHostsShown) sorted.resize(kFailedHostsShown);
  for (const FailedHost* host : sorted) {
    const char* colon = host->error.empty() ? "" : ": ";
    text += fmt::format("  {} {}{}{}\n", outcome_name(host->outcome), one_line(host->host), colon,
                        one_line(host->error));
  }
  const std::size_t all = finished(summary) - count_of(summary, Outcome::kOk);
  if (all > sorted.size()) {
    text += fmt::format("  … and {} more; see: netfleet results {}\n", all - sorted.size(),
                        summary.sweep);
  }
  return text;
}

}  // namespace netfleet

#include "dispatcher/output/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace netfleet {
namespace {

// "45s", "2m05s", "1h02m"
std::string short_duration(std::int64_t seconds) {
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  return fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
}

}  // namespace

void Progress::count(Outcome outcome) {
  ++done_;
  counts_.count(outcome);
}

void Progress::set(const std::array<std::uint32_t, kOutcomeCount>& by_outcome) {
  counts_.by_outcome = by_outcome;
  done_ = std::accumulate(by_outcome.begin(), by_outcome.end(), std::uint32_t{0});
}

std::string Progress::line(TimePoint now, std::uint32_t running, int columns) const {
  std::vector<std::string> parts;  // the most important first: what does not fit is left out
  const std::uint64_t percent = total_ == 0 ? 100 : std::uint64_t{done_} * 100 / total_;
  parts.push_back(fmt::format("{}/{} {}%", done_, total_, percent));
  const double seconds = std::chrono::duration<double>(now - start_).count();
  if (done_ > 0 && seconds > 0) {
    const double rate = done_ / seconds;
    parts.push_back(rate < 10 ? fmt::format("{:.1f}/s", rate) : fmt::format("{:.0f}/s", rate));
    if (done_ < total_) {
      const auto left = static_cast<std::int64_t>((total_ - done_) / rate + 0.5);
      parts.push_back("ETA " + short_duration(left));
    }
  }
  if (running > 0) parts.push_back(fmt::format("{} running", running));
  for (int i = 0; i < kOutcomeCount; ++i) {
    const auto outcome = static_cast<Outcome>(i);
    const std::uint32_t count = counts_.by_outcome[static_cast<std::size_t>(i)];
    if (outcome == Outcome::kOk || count == 0) continue;
    parts.push_back(fmt::format("{} {}", count, outcome_name(outcome)));
  }
  const auto width = static_cast<std::size_t>(std::max(columns, 0));
  std::string line = parts[0].substr(0, width);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (line.size() + 2 + parts[i].size() > width) break;
    line.append("  ").append(parts[i]);
  }
  return line;
}

}  // namespace netfleet

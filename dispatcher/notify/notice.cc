#include "dispatcher/notify/notice.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <numeric>

#include "dispatcher/output/visible.h"

namespace netfleet {
namespace {

constexpr std::size_t kHostsTold = 20;
constexpr std::size_t kMostOfAText = 200;  // characters of up to 6 bytes in JSON

std::string shortened(std::string_view text) {
  std::string line = one_line(text.substr(0, kMostOfAText));
  if (text.size() > kMostOfAText) line += "...";
  return line;
}

std::uint32_t failures_of(const Summary& summary) {
  std::uint32_t failures = 0;
  for (int i = 0; i < kOutcomeCount; ++i) {
    if (is_failure(static_cast<Outcome>(i))) {
      failures += summary.by_outcome[static_cast<std::size_t>(i)];
    }
  }
  return failures;
}

}  // namespace

Expected<FailureThreshold> FailureThreshold::parse(const std::string& text) {
  FailureThreshold threshold;
  const char* const end = text.data() + text.size();
  if (text.ends_with('%')) {
    const auto [rest, error] = std::from_chars(text.data(), end - 1, threshold.percent);
    if (error == std::errc() && rest == end - 1 && threshold.percent > 0 &&
        threshold.percent <= 100) {
      return threshold;
    }
  } else {
    const auto [rest, error] = std::from_chars(text.data(), end, threshold.count);
    if (error == std::errc() && rest == end && threshold.count > 0) return threshold;
  }
  return fail(fmt::format("'{}' is neither a number from 1 on nor a percentage up to 100%", text));
}

bool FailureThreshold::reached(std::uint32_t failures, std::uint32_t total) const {
  if (count > 0) return failures >= count;
  return failures > 0 && failures * 100.0 >= percent * total;
}

bool is_failure(Outcome outcome) {
  return outcome != Outcome::kOk && outcome != Outcome::kCancelled &&
         outcome != Outcome::kSkipped && outcome != Outcome::kDeferred;
}

std::string_view event_name(Notice::Event event) {
  return event == Notice::Event::kEnded ? "ended" : "failures";
}

std::string notice_json(const Notice& notice) {
  using Json = nlohmann::ordered_json;
  const Summary& summary = notice.summary;
  const std::uint32_t failures = failures_of(summary);
  Json outcomes = Json::object();
  for (int i = 0; i < kOutcomeCount; ++i) {
    const std::uint32_t count = summary.by_outcome[static_cast<std::size_t>(i)];
    if (count > 0) outcomes[std::string(outcome_name(static_cast<Outcome>(i)))] = count;
  }
  const auto done =
      std::accumulate(summary.by_outcome.begin(), summary.by_outcome.end(), std::uint32_t{0});
  Json object{{"event", event_name(notice.event)},
              {"text", fmt::format("netfleet sweep {} {}: {} of {} hosts failed", summary.sweep,
                                   notice.event == Notice::Event::kEnded ? "has ended" : "goes on",
                                   failures, summary.total)},
              {"sweep", summary.sweep},
              {"started_at", format_wall_time(notice.started_at)},
              {"hosts", summary.total},
              {"done", done},
              {"failed", failures},
              {"outcomes", std::move(outcomes)}};
  if (summary.elapsed) object["elapsed_ms"] = summary.elapsed->count();
  if (notice.exit_status) object["exit_status"] = *notice.exit_status;
  Json& failed = object["failed_hosts"] = Json::array();
  for (const FailedHost& host : notice.failed) {
    if (failed.size() == kHostsTold) break;
    failed.push_back({{"host", shortened(host.host)},
                      {"outcome", outcome_name(host.outcome)},
                      {"error", shortened(host.error)}});
  }
  return object.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace netfleet

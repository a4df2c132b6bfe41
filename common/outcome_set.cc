#include "common/outcome_set.h"

#include <fmt/format.h>

#include <algorithm>

namespace netfleet {
namespace {

constexpr std::string_view kFailed = "failed";

}  // namespace

Expected<OutcomeSet> parse_outcomes(std::string_view list) {
  OutcomeSet found;
  while (true) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view word = list.substr(0, comma);
    if (word == kFailed) {
      found.insert(kFailedOutcomes);
    } else if (const auto outcome = outcome_from_name(word)) {
      found.insert(*outcome);
    } else {
      std::string names(kFailed);
      for (int i = 0; i < kOutcomeCount; ++i) {
        names.append(", ").append(outcome_name(static_cast<Outcome>(i)));
      }
      return fail(fmt::format("'{}' is not one of {}", word, names));
    }
    if (comma == list.size()) return found;
    list.remove_prefix(comma + 1);
  }
}

std::string format_outcomes(OutcomeSet outcomes) {
  OutcomeSet all = outcomes;
  all.insert(kFailedOutcomes);
  const bool failed = all == outcomes;
  std::string text(failed ? kFailed : "");
  for (int i = 0; i < kOutcomeCount; ++i) {
    const auto outcome = static_cast<Outcome>(i);
    if (!outcomes.contains(outcome) || (failed && kFailedOutcomes.contains(outcome))) continue;
    text.append(text.empty() ? "" : ",").append(outcome_name(outcome));
  }
  return text;
}

}  // namespace netfleet

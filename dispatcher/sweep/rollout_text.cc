// A roll-out as people type it and as the store keeps it.
#include <fmt/format.h>

#include <charconv>

#include "common/duration.h"
#include "dispatcher/sweep/rollout.h"

namespace netfleet {
namespace {

// A decimal number in thousandths; nothing for what is none, is negative, or has more digits.
std::optional<std::uint64_t> thousandths(std::string_view text) {
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  std::string_view part = text.substr(point);
  if (!part.empty()) part.remove_prefix(1);
  if (whole.empty() || whole.size() > 7 || part.size() > 3 || (point < text.size() && part.empty()))
    return std::nullopt;
  std::string digits(whole);
  digits.append(part).append(3 - part.size(), '0');
  if (digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  std::uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

std::string format_thousandths(std::uint32_t number) {
  std::string text = fmt::format("{}.{:03}", number / 1000, number % 1000);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

Expected<void> take(RolloutSpec& spec, std::string_view key, std::string_view value) {
  const auto share = [&](std::optional<Share>& target, std::uint32_t least) -> Expected<void> {
    const auto parsed = parse_share(value, least);
    if (!parsed) return std::unexpected(parsed.error());
    target = *parsed;
    return {};
  };
  if (key == "batch") return share(spec.batch, 1);
  if (key == "max-failures") return share(spec.max_failures, 0);
  if (key == "on-max-failures" && value == "ask") {
    spec.ask = true;
    return {};
  }
  if (key == "canary") {
    const auto parsed = parse_share(value, 1);
    if (!parsed || parsed->percent) return fail("no number of hosts");
    spec.canary = parsed->number;
    return {};
  }
  if (key == "growth") {
    const auto parsed = parse_growth(value);
    if (!parsed) return std::unexpected(parsed.error());
    spec.growth = *parsed;
    return {};
  }
  if (key == "pause") {
    const auto parsed = parse_duration(value);
    if (!parsed) return std::unexpected(parsed.error());
    spec.pause = *parsed;
    return {};
  }
  if (key == "counts") {
    const auto parsed = parse_outcomes(value);
    if (!parsed) return std::unexpected(parsed.error());
    spec.counts = *parsed;
    return {};
  }
  return fail("unknown");
}

}  // namespace

Expected<Share> parse_share(std::string_view text, std::uint32_t least) {
  constexpr std::uint64_t kWhole = 100'000, kMost = 100'000'000;
  const bool percent = text.ends_with('%');
  const auto number = thousandths(text.substr(0, text.size() - (percent ? 1 : 0)));
  const bool whole = percent || (number && *number % 1000 == 0 && !text.contains('.'));
  const std::uint64_t value = number.value_or(0) / (percent ? 1 : 1000);
  if (!number || !whole || value < least || value > (percent ? kWhole : kMost)) {
    return fail(
        fmt::format("'{}' is no share: expected hosts from {} on, or a percentage, as in "
                    "20 or 10%",
                    text, least));
  }
  return Share{static_cast<std::uint32_t>(value), percent};
}

std::string format_share(Share share) {
  return share.percent ? format_thousandths(share.number) + "%" : std::to_string(share.number);
}

Expected<std::uint32_t> parse_growth(std::string_view text) {
  const auto number = thousandths(text);
  if (!number || *number < 1000 || *number > 1'000'000) {
    return fail(fmt::format("'{}' is no number from 1 to 1000, as in 2 or 1.5", text));
  }
  return static_cast<std::uint32_t>(*number);
}

std::string format_rollout(const RolloutSpec& spec) {
  std::string text;
  const auto add = [&text](std::string_view key, const std::string& value) {
    text.append(text.empty() ? "" : " ").append(key).append(1, '=').append(value);
  };
  if (spec.canary > 0) add("canary", std::to_string(spec.canary));
  if (spec.batch) add("batch", format_share(*spec.batch));
  if (spec.growth != 1000) add("growth", format_thousandths(spec.growth));
  if (spec.pause > Milliseconds(0)) add("pause", fmt::format("{}ms", spec.pause.count()));
  if (spec.max_failures) add("max-failures", format_share(*spec.max_failures));
  if (spec.ask) add("on-max-failures", "ask");
  if (spec.counts != kFailedOutcomes) add("counts", format_outcomes(spec.counts));
  return text;
}

Expected<RolloutSpec> parse_rollout(std::string_view text) {
  RolloutSpec spec;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t equals = std::min(word.find('='), word.size() - 1);
    if (auto taken = take(spec, word.substr(0, equals), word.substr(equals + 1)); !taken) {
      return fail(fmt::format("'{}' in a roll-out: {}", word, taken.error().message));
    }
  }
  return spec;
}

}  // namespace netfleet

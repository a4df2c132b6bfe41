#include "common/duration.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "common/problems.h"

namespace netfleet {

Expected<Milliseconds> parse_duration(std::string_view text) {
  double number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  double scale = 0;
  if (unit == "ms") {
    scale = 1;
  } else if (unit == "s" || unit.empty()) {
    scale = 1000;
  } else if (unit == "m" || unit == "min") {
    scale = 60'000;
  } else if (unit == "h") {
    scale = 3'600'000;
  }
  const double millis = number * scale;
  constexpr double kYear = 365.0 * 24 * 3'600'000;
  if (code != std::errc() || scale == 0 || !std::isfinite(millis) || millis < 0 || millis > kYear) {
    return fail(
        fmt::format("'{}' is no duration: expected a number and ms, s, m or h, as in 500ms, "
                    "10s, 2m",
                    shown(text)));
  }
  return Milliseconds(std::llround(millis));
}

std::string format_duration(Milliseconds duration) {
  const auto ms = duration.count();
  if (ms != 0 && ms % 3'600'000 == 0) return fmt::format("{}h", ms / 3'600'000);
  if (ms != 0 && ms % 60'000 == 0) return fmt::format("{}m", ms / 60'000);
  if (ms % 1000 == 0) return fmt::format("{}s", ms / 1000);
  if (ms < 1000) return fmt::format("{}ms", ms);
  return fmt::format("{}s", static_cast<double>(ms) / 1000);
}

}  // namespace netfleet

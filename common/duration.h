// common: durations as people type them.
#pragma once

#include <string>
#include <string_view>

#include "common/clock.h"
#include "common/error.h"

namespace netfleet {

// "500ms", "10s", "2m", "1h"; a bare number is seconds; fractions ("1.5s") are taken. Up to 365
// days, never negative. The error says what was expected.
Expected<Milliseconds> parse_duration(std::string_view text);

// The shortest exact form: "500ms", "10s", "2m", "1.5s".
std::string format_duration(Milliseconds duration);

}  // namespace netfleet

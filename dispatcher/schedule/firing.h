// dispatcher/schedule: when a cron expression fires in a time zone, and when a window is open.
// Pure: the zones' rules are read from the system's database, everything else is passed in.
#pragma once

#include <date/tz.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "dispatcher/schedule/cron.h"

namespace netfleet {

using Instant = date::sys_seconds;

// An IANA name ("Europe/Berlin"), or "UTC". The zone lives as long as the process.
Expected<const date::time_zone*> find_zone(const std::string& name);

// The first firing after `after`. A time of the day that is skipped when clocks go forward fires as
// soon as it is over; one that comes twice when they go back fires the first time only. What fires
// every so often follows the clock on the wall: again in the repeated hour, not in the skipped one.
Instant next_firing(const CronExpression& cron, const date::time_zone& zone, Instant after);

// A time that comes again and again: it opens when `opens` fires and stays open for `lasts`.
struct Window {
  CronExpression opens;
  const date::time_zone* zone;
  std::chrono::seconds lasts;  // from a minute to a week
};
// When the last of the windows that are open at `now` closes; `now` when none is open.
Instant closed_until(const std::vector<Window>& windows, Instant now);

// When the next of the windows opens after `now`; nothing without windows.
std::optional<Instant> next_opening(const std::vector<Window>& windows, Instant now);

// The same part of `span` for the same key, always: a device's turn within its splay, a firing's
// jitter. Evenly spread over the keys.
Milliseconds stable_part(std::string_view key, Milliseconds span);

}  // namespace netfleet

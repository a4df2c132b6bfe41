#include "dispatcher/schedule/firing.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "common/problems.h"

namespace netfleet {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

using LocalSeconds = date::local_seconds;

// By the label on the clock, within one offset from UTC after the other.
Instant next_label(const CronExpression& cron, const date::time_zone& zone, Instant after) {
  for (;;) {
    const date::sys_info rules = zone.get_info(after);
    const LocalSeconds label{after.time_since_epoch() + rules.offset};
    const LocalMinutes next = cron.next(date::floor<minutes>(label));
    const Instant firing{next.time_since_epoch() - rules.offset};
    if (firing < rules.end) return firing;
    // From the first label that comes with the next offset on.
    const date::sys_info later = zone.get_info(rules.end);
    const LocalSeconds first{rules.end.time_since_epoch() + later.offset};
    const LocalMinutes candidate = cron.next(date::floor<minutes>(first - seconds(1)));
    const Instant at{candidate.time_since_epoch() - later.offset};
    if (at < later.end) return at;
    after = rules.end;
  }
}

Instant next_time_of_day(const CronExpression& cron, const date::time_zone& zone, Instant after) {
  LocalMinutes label = date::floor<minutes>(zone.to_local(after));
  for (;;) {
    label = cron.next(label);
    const date::local_info rules = zone.get_info(LocalSeconds(label));
    Instant firing{label.time_since_epoch() - rules.first.offset};
    if (rules.result == date::local_info::nonexistent) firing = rules.first.end;
    if (firing > after) return firing;
  }
}

}  // namespace

Expected<const date::time_zone*> find_zone(const std::string& name) {
  try {
    return date::locate_zone(name);
  } catch (const std::exception&) {
    return fail(fmt::format("\"{}\" is no time zone of this machine; as an example: Europe/Berlin",
                            shown(name)));
  }
}

Instant next_firing(const CronExpression& cron, const date::time_zone& zone, Instant after) {
  return cron.every_so_often() ? next_label(cron, zone, after)
                               : next_time_of_day(cron, zone, after);
}

Instant closed_until(const std::vector<Window>& windows, Instant now) {
  Instant until = now;
  for (const Window& window : windows) {
    // Of the openings that could still be open now.
    Instant opening = next_firing(window.opens, *window.zone, now - window.lasts);
    while (opening <= now) {
      until = std::max(until, opening + window.lasts);
      opening = next_firing(window.opens, *window.zone, opening);
    }
  }
  return until;
}

std::optional<Instant> next_opening(const std::vector<Window>& windows, Instant now) {
  std::optional<Instant> next;
  for (const Window& window : windows) {
    const Instant opening = next_firing(window.opens, *window.zone, now);
    if (!next || opening < *next) next = opening;
  }
  return next;
}

Milliseconds stable_part(std::string_view key, Milliseconds span) {
  if (span <= Milliseconds(0)) return Milliseconds(0);
  // FNV-1a, and the last mixing steps of SplitMix64, since FNV's upper bits are weak.
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
  hash ^= hash >> 31;
  return Milliseconds(static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(span.count())));
}

}  // namespace netfleet

// dispatcher/schedule: cron expressions, in local time without a zone. Zones, daylight-saving and
// what is done with a firing are its neighbours' (firing.h, agenda.h). Pure.
#pragma once

#include <date/date.h>

#include <bitset>
#include <optional>
#include <string_view>

#include "common/error.h"

namespace netfleet {

using LocalMinutes = date::local_time<std::chrono::minutes>;

// Five fields (minute, hour, day of month, month, day of week) as crontab(5) has them: `*`,
// numbers, names of months and days, ranges, lists, steps; 0 and 7 are Sunday; with both day
// fields given, one of them is enough. Or @hourly, @daily, @midnight, @weekly, @monthly, @yearly,
// @annually.
class CronExpression {
 public:
  // The error says which field, and what is wrong there. What could never fire (30 February) is
  // one, too.
  static Expected<CronExpression> parse(std::string_view text);

  // The first matching minute after `after`.
  LocalMinutes next(LocalMinutes after) const;
  // The hour field is `*` or `*/n`: it means an interval, not a time of the day.
  bool every_so_often() const { return every_so_often_; }

 private:
  bool on_day(date::local_days day) const;
  std::optional<std::chrono::minutes> in_day_from(std::chrono::minutes time) const;

  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;      // of the month, from 1
  std::bitset<13> months_;    // from 1
  std::bitset<7> week_days_;  // from Sunday
  bool any_day_ = false;      // of the month
  bool any_week_day_ = false;
  bool every_so_often_ = false;
};

}  // namespace netfleet

#include "dispatcher/schedule/firing.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>

namespace netfleet {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

Instant utc(const std::string& text) {
  std::istringstream in(text);
  Instant time;
  in >> date::parse("%F %H:%M", time);
  EXPECT_FALSE(in.fail()) << text;
  return time;
}

CronExpression cron(const std::string& text) { return CronExpression::parse(text).value(); }

std::string next(const std::string& expression, const std::string& zone, Instant after) {
  return date::format("%F %H:%M", next_firing(cron(expression), *find_zone(zone).value(), after));
}

// Berlin: 2026-03-29 01:00Z from +1 to +2, 2026-10-25 01:00Z from +2 to +1.
TEST(Firing, FiresAfterTheHourThatIsSkipped) {
  EXPECT_EQ(next("30 2 * * *", "Europe/Berlin", utc("2026-03-28 12:00")), "2026-03-29 01:00");
  EXPECT_EQ(next("30 2 * * *", "Europe/Berlin", utc("2026-03-29 01:00")), "2026-03-30 00:30");
}

TEST(Firing, FiresOnceInTheHourThatComesTwice) {
  EXPECT_EQ(next("30 2 * * *", "Europe/Berlin", utc("2026-10-24 12:00")), "2026-10-25 00:30");
  EXPECT_EQ(next("30 2 * * *", "Europe/Berlin", utc("2026-10-25 00:30")), "2026-10-26 01:30");
}

TEST(Firing, WhatFiresEverySoOftenFollowsTheClockOnTheWall) {
  EXPECT_EQ(next("30 * * * *", "Europe/Berlin", utc("2026-10-25 00:30")), "2026-10-25 01:30");
  EXPECT_EQ(next("30 * * * *", "Europe/Berlin", utc("2026-10-25 01:30")), "2026-10-25 02:30");
  EXPECT_EQ(next("30 * * * *", "Europe/Berlin", utc("2026-03-29 00:30")), "2026-03-29 01:30");
  EXPECT_EQ(next("0 */2 * * *", "Europe/Berlin", utc("2026-03-29 00:00")), "2026-03-29 02:00");
}

TEST(Firing, RefusesAnUnknownZone) {
  const auto zone = find_zone("Europe/Nowhere");
  ASSERT_FALSE(zone);
  EXPECT_EQ(zone.error().message,
            "\"Europe/Nowhere\" is no time zone of this machine; as an example: Europe/Berlin");
  EXPECT_FALSE(find_zone(""));
  EXPECT_FALSE(find_zone("../../etc/passwd"));
}

TEST(Window, IsClosedUntilTheLastOneOpens) {
  const date::time_zone* const berlin = find_zone("Europe/Berlin").value();
  const std::vector<Window> windows = {{cron("0 8 * * mon-fri"), berlin, hours(10)},
                                       {cron("0 17 * * fri"), berlin, hours(2)}};
  EXPECT_EQ(closed_until(windows, utc("2026-11-25 06:59")), utc("2026-11-25 06:59"));
  EXPECT_EQ(closed_until(windows, utc("2026-11-25 07:00")), utc("2026-11-25 17:00"));
  EXPECT_EQ(closed_until(windows, utc("2026-11-25 16:59")), utc("2026-11-25 17:00"));
  EXPECT_EQ(closed_until(windows, utc("2026-11-25 17:00")), utc("2026-11-25 17:00"));
  EXPECT_EQ(closed_until(windows, utc("2026-11-27 16:30")), utc("2026-11-27 18:00"));
  EXPECT_EQ(closed_until(windows, utc("2026-11-28 12:00")), utc("2026-11-28 12:00"));
}

TEST(StablePart, IsTheSameForAKeyAndSpreadOverKeys) {
  const Milliseconds span = minutes(10);
  std::array<int, 10> tenths{};
  for (int i = 0; i < 10'000; ++i) {
    const std::string key = "device-" + std::to_string(i);
    const Milliseconds part = stable_part(key, span);
    ASSERT_EQ(part, stable_part(key, span));
    ASSERT_GE(part, Milliseconds(0));
    ASSERT_LT(part, span);
    ++tenths[static_cast<std::size_t>(part / minutes(1))];
  }
  for (const int count : tenths) EXPECT_NEAR(count, 1000, 150);
  EXPECT_EQ(stable_part("device-1", Milliseconds(0)), Milliseconds(0));
}

}  // namespace
}  // namespace netfleet

#include "dispatcher/schedule/cron.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

namespace netfleet {
namespace {

LocalMinutes at(const std::string& text) {
  std::istringstream in(text);
  LocalMinutes time;
  in >> date::parse("%F %H:%M", time);
  EXPECT_FALSE(in.fail()) << text;
  return time;
}

std::string next(const std::string& expression, const std::string& after) {
  const Expected<CronExpression> cron = CronExpression::parse(expression);
  if (!cron) return cron.error().message;
  return date::format("%F %H:%M", cron->next(at(after)));
}

std::string error_of(const std::string& expression) {
  const Expected<CronExpression> cron = CronExpression::parse(expression);
  return cron ? "no error" : cron.error().message;
}

TEST(Cron, FindsTheNextMinute) {
  EXPECT_EQ(next("* * * * *", "2026-11-25 23:59"), "2026-11-26 00:00");
  EXPECT_EQ(next("30 2 * * *", "2026-11-25 02:29"), "2026-11-25 02:30");
  EXPECT_EQ(next("30 2 * * *", "2026-11-25 02:30"), "2026-11-26 02:30");
  EXPECT_EQ(next("0 0 29 2 *", "2026-01-01 00:00"), "2028-02-29 00:00");
  EXPECT_EQ(next("0 0 29 2 *", "2096-03-01 00:00"), "2104-02-29 00:00");
  EXPECT_EQ(next("10-30/10,55 4 * * *", "2026-11-25 04:30"), "2026-11-25 04:55");
  EXPECT_EQ(next("@hourly", "2026-11-25 04:30"), "2026-11-25 05:00");
  EXPECT_EQ(next("@weekly", "2026-11-25 04:30"), "2026-11-29 00:00");
  EXPECT_EQ(next("0 9 * JAN Mon", "2026-11-25 04:30"), "2027-01-04 09:00");
}

TEST(Cron, OneOfTwoDayFieldsIsEnough) {
  EXPECT_EQ(next("0 0 13 * 5", "2026-11-25 00:00"), "2026-11-27 00:00");  // a Friday
  EXPECT_EQ(next("0 0 13 * 5", "2026-12-11 00:00"), "2026-12-13 00:00");  // a Sunday, the 13th
  EXPECT_EQ(next("0 0 30 2 5", "2026-02-01 00:00"), "2026-02-06 00:00");
  EXPECT_EQ(next("0 0 * * 7", "2026-11-25 00:00"), next("0 0 * * 0", "2026-11-25 00:00"));
}

TEST(Cron, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(error_of("* * * *"),
            "\"* * * *\" has 4 fields; five are needed: minute, hour, day of month, month, day of "
            "week");
  EXPECT_EQ(error_of("60 * * * *"), "minute field: \"60\" is not in 0 to 59");
  EXPECT_EQ(error_of("* 1-x * * *"), "hour field: \"x\" is no number");
  EXPECT_EQ(error_of("* * 0 * *"), "day of month field: \"0\" is not in 1 to 31");
  EXPECT_EQ(error_of("* * * foo *"), "month field: \"foo\" is neither number nor name");
  EXPECT_EQ(error_of("* * * * 5-2"), "day of week field: \"5-2\" ends before it begins");
  EXPECT_EQ(error_of("*/0 * * * *"), "minute field: \"*/0\" has a step that is no positive number");
  EXPECT_EQ(error_of("5/10 * * * *"), "minute field: \"5/10\" has a step but no range");
  EXPECT_EQ(error_of("1,,2 * * * *"), "minute field: \"1,,2\" has an empty item");
  EXPECT_EQ(error_of("0 0 30 2 *"),
            "\"0 0 30 2 *\" never fires: none of its months has such a day");
  EXPECT_EQ(error_of("0 0 31 4,6 *"),
            "\"0 0 31 4,6 *\" never fires: none of its months has such a day");
  EXPECT_EQ(error_of("@often"),
            "\"@often\" is none of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, "
            "@annually");
  EXPECT_EQ(error_of("99999999999 * * * *"), "minute field: \"99999999999\" is no number");
  EXPECT_EQ(error_of(""),
            "\"\" has 0 fields; five are needed: minute, hour, day of month, month, "
            "day of week");
}

}  // namespace
}  // namespace netfleet

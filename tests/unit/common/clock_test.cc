#include "common/clock.h"

#include <gtest/gtest.h>

namespace netfleet {
namespace {

TEST(Clock, PrintsWallTimeAsRfc3339) {
  EXPECT_EQ(format_wall_time(WallTime(Milliseconds(1'795'374'948'123))),
            "2026-11-22T19:15:48.123Z");
  EXPECT_EQ(format_wall_time(WallTime(Milliseconds(0))), "1970-01-01T00:00:00.000Z");
}

TEST(Clock, SeedsDiffer) { EXPECT_NE(random_seed(), random_seed()); }

TEST(ParseWallTime, ReadsWhatIsWritten) {
  for (const std::int64_t milliseconds : {0ll, 1'795'374'948'123ll, 4'102'444'799'999ll}) {
    const WallTime time{Milliseconds(milliseconds)};
    EXPECT_EQ(parse_wall_time(format_wall_time(time)), time);
  }
  for (const char* other :
       {"", "2026-11-22", "2026-11-22T19:15:48Z", "2026-11-22T19:15:48.123+00:00",
        "2026-11-22 19:15:48.123Z", "2026-13-22T19:15:48.123Z", "2026-02-29T19:15:48.123Z",
        "2026-11-22T24:15:48.123Z", "2026-11-22T19:60:48.123Z", "2026-11-22T19:15:61.123Z",
        "2026-11-22T19:15:4x.123Z", "2026-11-22T19:15:48.123Zx", "-026-11-22T19:15:48.123Z"}) {
    EXPECT_EQ(parse_wall_time(other), std::nullopt) << other;
  }
}

}  // namespace
}  // namespace netfleet

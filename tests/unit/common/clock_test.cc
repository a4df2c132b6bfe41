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

}  // namespace
}  // namespace netfleet

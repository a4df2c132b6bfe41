#include "common/duration.h"

#include <gtest/gtest.h>

namespace netfleet {
namespace {

TEST(Duration, ReadsUnitsAndBareSeconds) {
  EXPECT_EQ(parse_duration("500ms"), Milliseconds(500));
  EXPECT_EQ(parse_duration("10s"), Milliseconds(10'000));
  EXPECT_EQ(parse_duration("2m"), Milliseconds(120'000));
  EXPECT_EQ(parse_duration("1h"), Milliseconds(3'600'000));
  EXPECT_EQ(parse_duration("1.5s"), Milliseconds(1500));
  EXPECT_EQ(parse_duration("7"), Milliseconds(7000));
}

TEST(Duration, RefusesWhatIsNone) {
  for (const char* text :
       {"", "s", "ten", "-1s", "10x", "1e300h", "inf", "nan", "10 s", "400000h"}) {
    const auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().message.find("10s"), std::string::npos);
  }
}

TEST(Duration, PrintsTheShortestExactForm) {
  for (const char* text : {"500ms", "10s", "2m", "1h", "1.5s", "0s", "90s"}) {
    EXPECT_EQ(format_duration(*parse_duration(text)), text);
  }
}

}  // namespace
}  // namespace netfleet

#include "common/outcome_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace netfleet {
namespace {

TEST(OutcomeSet, IsReadAndWritten) {
  EXPECT_EQ(*parse_outcomes("lost,ok"), (OutcomeSet{Outcome::kOk, Outcome::kLost}));
  EXPECT_EQ(*parse_outcomes("failed"), kFailedOutcomes);
  for (const char* text : {"failed", "ok,failed", "failed,skipped", "ok,lost", "timed_out"}) {
    const auto parsed = parse_outcomes(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parse_outcomes(format_outcomes(*parsed)), *parsed) << text;
  }
  EXPECT_EQ(format_outcomes(*parse_outcomes("skipped,failed,lost")), "failed,skipped");
}

TEST(OutcomeSet, FailedIsWhatWasTriedInVain) {
  for (const Outcome outcome :
       {Outcome::kOk, Outcome::kCancelled, Outcome::kSkipped, Outcome::kDeferred}) {
    EXPECT_FALSE(kFailedOutcomes.contains(outcome)) << outcome_name(outcome);
  }
  int failed = 0;
  for (int i = 0; i < kOutcomeCount; ++i) failed += kFailedOutcomes.contains(Outcome(i)) ? 1 : 0;
  EXPECT_EQ(failed, kOutcomeCount - 4);
}

TEST(OutcomeSet, AWordThatIsNoneIsNamed) {
  for (const char* text : {"", "Failed", "lost,", ",", "lost,,ok", "lost ok"}) {
    const auto parsed = parse_outcomes(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().message, ::testing::HasSubstr("is not one of failed, ok, command"));
  }
}

}  // namespace
}  // namespace netfleet

#include "common/outcome.h"

#include <gtest/gtest.h>

namespace netfleet {
namespace {

TEST(Outcome, EveryNameReadsBack) {
  for (int i = 0; i < kOutcomeCount; ++i) {
    const auto outcome = static_cast<Outcome>(i);
    EXPECT_EQ(outcome_from_name(outcome_name(outcome)), outcome);
  }
  EXPECT_EQ(outcome_name(Outcome::kOk), "ok");
  EXPECT_EQ(outcome_name(Outcome::kInternal), "internal");
  EXPECT_FALSE(outcome_from_name("fine"));
}

TEST(Outcome, RetriesNeverRepeatACommandOrARefusedLogin) {
  EXPECT_TRUE(may_retry(Outcome::kUnreachable, false));
  EXPECT_TRUE(may_retry(Outcome::kJumpFailed, false));
  EXPECT_TRUE(may_retry(Outcome::kTimedOut, false));
  EXPECT_TRUE(may_retry(Outcome::kDisconnected, false));
  EXPECT_FALSE(may_retry(Outcome::kTimedOut, true));
  EXPECT_FALSE(may_retry(Outcome::kDisconnected, true));
  EXPECT_FALSE(may_retry(Outcome::kAuthFailed, false));
  EXPECT_FALSE(may_retry(Outcome::kHostKeyRejected, false));
  EXPECT_FALSE(may_retry(Outcome::kCommandFailed, true));
}

}  // namespace
}  // namespace netfleet

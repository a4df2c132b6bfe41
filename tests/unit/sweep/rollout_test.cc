#include "dispatcher/sweep/rollout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace netfleet {
namespace {

using std::chrono::minutes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr TimePoint kNow{std::chrono::seconds(1000)};

// The sizes of the batches when everything goes well.
std::vector<std::uint32_t> batches(const RolloutSpec& spec, std::uint32_t tasks) {
  Rollout rollout(spec, tasks);
  std::vector<std::uint32_t> sizes{rollout.released()};
  std::uint32_t done = 0;
  while (rollout.released() < tasks) {
    for (; done < rollout.released(); ++done) rollout.done(done);
    const Rollout::Step step = rollout.step(kNow);
    EXPECT_EQ(step.kind, Rollout::Step::Kind::kBatch);
    EXPECT_EQ(step.first, done);
    if (step.kind != Rollout::Step::Kind::kBatch) break;
    sizes.push_back(step.end - step.first);
  }
  return sizes;
}

RolloutSpec spec(const std::string& text) {
  auto parsed = parse_rollout(text);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
  return parsed.value_or(RolloutSpec{});
}

TEST(Rollout, BatchesCoverAllTasks) {
  EXPECT_THAT(batches(spec("canary=5"), 200), ElementsAre(5, 195));
  EXPECT_THAT(batches(spec("canary=5 batch=10%"), 50), ElementsAre(5, 5, 5, 5, 5, 5, 5, 5, 5, 5));
  EXPECT_THAT(batches(spec("batch=30"), 70), ElementsAre(30, 30, 10));
  EXPECT_THAT(batches(spec("canary=1 batch=2 growth=2"), 20), ElementsAre(1, 2, 4, 8, 5));
  EXPECT_THAT(batches(spec("batch=1 growth=1.5"), 12), ElementsAre(1, 2, 3, 5, 1));
  EXPECT_THAT(batches(spec("batch=1%"), 3), ElementsAre(1, 1, 1)) << "never none";
  EXPECT_THAT(batches(spec("canary=9"), 4), ElementsAre(4));
  EXPECT_THAT(batches(spec("max-failures=1"), 4), ElementsAre(4));
}

TEST(Rollout, TheNextBatchWaitsForAllOfTheLastAndThePause) {
  Rollout rollout(spec("batch=2 pause=60000ms"), 6);
  EXPECT_TRUE(rollout.may_start(1));
  EXPECT_FALSE(rollout.may_start(2));
  rollout.done(1);
  EXPECT_EQ(rollout.step(kNow).kind, Rollout::Step::Kind::kNone);
  EXPECT_EQ(rollout.next_deadline(), TimePoint::max());
  rollout.done(0);
  EXPECT_EQ(rollout.step(kNow).kind, Rollout::Step::Kind::kNone);
  EXPECT_EQ(rollout.next_deadline(), kNow + minutes(1));
  EXPECT_EQ(rollout.step(kNow + minutes(1) - Nanoseconds(1)).kind, Rollout::Step::Kind::kNone);
  const Rollout::Step step = rollout.step(kNow + minutes(1));
  EXPECT_EQ(step.kind, Rollout::Step::Kind::kBatch);
  EXPECT_EQ(step.why, "batch 2: hosts 3 to 4 of 6");
  EXPECT_TRUE(rollout.may_start(3));
  EXPECT_FALSE(rollout.may_start(4));
}

TEST(Rollout, AFailedCanaryIsTheEndUnlessItMayFail) {
  Rollout rollout(spec("canary=2"), 6);
  rollout.ended(0, Outcome::kOk);
  EXPECT_TRUE(rollout.may_start(1));
  rollout.ended(1, Outcome::kCommandFailed);
  EXPECT_FALSE(rollout.may_start(1)) << "at once";
  const Rollout::Step step = rollout.step(kNow);
  EXPECT_EQ(step.kind, Rollout::Step::Kind::kStop);
  EXPECT_EQ(step.why, "1 of the canary's 2 failed");
  EXPECT_EQ(rollout.step(kNow).kind, Rollout::Step::Kind::kNone) << "once";

  Rollout bold(spec("canary=2 max-failures=1"), 6);
  bold.ended(1, Outcome::kCommandFailed);
  EXPECT_TRUE(bold.may_start(1));
}

TEST(Rollout, LaterFailuresAreNotTheCanarys) {
  Rollout rollout(spec("canary=1"), 6);
  rollout.ended(0, Outcome::kOk);
  rollout.done(0);
  EXPECT_EQ(rollout.step(kNow).kind, Rollout::Step::Kind::kBatch);
  for (std::uint32_t index = 1; index < 5; ++index) rollout.ended(index, Outcome::kUnreachable);
  EXPECT_TRUE(rollout.may_start(5));
}

TEST(Rollout, APercentageIsOfTheWholeSweepAndRoundedDown) {
  Rollout rollout(spec("max-failures=2%"), 149);  // 2.98
  rollout.ended(0, Outcome::kTimedOut);
  rollout.ended(1, Outcome::kLost);
  EXPECT_TRUE(rollout.may_start(5));
  rollout.ended(2, Outcome::kAuthFailed);
  EXPECT_FALSE(rollout.may_start(5));
  EXPECT_EQ(rollout.step(kNow).why, "3 of 149 hosts failed, 2 are borne (--max-failures 2%)");
}

TEST(Rollout, OnlyWhatCountsCounts) {
  Rollout rollout(spec("max-failures=0 counts=command_failed,lost"), 9);
  for (const Outcome outcome : {Outcome::kUnreachable, Outcome::kOk, Outcome::kSkipped}) {
    rollout.ended(0, outcome);
  }
  EXPECT_TRUE(rollout.may_start(5));
  rollout.ended(1, Outcome::kLost);
  EXPECT_FALSE(rollout.may_start(5));
}

TEST(Rollout, WhoIsAskedMayGoOnAndIsAskedAgainAfterAsManyMore) {
  Rollout rollout(spec("max-failures=1 on-max-failures=ask"), 9);
  rollout.ended(0, Outcome::kLost);
  rollout.ended(1, Outcome::kLost);
  EXPECT_EQ(rollout.step(kNow).kind, Rollout::Step::Kind::kAsk);
  EXPECT_TRUE(rollout.asks());
  EXPECT_FALSE(rollout.may_start(5));
  rollout.go_on();
  EXPECT_TRUE(rollout.may_start(5));
  EXPECT_EQ(rollout.step(kNow).kind, Rollout::Step::Kind::kNone);
  rollout.ended(2, Outcome::kLost);
  EXPECT_TRUE(rollout.may_start(5));
  rollout.ended(3, Outcome::kLost);
  EXPECT_FALSE(rollout.may_start(5));
}

TEST(Rollout, GoesOnWhereItWas) {
  Rollout rollout(spec("batch=2 pause=60000ms"), 8);
  for (std::uint32_t index = 0; index < 4; ++index) {
    rollout.ended(index, Outcome::kOk);
    rollout.done(index);
  }
  rollout.begun(4);
  rollout.catch_up();
  EXPECT_EQ(rollout.released(), 6u) << "the third had begun";
  EXPECT_EQ(rollout.open(), 2u);
  EXPECT_TRUE(rollout.may_start(5));
  EXPECT_FALSE(rollout.may_start(6));
}

TEST(Rollout, DoneAheadOfItsBatchIsDone) {
  Rollout rollout(spec("batch=2"), 4);
  for (std::uint32_t index : {3, 0, 1}) rollout.done(index);
  EXPECT_EQ(rollout.step(kNow).kind, Rollout::Step::Kind::kBatch);
  EXPECT_EQ(rollout.open(), 1u);
}

TEST(RolloutText, IsReadBackAsItWas) {
  for (const char* text :
       {"", "canary=5", "batch=20", "batch=0.5% growth=1.25 pause=1500ms",
        "canary=5 batch=10% growth=2 pause=60000ms max-failures=2% on-max-failures=ask "
        "counts=ok,lost",
        "max-failures=0 counts=failed,skipped"}) {
    EXPECT_EQ(format_rollout(spec(text)), text);
    EXPECT_EQ(spec(text).brakes(), *text != '\0') << text;
  }
}

TEST(RolloutText, WhatIsWrongIsSaid) {
  for (const char* text :
       {"canary", "canary=", "canary=0", "canary=5%", "batch=0", "batch=101%", "batch=1.5",
        "batch=-1", "batch=1.2345%", "growth=0.5", "growth=2000", "pause=x", "counts=fine",
        "on-max-failures=run", "colour=red", " ", "="}) {
    const auto parsed = parse_rollout(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().message, HasSubstr("in a roll-out")) << text;
  }
}

TEST(RolloutText, Shares) {
  EXPECT_EQ(*parse_share("10%", 1), (Share{10'000, true}));
  EXPECT_EQ(*parse_share("0.5%", 1), (Share{500, true}));
  EXPECT_EQ(*parse_share("100%", 1), (Share{100'000, true}));
  EXPECT_EQ(*parse_share("20", 1), (Share{20, false}));
  EXPECT_EQ(*parse_share("0", 0), (Share{0, false}));
  for (const char* text : {"", "%", ".5%", "5.%", "1e3", "+5", "ten", "99999999999"}) {
    EXPECT_FALSE(parse_share(text, 0)) << text;
  }
}

}  // namespace
}  // namespace netfleet

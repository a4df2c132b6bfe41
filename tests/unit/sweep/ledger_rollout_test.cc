#include "tests/unit/sweep/ledger_fixture.h"

namespace netfleet {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class LedgerRolloutTest : public LedgerTest {
 protected:
  static SweepPlan plan(const std::string& rollout) {
    SweepPlan plan;
    plan.rollout = parse_rollout(rollout).value();
    return plan;
  }
  // From offer to result, stored.
  void run(const v1::Offer& offer, Outcome outcome) {
    claim(kAnna, offer, 20);
    EXPECT_EQ(result(kAnna, offer, outcome), Verdict::kFinal);
    ledger_->stored(key_of(offer.task()));
  }
  std::vector<v1::Offer> next_offers() {
    ledger_->tick(now_);
    ledger_->audit();
    return offers();
  }
};

TEST_F(LedgerRolloutTest, TheNextBatchIsOfferedWhenAllOfTheLastIsStored) {
  open(5, plan("canary=2 batch=2"));
  hello(kAnna, 20);
  const auto canary = next_offers();
  ASSERT_THAT(canary, SizeIs(2));
  run(canary[0], Outcome::kOk);
  claim(kAnna, canary[1], 20);
  result(kAnna, canary[1], Outcome::kOk);
  EXPECT_THAT(next_offers(), IsEmpty()) << "one is not stored yet";
  ledger_->stored({1, 1});
  const auto second = next_offers();
  ASSERT_THAT(second, SizeIs(2));
  EXPECT_EQ(key_of(second[0].task()).index, 2u);
  EXPECT_THAT(take_notes(Noted::What::kBatch), SizeIs(1));
  for (const auto& offer : second) run(offer, Outcome::kCommandFailed);
  run(next_offers().at(0), Outcome::kOk);
  EXPECT_TRUE(ledger_->finished(1));
}

TEST_F(LedgerRolloutTest, APauseIsKeptAndWokenFor) {
  open(2, plan("batch=1 pause=60000ms"));
  hello(kAnna, 20);
  run(next_offers().at(0), Outcome::kOk);
  EXPECT_THAT(next_offers(), IsEmpty());
  // Only the batch's deadline is of interest here: the worker is heard.
  for (int i = 0; i < 59; ++i) {
    now_ += seconds(1);
    heartbeat(kAnna, {});
    EXPECT_THAT(next_offers(), IsEmpty());
  }
  EXPECT_LE(ledger_->next_deadline(), now_ + seconds(1));
  now_ += seconds(1);
  hello(kAnna, 20);
  EXPECT_THAT(next_offers(), SizeIs(1));
}

TEST_F(LedgerRolloutTest, TooManyFailuresSkipTheRestAndLetRunWhatRuns) {
  open(20, plan("batch=4 max-failures=1"));
  hello(kAnna, 20);
  const auto first = next_offers();
  ASSERT_THAT(first, SizeIs(4));
  claim(kAnna, first[3], 20);
  run(first[0], Outcome::kCommandFailed);
  run(first[1], Outcome::kCommandFailed);
  ledger_->take_actions();
  claim(kAnna, first[2], 20);
  EXPECT_EQ(take_grants(), 0) << "not even before the next turn";
  ledger_->tick(now_);
  const auto ended = take_ended();
  ASSERT_THAT(ended, SizeIs(17));
  EXPECT_EQ(ended[0].outcome, Outcome::kSkipped);
  EXPECT_EQ(ended[0].error, "not started: 2 of 20 hosts failed, 1 is borne (--max-failures 1)");
  EXPECT_FALSE(ledger_->finished(1));
  EXPECT_EQ(result(kAnna, first[3], Outcome::kOk), Verdict::kFinal);
  ledger_->stored({1, 3});
  EXPECT_TRUE(ledger_->finished(1));
  ledger_->audit();
}

TEST_F(LedgerRolloutTest, NothingStartsBeforeTheAnswer) {
  open(4, plan("max-failures=0 on-max-failures=ask"));
  hello(kAnna, 1);
  const auto first = next_offers();
  ASSERT_THAT(first, SizeIs(1));
  claim(kAnna, first[0], 1);
  result(kAnna, first[0], Outcome::kCommandFailed);
  ledger_->stored({1, 0});
  heartbeat(kAnna, {});
  hello(kAnna, 20);
  EXPECT_THAT(next_offers(), IsEmpty());
  EXPECT_THAT(take_notes(Noted::What::kRolloutAsks), SizeIs(1));
  pass(minutes(5));
  hello(kAnna, 20);
  EXPECT_THAT(next_offers(), IsEmpty());
  ledger_->answer(1, true);
  EXPECT_THAT(next_offers(), SizeIs(3));
}

TEST_F(LedgerRolloutTest, NoIsTheEnd) {
  open(4, plan("max-failures=0 on-max-failures=ask"));
  ledger_->answer(1, false);  // nobody asked
  hello(kAnna, 1);
  run(next_offers().at(0), Outcome::kCommandFailed);
  ledger_->tick(now_);
  ledger_->take_actions();
  ledger_->answer(1, false);
  EXPECT_THAT(take_ended(), SizeIs(3));
  EXPECT_TRUE(ledger_->finished(1));
}

TEST_F(LedgerRolloutTest, ARetryOfWhatIsHeldWaitsForTheAnswer) {
  SweepPlan sweep = plan("max-failures=0 on-max-failures=ask");
  open(3, std::move(sweep));
  hello(kAnna, 2);
  const auto first = next_offers();
  ASSERT_THAT(first, SizeIs(2));
  claim(kAnna, first[0], 1);
  claim(kAnna, first[1], 0);
  EXPECT_EQ(result(kAnna, first[0], Outcome::kUnreachable, false), Verdict::kRetry);
  result(kAnna, first[1], Outcome::kCommandFailed);
  ledger_->stored({1, 1});
  for (int i = 0; i < 5; ++i) {
    pass(seconds(1));
    hello(kAnna, 5);
    EXPECT_THAT(next_offers(), IsEmpty());
  }
  ledger_->answer(1, true);
  EXPECT_THAT(next_offers(), SizeIs(2));
}

TEST_F(LedgerRolloutTest, GoesOnInTheBatchWhereItWas) {
  SweepPlan sweep = plan("batch=2 pause=60000ms max-failures=1");
  for (std::uint32_t index = 0; index < 2; ++index) {
    sweep.restored.push_back({.index = index, .owner = kAnna, .outcome = Outcome::kOk});
  }
  sweep.restored.push_back({.index = 2, .owner = kAnna, .outcome = Outcome::kTimedOut});
  open(8, std::move(sweep));
  hello(kBert, 20);
  const auto all = next_offers();
  ASSERT_THAT(all, SizeIs(1)) << "what is left of the second batch";
  EXPECT_EQ(key_of(all[0].task()).index, 3u);
  claim(kBert, all[0], 20);
  result(kBert, all[0], Outcome::kTimedOut);
  ledger_->stored({1, 3});
  ledger_->take_actions();
  ledger_->tick(now_);
  EXPECT_THAT(take_ended(), SizeIs(4)) << "failures of before count";
}

}  // namespace
}  // namespace netfleet

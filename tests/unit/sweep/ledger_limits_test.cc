#include "tests/unit/sweep/ledger_fixture.h"

namespace netfleet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class LedgerLimitsTest : public LedgerTest {
 protected:
  // A sweep whose tasks are all under the one limit.
  void open_limited(std::uint32_t tasks, const LimitSpec& limit) {
    ledger_.emplace(LedgerOptions{});
    add_limited(1, tasks, limit);
  }
  void add_limited(std::uint32_t number, std::uint32_t tasks, const LimitSpec& limit) {
    Limits& limits = ledger_->limits();
    const std::uint16_t set = limits.add_set({limits.add(limit)});
    SweepPlan plan;
    plan.tasks.assign(tasks, {ledger_->add_lane(""), 0, {set, 0}});
    add(number, tasks, plan);
  }
  void open_at_one_device(std::uint32_t sweeps) {
    ledger_.emplace(LedgerOptions{});
    for (std::uint32_t number = 1; number <= sweeps; ++number) {
      SweepPlan plan;
      plan.tasks.assign(1, {ledger_->add_lane(""), 0, {0, 7}});
      add(number, 1, plan);
    }
  }
};

TEST_F(LedgerLimitsTest, NoMoreSessionsAtOnceThanTheLimitSays) {
  open_limited(5, {.name = "edge", .sessions = 2});
  hello(kAnna, 5);
  const auto all = offers();
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_THAT(ledger_->limits_full(), SizeIs(1));
  claim(kAnna, all[0], 4);
  result(kAnna, all[0], Outcome::kOk);
  ledger_->tick(now_);
  EXPECT_THAT(offers(), SizeIs(1)) << "one session ended, one parked task is woken";
}

TEST_F(LedgerLimitsTest, LoginsComeAsABurstAndThenAtTheirRate) {
  open_limited(10, {.name = "edge", .logins_per_second = 2, .burst = 3});
  hello(kAnna, 10);
  std::vector<v1::Offer> all = offers();
  ASSERT_THAT(all, SizeIs(3));
  for (const v1::Offer& offer : all) claim(kAnna, offer, 7);
  EXPECT_LE(ledger_->next_deadline(), now_ + milliseconds(500));
  pass(milliseconds(499));
  EXPECT_THAT(offers(), IsEmpty());
  pass(milliseconds(1));
  EXPECT_THAT(offers(), SizeIs(1));
}

TEST_F(LedgerLimitsTest, AnOfferThatComesToNothingGivesItsLoginBack) {
  open_limited(1, {.name = "edge", .logins_per_second = 0.01, .burst = 1});
  hello(kAnna, 1);
  ASSERT_THAT(offers(), SizeIs(1));
  pass(milliseconds(1001));
  EXPECT_THAT(offers(), SizeIs(1)) << "100 s before the next login would be due";
}

TEST_F(LedgerLimitsTest, ALateClaimIsDeniedWhileTheLimitHasNoRoom) {
  open_limited(2, {.name = "edge", .sessions = 1});
  hello(kAnna, 2);
  const auto first = offers();
  ASSERT_THAT(first, SizeIs(1));
  pass(milliseconds(1001));
  const auto second = offers();
  ASSERT_THAT(second, SizeIs(1));
  const bool same = first[0].task().index() == second[0].task().index();
  ASSERT_FALSE(same) << "the parked one is woken first";
  ledger_->take_actions();
  claim(kAnna, first[0]);
  EXPECT_THAT(take_messages(v1::ToWorker::kDeny), SizeIs(1));
}

TEST_F(LedgerLimitsTest, TheNextTaskAtADeviceWaitsForTheLastOne) {
  open_at_one_device(2);
  hello(kAnna, 2);
  const auto first = offers();
  ASSERT_THAT(first, SizeIs(1));
  claim(kAnna, first[0], 1);
  EXPECT_THAT(offers(), IsEmpty());
  result(kAnna, first[0], Outcome::kOk);
  ledger_->tick(now_);
  EXPECT_THAT(offers(), SizeIs(1));
}

TEST_F(LedgerLimitsTest, AnAbandonedTaskHoldsItsDeviceUntilItsLeaseEnds) {
  open_at_one_device(2);
  hello(kAnna, 2);
  claim(kAnna, offers().at(0), 1);
  ledger_->abandon(1);
  ledger_->tick(now_);
  EXPECT_THAT(offers(), IsEmpty()) << "its session may go on";
  pass(seconds(10));
  hello(kAnna, 2);
  EXPECT_THAT(offers(), SizeIs(1));
}

TEST_F(LedgerLimitsTest, ARestoredLeaseHoldsItsDevice) {
  ledger_.emplace(LedgerOptions{});
  SweepPlan plan;
  plan.tasks.assign(1, {ledger_->add_lane(""), 0, {0, 7}});
  plan.restored = {{.index = 0, .attempt = 1, .owner = kBert, .outcome = {}}};
  add(1, 1, plan);
  plan.restored.clear();
  add(2, 1, plan);
  hello(kAnna, 2);
  EXPECT_THAT(offers(), IsEmpty());
}

TEST_F(LedgerLimitsTest, ParkedTasksOfASweepThatEndsAreForgotten) {
  open_limited(3, {.name = "edge", .sessions = 1});
  add_limited(2, 1, {.name = "edge", .sessions = 1});
  hello(kAnna, 5);
  const auto first = offers();
  ASSERT_THAT(first, SizeIs(1));
  const std::uint32_t running = first[0].task().sweep();
  claim(kAnna, first[0], 4);
  ledger_->drain(1);
  result(kAnna, first[0], Outcome::kOk);
  ledger_->tick(now_);
  const auto next = offers();
  ASSERT_THAT(next, SizeIs(1)) << "room for the other sweep, none is kept for those that ended";
  EXPECT_EQ(running, 1u);
  EXPECT_EQ(next[0].task().sweep(), 2u);
  ledger_->audit();
}

TEST_F(LedgerLimitsTest, ASweepThatGoesOnBringsNoFreshBurstOfLogins) {
  ledger_.emplace(LedgerOptions{});
  Limits& limits = ledger_->limits();
  SweepPlan plan;
  const LimitSpec limit{.name = "edge", .logins_per_second = 1, .burst = 3};
  const std::uint16_t set = limits.add_set({limits.add(limit)});
  plan.tasks.assign(4, {ledger_->add_lane(""), 0, {set, 0}});
  plan.restored = {{.index = 0, .outcome = Outcome::kOk}};
  add(1, 4, plan);
  hello(kAnna, 4);
  EXPECT_THAT(offers(), IsEmpty());
  pass(seconds(1));
  EXPECT_THAT(offers(), SizeIs(1));
}

TEST_F(LedgerLimitsTest, AnEmptiedBucketFillsAtItsRate) {
  Limits limits;
  const auto set =
      limits.add_set({limits.add({.name = "aaa", .logins_per_second = 1, .burst = 3})});
  limits.empty_buckets(now_);
  EXPECT_FALSE(limits.acquire(now_, {set, 0}, {1, 0}, false));
  EXPECT_TRUE(limits.acquire(now_ + seconds(1), {set, 0}, {1, 0}, false));
}

}  // namespace
}  // namespace netfleet

#include "tests/unit/sweep/ledger_fixture.h"

namespace netfleet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::uint32_t count_of(const std::vector<v1::Offer>& offers, std::uint32_t sweep) {
  std::uint32_t count = 0;
  for (const v1::Offer& offer : offers) count += offer.task().sweep() == sweep ? 1 : 0;
  return count;
}

TEST_F(LedgerTest, OffersNothingBeforeAWorkerHasSlots) {
  open(3);
  EXPECT_FALSE(ledger_->wants_to_offer(0));
  hello(kAnna, 2);
  EXPECT_EQ(offers().size(), 2u);
  EXPECT_FALSE(ledger_->wants_to_offer(0)) << "two slots, two offers";
}

TEST_F(LedgerTest, WaitsForTheLeastNumberOfWorkers) {
  LedgerOptions options;
  options.min_workers = 2;
  open(3, {}, options);
  hello(kAnna, 5);
  EXPECT_FALSE(ledger_->wants_to_offer(0));
  hello(kBert, 5);
  EXPECT_TRUE(ledger_->wants_to_offer(0));
}

TEST_F(LedgerTest, OffersThatRanOutGoFirstAgain) {
  open(6);
  hello(kAnna, 2);
  ASSERT_THAT(offers(), SizeIs(2));
  pass(milliseconds(1001));
  const auto again = offers();
  ASSERT_THAT(again, SizeIs(2));
  EXPECT_EQ(again[0].task().index(), 0u);
  EXPECT_EQ(again[1].task().index(), 1u);
}

TEST_F(LedgerTest, EqualSweepsShareTheSlots) {
  open(20);
  add(2, 20);
  hello(kAnna, 6);
  const auto all = offers();
  ASSERT_THAT(all, SizeIs(6));
  EXPECT_EQ(count_of(all, 1), 3u);
  EXPECT_EQ(count_of(all, 2), 3u);
}

TEST_F(LedgerTest, ASweepThatComesLaterCatchesUp) {
  open(20);
  hello(kAnna, 6);
  const auto first = offers();
  for (const v1::Offer& offer : first) claim(kAnna, offer);
  add(2, 20);
  for (int i = 0; i < 3; ++i) {
    result(kAnna, first.at(i), Outcome::kOk);
    auto message = envelope(kAnna, 1);
    message.mutable_free_slots();
    ledger_->on_message(now_, kAnna, message);
    const auto next = offers();
    ASSERT_THAT(next, SizeIs(1));
    EXPECT_EQ(next[0].task().sweep(), 2u);
    claim(kAnna, next[0]);
  }
}

TEST_F(LedgerTest, TheMoreUrgentSweepGoesFirst) {
  open(20);
  SweepPlan urgent;
  urgent.priority = 1;
  add(2, 4, urgent);
  hello(kAnna, 6);
  const auto all = offers();
  EXPECT_EQ(count_of(all, 2), 4u);
  EXPECT_EQ(count_of(all, 1), 2u);
}

TEST_F(LedgerTest, AFrameHoldsNoMoreThanAWorkersShareOfTheCredit) {
  open(100);
  hello(kAnna, 4);
  hello(kBert, 4);
  EXPECT_EQ(ledger_->make_offers(now_, 0).offers_size(), 4);
}

TEST_F(LedgerTest, ARegionIsServedByItsWorkersOnly) {
  ledger_.emplace(LedgerOptions{});
  ledger_->add_lane("");
  SweepPlan plan;
  plan.tasks.assign(2, {ledger_->add_lane("eu"), 0});
  add(1, 2, plan);
  hello(kAnna, 5);
  EXPECT_FALSE(ledger_->wants_to_offer(1));
  auto message = envelope(kBert, 5);
  message.mutable_hello()->set_slots(5);
  message.mutable_hello()->add_regions("eu");
  ledger_->on_message(now_, kBert, message);
  EXPECT_THAT(offers(1), SizeIs(2));
}

TEST_F(LedgerTest, ARegionWithoutAWorkerIsNamedOnceAndGivenUpInTheEnd) {
  ledger_.emplace(LedgerOptions{.region_timeout = seconds(60)});
  SweepPlan plan;
  plan.tasks.assign(2, {ledger_->add_lane("eu"), 0});
  plan.tasks[0].lane = ledger_->add_lane("");
  add(1, 2, plan);
  hello(kAnna, 1);
  ledger_->tick(now_);
  int said = 0;
  for (int second = 0; second < 59; ++second) {
    pass(seconds(1));
    heartbeat(kAnna, {});
    said += static_cast<int>(take_notes(Noted::What::kRegionWaits).size());
  }
  EXPECT_EQ(said, 1);
  pass(seconds(2));
  const auto ended = take_ended();
  ASSERT_THAT(ended, SizeIs(1)) << "the other host's region is served";
  EXPECT_EQ(ended[0].task, (TaskKey{1, 1}));
  EXPECT_EQ(ended[0].outcome, Outcome::kUnreachable);
  EXPECT_THAT(ended[0].error, HasSubstr("no worker serves region eu"));
}

TEST_F(LedgerTest, ARegionWhoseWorkerComesInTimeIsNotGivenUp) {
  open(1, {}, {.region_timeout = seconds(60)});
  ledger_->tick(now_);
  pass(seconds(59));
  hello(kAnna, 1);
  pass(seconds(2));
  EXPECT_THAT(take_ended(), IsEmpty());
  EXPECT_THAT(offers(), SizeIs(1));
}

}  // namespace
}  // namespace netfleet

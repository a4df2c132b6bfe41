// What a service needs of the ledger: turns, closed windows, a journal without room, lanes and
// sweeps that come and go.
#include <algorithm>

#include "tests/unit/sweep/ledger_fixture.h"

namespace netfleet {
namespace {

using std::chrono::seconds;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class LedgerServiceTest : public LedgerTest {
 protected:
  void heard_for(Nanoseconds time) {
    for (const TimePoint until = now_ + time; now_ < until;) {
      now_ += seconds(1);
      heartbeat(kAnna, {});
      ledger_->tick(now_);
    }
    ledger_->audit();
  }
};

TEST_F(LedgerServiceTest, EachTaskWaitsForItsTurn) {
  ledger_.emplace(LedgerOptions{});
  SweepPlan plan;
  plan.tasks.assign(2, {ledger_->add_lane(""), 0});
  plan.tasks[1].not_before = now_ + seconds(30);
  add(1, 2, plan);
  hello(kAnna, 20);
  EXPECT_THAT(offers(), SizeIs(1));
  EXPECT_LE(ledger_->next_deadline(), now_ + seconds(30));
  now_ += seconds(29);
  hello(kAnna, 20);
  ledger_->tick(now_);
  for (const v1::Offer& offer : offers()) EXPECT_EQ(key_of(offer.task()).index, 0u);
  now_ += seconds(1);
  ledger_->tick(now_);
  // The first one's offer ran out meanwhile: it comes again, too.
  const auto both = offers();
  EXPECT_TRUE(std::ranges::any_of(
      both, [](const v1::Offer& offer) { return key_of(offer.task()).index == 1; }));
}

TEST_F(LedgerServiceTest, WhatIsNotStartedWhenTheSweepClosesIsDeferred) {
  SweepPlan plan;
  plan.closes = now_ + seconds(5);
  plan.why_closed = "closed";
  open(3, plan);
  hello(kAnna, 1);
  const v1::Offer running = granted(kAnna);
  EXPECT_LE(ledger_->next_deadline(), now_ + seconds(5));
  now_ += seconds(4);
  ledger_->tick(now_);
  EXPECT_THAT(take_ended(), IsEmpty());
  now_ += seconds(1);
  ledger_->tick(now_);
  const auto ended = take_ended();
  ASSERT_THAT(ended, SizeIs(2));
  EXPECT_EQ(ended[0].outcome, Outcome::kDeferred);
  EXPECT_EQ(ended[0].error, "not started: closed");
  EXPECT_EQ(result(kAnna, running, Outcome::kOk), Verdict::kFinal) << "what ran goes on";
  ledger_->stored(key_of(running.task()));
  EXPECT_TRUE(ledger_->finished(1));
}

TEST_F(LedgerServiceTest, AClaimAtTheVeryMomentOfClosingIsDenied) {
  SweepPlan plan;
  plan.closes = now_ + seconds(1);
  open(1, plan);
  hello(kAnna, 1);
  const auto offered = offers();
  now_ += seconds(1);
  claim(kAnna, offered.at(0));
  EXPECT_EQ(take_grants(), 0);
}

TEST_F(LedgerServiceTest, WhatComesBackAfterClosingIsDeferredOrLost) {
  SweepPlan plan;
  plan.closes = now_ + seconds(5);
  plan.why_closed = "closed";
  open(3, plan);
  hello(kAnna, 3);
  const auto offered = offers();
  ASSERT_THAT(offered, SizeIs(3));
  for (const v1::Offer& offer : offered) claim(kAnna, offer);
  pass(seconds(5));
  ledger_->take_actions();
  v1::ToDispatcher message = envelope(kAnna, 1);
  *message.mutable_release()->add_tasks() = offered[0].task();
  ledger_->on_message(now_, kAnna, message);
  ledger_->pause({key_of(offered[1].task())});
  auto ended = take_ended();
  ASSERT_THAT(ended, SizeIs(2));
  for (const TaskEnded& one : ended) {
    EXPECT_EQ(one.outcome, Outcome::kDeferred);
    EXPECT_EQ(one.error, "not started: closed");
  }
  pass(seconds(10));
  ended = take_ended();
  ASSERT_THAT(ended, SizeIs(1)) << "it ran: nobody says that it was not started";
  EXPECT_EQ(ended[0].outcome, Outcome::kLost);
  EXPECT_TRUE(ledger_->finished(1));
  ledger_->audit();
}

TEST_F(LedgerServiceTest, WhatComesBackAfterTheGuardIsSkipped) {
  open(2);
  add(2, 1);
  hello(kAnna, 3);
  const auto offered = offers();
  ASSERT_THAT(offered, SizeIs(3));
  for (const v1::Offer& offer : offered) claim(kAnna, offer);
  result(kAnna, offered[0], Outcome::kAuthFailed, false);
  ledger_->take_actions();
  v1::ToDispatcher message = envelope(kAnna, 1);
  for (int i : {1, 2}) *message.mutable_release()->add_tasks() = offered[i].task();
  ledger_->on_message(now_, kAnna, message);
  const auto ended = take_ended();
  ASSERT_THAT(ended, SizeIs(2)) << "of this sweep, and of the one with the same credential";
  for (const TaskEnded& one : ended) {
    EXPECT_EQ(one.outcome, Outcome::kSkipped);
    EXPECT_TRUE(one.error.contains("authentication guard")) << one.error;
  }
}

TEST_F(LedgerServiceTest, WithoutRoomInTheJournalNothingStartsAndNobodyDied) {
  SweepPlan plan;
  plan.changes_device = true;
  plan.journaled = true;
  open(2, plan);
  hello(kAnna, 2);
  const auto offered = offers();
  ASSERT_THAT(offered, SizeIs(2));
  claim(kAnna, offered[0], 1);
  ledger_->pause({key_of(offered[0].task())});
  ledger_->take_actions();
  EXPECT_EQ(ledger_->running(), 0u);
  claim(kAnna, offered[1], 1);
  EXPECT_EQ(take_grants(), 0);
  heard_for(seconds(60));
  EXPECT_THAT(offers(), IsEmpty());
  EXPECT_THAT(take_ended(), IsEmpty()) << "a changing task that nobody was told of is not lost";
  ledger_->go_on();
  hello(kAnna, 2);
  const auto again = offers();
  ASSERT_THAT(again, SizeIs(2));
  for (const v1::Offer& offer : again) claim(kAnna, offer, 2);
  EXPECT_EQ(take_grants(), 2);
  // Of the first attempt, should it come after all, nothing is taken.
  EXPECT_EQ(result(kAnna, offered[0], Outcome::kOk), Verdict::kIgnore);
}

TEST_F(LedgerServiceTest, ANewLaneAsksWorkersForAFreshHello) {
  open(1);
  hello(kAnna, 1);
  ledger_->take_actions();
  EXPECT_FALSE(ledger_->has_lane("eu"));
  ledger_->add_lane("eu");
  EXPECT_TRUE(ledger_->has_lane("eu"));
  EXPECT_THAT(take_messages(v1::ToWorker::kHelloAgain), SizeIs(1));
  ledger_->add_lane("eu");
  EXPECT_THAT(take_messages(v1::ToWorker::kHelloAgain), IsEmpty());
}

TEST_F(LedgerServiceTest, SweepsCountTheirOwnRunningTasks) {
  open(2);
  add(2, 1);
  hello(kAnna, 3);
  for (const v1::Offer& offer : offers()) claim(kAnna, offer, 3);
  EXPECT_EQ(ledger_->running(), 3u);
  EXPECT_EQ(ledger_->running(1), 2u);
  EXPECT_EQ(ledger_->running(2), 1u);
  ledger_->audit();
}

}  // namespace
}  // namespace netfleet

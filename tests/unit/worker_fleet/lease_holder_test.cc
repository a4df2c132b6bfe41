#include "worker/fleet/lease_holder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace netfleet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TaskKey kTask{1, 0};

// A welcomed worker with `slots` slots, a lease of 10 s and a heartbeat of 1 s.
class LeaseHolderTest : public ::testing::Test {
 protected:
  void SetUp() override { open({}); }
  void open(LeaseHolderOptions options) {
    options.name = "w";
    if (options.slots == 50) options.slots = 2;
    holder_.emplace(options);
    holder_->start(now_);
    holder_->take_actions();
    v1::ToWorker message;
    message.mutable_welcome()->set_sink_offset(1);
    message.mutable_welcome()->set_lease_ms(10'000);
    message.mutable_welcome()->set_heartbeat_ms(1'000);
    message.mutable_welcome()->add_lanes()->set_offset(2);
    holder_->on_message(now_, message);
    know_job(1);
    know_job(2);
    holder_->take_actions();
  }
  void know_job(std::uint32_t sweep) {
    v1::ToWorker message;
    message.mutable_job()->set_sweep(sweep);
    holder_->on_message(now_, message);
  }
  void offer(TaskKey key, std::uint32_t attempt = 1) {
    v1::OfferFrame frame;
    *frame.add_offers()->mutable_task() = make_ref(key, attempt);
    frame.mutable_offers(0)->set_round(1);
    holder_->on_offers(now_, frame);
  }
  void grant(TaskKey key, TimePoint sent_at, std::uint32_t attempt = 1) {
    v1::ToWorker message;
    message.mutable_grant()->set_sent_at(
        static_cast<std::uint64_t>(sent_at.time_since_epoch().count()));
    *message.mutable_grant()->add_tasks()->mutable_task() = make_ref(key, attempt);
    holder_->on_message(now_, message);
  }
  std::shared_ptr<Lease> started() {
    std::shared_ptr<Lease> lease;
    for (const auto& action : holder_->take_actions()) {
      if (const auto* start = std::get_if<StartTask>(&action)) lease = start->lease;
    }
    return lease;
  }
  std::shared_ptr<Lease> run(TaskKey key) {
    offer(key);
    grant(key, now_);
    return started();
  }
  template <typename T>
  int count(const std::vector<WorkerAction>& actions) {
    int found = 0;
    for (const auto& action : actions) found += std::holds_alternative<T>(action) ? 1 : 0;
    return found;
  }
  int said(const std::vector<WorkerAction>& actions, v1::ToDispatcher::BodyCase kind) {
    int found = 0;
    for (const auto& action : actions) {
      const auto* send = std::get_if<SendToDispatcher>(&action);
      if (send != nullptr && send->message.body_case() == kind) ++found;
    }
    return found;
  }
  void pass(Nanoseconds time) {
    now_ += time;
    holder_->tick(now_);
  }
  void hear(TimePoint heartbeat_sent) {
    v1::ToWorker message;
    message.mutable_renewal()->set_sent_at(
        static_cast<std::uint64_t>(heartbeat_sent.time_since_epoch().count()));
    holder_->on_message(now_, message);
  }

  std::optional<LeaseHolder> holder_;
  TimePoint now_{seconds(1000)};
};

TEST_F(LeaseHolderTest, ClaimsWithAFreeSlotAndDeclinesWithout) {
  offer({1, 0});
  offer({1, 1});
  EXPECT_EQ(said(holder_->take_actions(), v1::ToDispatcher::kClaim), 2);
  EXPECT_EQ(holder_->free_slots(), 0u);
  offer({1, 2});
  EXPECT_EQ(said(holder_->take_actions(), v1::ToDispatcher::kDecline), 1);
}

TEST_F(LeaseHolderTest, StartsOnlyFromAGrantThatItAskedFor) {
  grant(kTask, now_);
  const auto actions = holder_->take_actions();
  EXPECT_EQ(count<StartTask>(actions), 0);
  EXPECT_EQ(said(actions, v1::ToDispatcher::kRelease), 1);
}

TEST_F(LeaseHolderTest, ARepeatedGrantDoesNotStartTwice) {
  const auto lease = run(kTask);
  ASSERT_TRUE(lease);
  pass(milliseconds(500));
  grant(kTask, now_);
  EXPECT_EQ(count<StartTask>(holder_->take_actions()), 0);
  EXPECT_EQ(lease->end(), now_ + seconds(9));
}

TEST_F(LeaseHolderTest, AGrantOlderThanItsLeaseIsReleased) {
  offer(kTask);
  const TimePoint claimed = now_;
  now_ += seconds(9);
  grant(kTask, claimed);
  const auto actions = holder_->take_actions();
  EXPECT_EQ(count<StartTask>(actions), 0);
  EXPECT_EQ(said(actions, v1::ToDispatcher::kRelease), 1);
}

TEST_F(LeaseHolderTest, CountsItsLeaseFromItsOwnSendStamp) {
  offer(kTask);
  const TimePoint claimed = now_;
  now_ += seconds(2);
  grant(kTask, claimed);
  EXPECT_EQ(started()->end(), claimed + seconds(9));
}

TEST_F(LeaseHolderTest, ARenewalExtendsOnlyWhatItsHeartbeatListed) {
  const TimePoint claimed = now_;
  offer(kTask);
  pass(milliseconds(500));
  const TimePoint early = now_;
  pass(milliseconds(500));
  grant(kTask, claimed);
  const auto lease = started();
  ASSERT_TRUE(lease);
  hear(early);
  EXPECT_EQ(lease->end(), claimed + seconds(9)) << "that heartbeat was sent before the grant came";
  hear(now_);
  EXPECT_EQ(lease->end(), claimed + seconds(9)) << "one of the same instant may have been, too";
  now_ += milliseconds(1);
  hear(now_);
  EXPECT_EQ(lease->end(), now_ + seconds(9));
}

TEST_F(LeaseHolderTest, FencesASessionWhoseLeaseRanOutAndDropsItsResult) {
  run(kTask);
  for (int i = 0; i < 10; ++i) {
    pass(seconds(1));
    v1::ToWorker deny;  // it hears something, but no renewal
    *deny.mutable_deny()->add_tasks() = make_ref({1, 77}, 1);
    holder_->on_message(now_, deny);
  }
  EXPECT_EQ(count<StopTask>(holder_->take_actions()), 1);
  EXPECT_EQ(holder_->free_slots(), 1u) << "the slot is taken until the session has ended";
  EXPECT_FALSE(holder_->on_finished(now_, kTask, 10));
  EXPECT_EQ(holder_->free_slots(), 2u);
}

TEST_F(LeaseHolderTest, DropsTheResultOfASessionThatNoticedTheEndOfItsLeaseFirst) {
  run(kTask);
  holder_->on_fenced(kTask);
  EXPECT_EQ(holder_->free_slots(), 1u) << "the slot is taken until the session has ended";
  EXPECT_FALSE(holder_->on_finished(now_, kTask, 10));
  EXPECT_EQ(count<SendResult>(holder_->take_actions()), 0);
  EXPECT_EQ(holder_->free_slots(), 2u);
}

TEST_F(LeaseHolderTest, KeepsAResultUntilItIsAcknowledgedAndSendsItAgain) {
  run(kTask);
  EXPECT_TRUE(holder_->on_finished(now_, kTask, 10));
  EXPECT_EQ(count<SendResult>(holder_->take_actions()), 1);
  pass(milliseconds(2600));
  EXPECT_EQ(count<SendResult>(holder_->take_actions()), 1) << "after a quarter of the lease";
  offer(kTask);
  EXPECT_EQ(count<SendResult>(holder_->take_actions()), 1) << "an offer of it: again";
  v1::ToWorker ack;
  *ack.mutable_result_ack()->add_tasks() = make_ref(kTask, 1);
  holder_->on_message(now_, ack);
  EXPECT_EQ(count<DropResult>(holder_->take_actions()), 1);
  hear(now_);
  pass(milliseconds(2600));
  EXPECT_EQ(count<SendResult>(holder_->take_actions()), 0);
}

TEST_F(LeaseHolderTest, ARefusedLoginKeepsItsSlotUntilTheGuardKnows) {
  run(kTask);
  EXPECT_TRUE(holder_->on_finished(now_, kTask, 10, /*login_refused=*/true));
  EXPECT_EQ(holder_->free_slots(), 1u);
  v1::ToWorker ack;
  *ack.mutable_result_ack()->add_tasks() = make_ref(kTask, 1);
  holder_->on_message(now_, ack);
  EXPECT_EQ(holder_->free_slots(), 2u);
}

TEST_F(LeaseHolderTest, AFullOutboxLeavesNoSlotFree) {
  LeaseHolderOptions options;
  options.most_unacknowledged_bytes = 100;
  open(options);
  run(kTask);
  EXPECT_TRUE(holder_->on_finished(now_, kTask, 100));
  EXPECT_EQ(holder_->free_slots(), 0u);
  offer({1, 1});
  EXPECT_EQ(said(holder_->take_actions(), v1::ToDispatcher::kDecline), 1);
}

TEST_F(LeaseHolderTest, NoSlotIsFreeWhileTheShellHasNoRoom) {
  holder_->set_outbox_full(true);
  EXPECT_EQ(holder_->free_slots(), 0u);
  offer(kTask);
  EXPECT_EQ(said(holder_->take_actions(), v1::ToDispatcher::kDecline), 1);
  holder_->set_outbox_full(false);
  holder_->tick(now_);
  EXPECT_EQ(said(holder_->take_actions(), v1::ToDispatcher::kFreeSlots), 1);
}

TEST_F(LeaseHolderTest, ClaimsAgainAfterAQuarterLeaseAndGivesUpAfterTwo) {
  offer(kTask);
  holder_->take_actions();
  pass(milliseconds(2600));
  EXPECT_EQ(said(holder_->take_actions(), v1::ToDispatcher::kClaim), 1);
  hear(now_);
  EXPECT_EQ(holder_->free_slots(), 1u);
  for (int i = 0; i < 17; ++i) {
    pass(seconds(1));
    hear(now_);
  }
  EXPECT_EQ(holder_->free_slots(), 1u);
  pass(seconds(1));
  EXPECT_EQ(holder_->free_slots(), 2u);
}

TEST_F(LeaseHolderTest, AListOfEverythingHeldTravelsWithEachHello) {
  run({1, 0});
  run({1, 1});
  EXPECT_TRUE(holder_->on_finished(now_, {1, 1}, 1));
  holder_->take_actions();
  v1::ToWorker again;
  again.mutable_hello_again();
  holder_->on_message(now_, again);
  const auto actions = holder_->take_actions();
  EXPECT_EQ(count<OpenControl>(actions), 1);
  for (const auto& action : actions) {
    const auto* send = std::get_if<SendToDispatcher>(&action);
    if (send == nullptr) continue;
    EXPECT_EQ(send->message.hello().running_size(), 1);
    EXPECT_EQ(send->message.hello().finished_size(), 1);
  }
}

TEST_F(LeaseHolderTest, SilenceReopensTheControlSocket) {
  pass(milliseconds(3100));
  const auto actions = holder_->take_actions();
  EXPECT_EQ(count<OpenControl>(actions), 1);
  EXPECT_EQ(said(actions, v1::ToDispatcher::kHello), 1);
}

TEST_F(LeaseHolderTest, LeavesItsLanesWhenItIsFullForLongAndComesBack) {
  run({1, 0});
  run({1, 1});
  pass(milliseconds(50));
  EXPECT_EQ(count<LeaveLanes>(holder_->take_actions()), 0);
  pass(milliseconds(60));
  EXPECT_EQ(count<LeaveLanes>(holder_->take_actions()), 1);
  holder_->on_finished(now_, {1, 0}, 1);
  EXPECT_EQ(count<JoinLanes>(holder_->take_actions()), 1);
}

TEST_F(LeaseHolderTest, DrainsAndPartsWithoutLosingAResult) {
  run(kTask);
  holder_->drain(now_);
  EXPECT_EQ(holder_->free_slots(), 0u);
  EXPECT_TRUE(holder_->on_finished(now_, kTask, 1));
  holder_->tick(now_);
  EXPECT_EQ(count<Part>(holder_->take_actions()), 0) << "its result is not acknowledged yet";
  v1::ToWorker ack;
  *ack.mutable_result_ack()->add_tasks() = make_ref(kTask, 1);
  holder_->on_message(now_, ack);
  const auto actions = holder_->take_actions();
  EXPECT_EQ(count<Part>(actions), 1);
  EXPECT_EQ(said(actions, v1::ToDispatcher::kGoodbye), 1);
}

TEST_F(LeaseHolderTest, CancelStopsTheSessionsOfThatSweepAndKeepsTheirResults) {
  run({1, 0});
  run({2, 0});
  v1::ToWorker cancel;
  cancel.mutable_cancel()->set_sweep(1);
  holder_->on_message(now_, cancel);
  const auto actions = holder_->take_actions();
  ASSERT_EQ(count<StopTask>(actions), 1);
  EXPECT_TRUE(holder_->on_finished(now_, {1, 0}, 1));
}

TEST_F(LeaseHolderTest, ARevokedSessionIsStoppedAndItsResultDropped) {
  run(kTask);
  v1::ToWorker message;
  *message.mutable_renewal()->add_revoked() = make_ref(kTask, 1);
  holder_->on_message(now_, message);
  EXPECT_EQ(count<StopTask>(holder_->take_actions()), 1);
  EXPECT_FALSE(holder_->on_finished(now_, kTask, 1));
}

TEST_F(LeaseHolderTest, HearsNothingOfADeadEpoch) {
  v1::OfferFrame frame;
  frame.set_epoch(99);
  *frame.add_offers()->mutable_task() = make_ref(kTask, 1);
  holder_->on_offers(now_, frame);
  EXPECT_EQ(said(holder_->take_actions(), v1::ToDispatcher::kClaim), 0);
  offer(kTask);
  v1::ToWorker grant_of_another;
  grant_of_another.set_epoch(99);
  grant_of_another.mutable_grant()->set_sent_at(
      static_cast<std::uint64_t>(now_.time_since_epoch().count()));
  *grant_of_another.mutable_grant()->add_tasks()->mutable_task() = make_ref(kTask, 1);
  holder_->on_message(now_, grant_of_another);
  EXPECT_EQ(started(), nullptr);
}

TEST_F(LeaseHolderTest, AnotherJournalMakesItForgetWhatItHolds) {
  v1::ToWorker welcome;
  welcome.mutable_welcome()->set_lease_ms(10'000);
  welcome.mutable_welcome()->set_heartbeat_ms(1'000);
  welcome.mutable_welcome()->set_journal(1);
  holder_->on_message(now_, welcome);
  ASSERT_TRUE(run(kTask));
  welcome.mutable_welcome()->set_journal(2);
  holder_->on_message(now_, welcome);
  EXPECT_EQ(count<StopTask>(holder_->take_actions()), 1);
  EXPECT_FALSE(holder_->on_finished(now_, kTask, 10));
  EXPECT_EQ(holder_->free_slots(), 2u);
}

TEST_F(LeaseHolderTest, AFencedAttemptIsNeverStartedOrGivenBack) {
  const TimePoint begin = now_;
  ASSERT_TRUE(run(kTask));
  for (int i = 0; i < 9; ++i) {
    pass(seconds(1));
    v1::ToWorker deny;  // it hears something, but no renewal
    *deny.mutable_deny()->add_tasks() = make_ref({1, 77}, 1);
    holder_->on_message(now_, deny);
  }
  holder_->on_finished(now_, kTask, 10);
  holder_->take_actions();
  grant(kTask, begin + seconds(1));
  offer(kTask);
  const auto actions = holder_->take_actions();
  EXPECT_EQ(said(actions, v1::ToDispatcher::kRelease), 0);
  EXPECT_EQ(said(actions, v1::ToDispatcher::kClaim), 0);
  EXPECT_EQ(count<StartTask>(actions), 0);
}

TEST_F(LeaseHolderTest, WhatCameBehindAHelloAgainIsOfTheConnectionThatIsClosed) {
  v1::ToWorker again, welcome;
  again.mutable_hello_again();
  welcome.mutable_welcome()->set_lease_ms(10'000);
  welcome.mutable_welcome()->set_heartbeat_ms(1'000);
  for (int i = 0; i < 3; ++i) {  // queued while this worker was stopped
    holder_->on_message(now_, again);
    holder_->on_message(now_, welcome);
  }
  EXPECT_EQ(count<OpenControl>(holder_->take_actions()), 1);
  EXPECT_EQ(holder_->free_slots(), 0u) << "not welcomed";
  holder_->on_message(now_, welcome);
  EXPECT_EQ(holder_->free_slots(), 2u);
}

TEST_F(LeaseHolderTest, WhatItCannotStartIsGivenBackAndTheDispatcherIsToldWhyItLeaves) {
  ASSERT_TRUE(run(kTask));
  holder_->give_back(kTask);
  holder_->drain(now_, "no credential");
  const auto actions = holder_->take_actions();
  EXPECT_EQ(said(actions, v1::ToDispatcher::kRelease), 1);
  EXPECT_EQ(said(actions, v1::ToDispatcher::kGoodbye), 1);
  EXPECT_EQ(std::get<SendToDispatcher>(actions[actions.size() - 2]).message.goodbye().reason(),
            "no credential");
  EXPECT_EQ(std::get<Part>(actions.back()).why, Parting::kDrained);
}

TEST_F(LeaseHolderTest, SaysWhatItGaveBackUntilAHeartbeatThatListsItIsAnswered) {
  ASSERT_TRUE(run(kTask));
  holder_->give_back(kTask);
  const auto released = [this] {
    int listed = 0;
    for (const auto& action : holder_->take_actions()) {
      const auto* send = std::get_if<SendToDispatcher>(&action);
      if (send != nullptr) listed += send->message.heartbeat().released_size();
    }
    return listed;
  };
  const TimePoint before = now_;
  pass(seconds(1));
  EXPECT_EQ(released(), 1);
  hear(before);
  pass(seconds(1));
  EXPECT_EQ(released(), 1) << "the answer was to a heartbeat of before";
  hear(now_);
  pass(seconds(1));
  EXPECT_EQ(released(), 0);
}

TEST_F(LeaseHolderTest, WhatItGaveBackIsNeverClaimedAgain) {
  offer(kTask, 2);
  grant(kTask, now_, 2);
  holder_->give_back(kTask);
  holder_->take_actions();
  for (const std::uint32_t attempt : {1, 2}) {
    offer(kTask, attempt);
    grant(kTask, now_, attempt);
  }
  EXPECT_THAT(holder_->take_actions(), ::testing::IsEmpty()) << "old ones, come twice";
  offer(kTask, 3);
  EXPECT_EQ(said(holder_->take_actions(), v1::ToDispatcher::kClaim), 1);
}

TEST_F(LeaseHolderTest, ADenyOfAnEarlierClaimIsNothing) {
  v1::ToWorker deny;
  *deny.mutable_deny()->add_tasks() = make_ref(kTask, 1);
  const auto denied = [&](TimePoint claimed) {
    deny.mutable_deny()->set_sent_at(
        static_cast<std::uint64_t>(claimed.time_since_epoch().count()));
    holder_->on_message(now_, deny);
  };
  const TimePoint first = now_;
  offer(kTask);
  pass(milliseconds(2600));
  denied(first);
  EXPECT_EQ(holder_->free_slots(), 1u) << "it has claimed again";
  denied(now_);
  EXPECT_EQ(holder_->free_slots(), 2u);
}

TEST_F(LeaseHolderTest, SaysHelloAgainSoonWhereLeasesAreShort) {
  v1::ToWorker message;
  message.mutable_welcome()->set_lease_ms(2'000);
  message.mutable_welcome()->set_heartbeat_ms(300);
  holder_->on_message(now_, message);
  message.mutable_hello_again();
  holder_->on_message(now_, message);
  holder_->take_actions();
  int hellos = 0;
  for (int i = 0; i < 18; ++i) {  // nine tenths of a lease
    pass(milliseconds(100));
    hellos += said(holder_->take_actions(), v1::ToDispatcher::kHello);
  }
  EXPECT_EQ(hellos, 3);
}

TEST_F(LeaseHolderTest, DoesNotStartATaskOfASweepThatWasNotDescribed) {
  offer({3, 0});
  grant({3, 0}, now_);
  EXPECT_EQ(started(), nullptr);
  pass(milliseconds(500));
  EXPECT_EQ(said(holder_->take_actions(), v1::ToDispatcher::kClaim), 1) << "it asks again";
  know_job(3);
  grant({3, 0}, now_);
  EXPECT_NE(started(), nullptr);
}

TEST_F(LeaseHolderTest, ForgetsTheIdleOnesOfVeryManySweeps) {
  ASSERT_TRUE(run(kTask));
  std::uint32_t sweep = 2;
  while (sweep < 64) know_job(++sweep);
  EXPECT_EQ(count<ForgetJob>(holder_->take_actions()), 0);
  know_job(65);
  EXPECT_EQ(count<ForgetJob>(holder_->take_actions()), 63) << "all but that of the task and this";
  offer({2, 0});
  grant({2, 0}, now_);
  EXPECT_EQ(started(), nullptr) << "until it is described again";
  know_job(2);
  grant({2, 0}, now_);
  EXPECT_NE(started(), nullptr);
}

TEST_F(LeaseHolderTest, AnOfferOfWhatRunsIsClaimedAgainAndStartsNothing) {
  run(kTask);
  holder_->take_actions();
  offer(kTask);
  const auto actions = holder_->take_actions();
  EXPECT_EQ(said(actions, v1::ToDispatcher::kClaim), 1);
  EXPECT_EQ(count<StartTask>(actions), 0);
  EXPECT_EQ(holder_->free_slots(), 1u);
}

TEST_F(LeaseHolderTest, AnOfferOfWhatIsClaimedIsNotClaimedTwice) {
  offer(kTask);
  offer(kTask);
  EXPECT_EQ(said(holder_->take_actions(), v1::ToDispatcher::kClaim), 1);
  EXPECT_EQ(holder_->free_slots(), 1u);
}

TEST_F(LeaseHolderTest, ALeaseIsGoodUntilItsEndAndNoLonger) {
  const auto lease = run(kTask);
  ASSERT_TRUE(lease);
  EXPECT_TRUE(lease->valid(now_ + seconds(9) - Nanoseconds(1)));
  EXPECT_FALSE(lease->valid(now_ + seconds(9))) << "whether or not the loop has noticed";
}

TEST_F(LeaseHolderTest, ARevocationNeverDropsAResult) {
  run(kTask);
  EXPECT_TRUE(holder_->on_finished(now_, kTask, 1));
  holder_->take_actions();
  v1::ToWorker message;
  *message.mutable_renewal()->add_revoked() = make_ref(kTask, 1);
  holder_->on_message(now_, message);
  EXPECT_EQ(count<DropResult>(holder_->take_actions()), 0);
  pass(milliseconds(2600));
  EXPECT_EQ(count<SendResult>(holder_->take_actions()), 1) << "it is sent until acknowledged";
}

TEST_F(LeaseHolderTest, AHeartbeatListsWhatRunsAndWhatWaitsForItsAcknowledgement) {
  run({1, 0});
  run({1, 1});
  EXPECT_TRUE(holder_->on_finished(now_, {1, 1}, 1));
  holder_->take_actions();
  pass(seconds(1));
  int beats = 0;
  for (const auto& action : holder_->take_actions()) {
    const auto* send = std::get_if<SendToDispatcher>(&action);
    if (send == nullptr || !send->message.has_heartbeat()) continue;
    ++beats;
    EXPECT_EQ(send->message.heartbeat().running_size(), 1);
    EXPECT_EQ(send->message.heartbeat().finished_size(), 1);
  }
  EXPECT_EQ(beats, 1);
}

}  // namespace
}  // namespace netfleet

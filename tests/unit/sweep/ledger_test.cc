#include "tests/unit/sweep/ledger_fixture.h"

namespace netfleet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(LedgerTest, GrantsOneOfTwoClaims) {
  open(1);
  hello(kAnna, 1);
  hello(kBert, 1);
  const auto all = offers();
  ASSERT_EQ(all.size(), 1u);
  ledger_->take_actions();
  claim(kAnna, all[0]);
  EXPECT_EQ(take_grants(), 1);
  claim(kBert, all[0]);
  EXPECT_EQ(take_messages(v1::ToWorker::kDeny).size(), 1u);
  claim(kAnna, all[0]);
  EXPECT_EQ(take_grants(), 1) << "a repeated claim by the owner is granted again";
  EXPECT_EQ(ledger_->running(), 1u);
}

TEST_F(LedgerTest, DescribesTheJobBeforeTheFirstGrantOnly) {
  open(2);
  hello(kAnna, 1);
  claim(kAnna, offers()[0], 1);
  std::vector<v1::ToWorker::BodyCase> kinds;
  for (const Action& action : ledger_->take_actions()) {
    if (const auto* send = std::get_if<SendToWorker>(&action)) {
      kinds.push_back(send->message.body_case());
    }
  }
  EXPECT_THAT(kinds, ElementsAre(v1::ToWorker::kWelcome, v1::ToWorker::kJob, v1::ToWorker::kGrant));
  claim(kAnna, offers()[0]);
  EXPECT_THAT(take_messages(v1::ToWorker::kJob), IsEmpty());
}

TEST_F(LedgerTest, ADeclineReturnsTheOfferAndSilencesTheCredit) {
  open(1);
  hello(kAnna, 1);
  const auto first = offers();
  decline(kAnna, first[0]);
  EXPECT_FALSE(ledger_->wants_to_offer(0)) << "it counts as full until it says otherwise";
  ledger_->on_message(now_, kAnna, [&] {
    auto message = envelope(kAnna, 1);
    message.mutable_free_slots();
    return message;
  }());
  const auto second = offers();
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].round(), 2u);
  decline(kAnna, first[0]);  // of the first round, late
  claim(kAnna, second[0]);
  EXPECT_EQ(ledger_->running(), 1u);
}

TEST_F(LedgerTest, AnUnansweredOfferRunsOutAndALateClaimIsStillGranted) {
  open(1);
  hello(kAnna, 1);
  const auto first = offers();
  pass(milliseconds(1001));
  EXPECT_TRUE(ledger_->wants_to_offer(0)) << "its credit is free again";
  ledger_->take_actions();
  claim(kAnna, first[0]);
  EXPECT_EQ(take_grants(), 1);
  EXPECT_THAT(offers(), IsEmpty()) << "the queue entry is skipped";
}

TEST_F(LedgerTest, AnOlderMessageDoesNotChangeTheFreeCount) {
  open(4);
  hello(kAnna, 4);
  auto older = envelope(kAnna, 4);
  older.mutable_free_slots();
  auto newer = envelope(kAnna, 0);
  newer.mutable_free_slots();
  ledger_->on_message(now_, kAnna, newer);
  ledger_->on_message(now_, kAnna, older);
  EXPECT_FALSE(ledger_->wants_to_offer(0));
}

TEST_F(LedgerTest, HeartbeatsRenewALeaseAndRevokeWhatIsNotTheirs) {
  open(1);
  hello(kAnna, 1);
  hello(kBert, 1);
  const v1::Offer offer = granted(kAnna);
  for (int i = 0; i < 20; ++i) {
    pass(seconds(1));
    heartbeat(kAnna, {offer.task()});
    heartbeat(kBert, {});
  }
  EXPECT_EQ(ledger_->running(), 1u) << "20 s of a 10 s lease";
  ledger_->take_actions();
  heartbeat(kBert, {offer.task()});
  const auto renewals = take_messages(v1::ToWorker::kRenewal);
  ASSERT_EQ(renewals.size(), 1u);
  EXPECT_EQ(renewals[0].renewal().revoked_size(), 1);
}

TEST_F(LedgerTest, AFinishedButUndeliveredResultKeepsItsLease) {
  open(1);
  hello(kAnna, 1);
  const v1::Offer offer = granted(kAnna);
  for (int i = 0; i < 20; ++i) {
    pass(seconds(1));
    heartbeat(kAnna, {}, {offer.task()});
  }
  EXPECT_EQ(result(kAnna, offer, Outcome::kOk), Verdict::kFinal);
}

TEST_F(LedgerTest, ALostWorkersTaskIsTheNextAttemptAndTheSecondLossQuarantinesIt) {
  open(1);
  hello(kAnna, 1);
  granted(kAnna);
  pass(seconds(11));
  hello(kBert, 1);
  const v1::Offer second = granted(kBert);
  EXPECT_EQ(second.task().attempt(), 2u);
  pass(seconds(11));
  const auto ended = take_ended();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].outcome, Outcome::kLost);
  EXPECT_THAT(ended[0].error, HasSubstr("quarantined"));
  EXPECT_TRUE(ledger_->finished(1));
}

TEST_F(LedgerTest, ATaskThatChangesTheDeviceIsNeverRepeated) {
  SweepPlan plan;
  plan.changes_device = true;
  open(1, plan);
  hello(kAnna, 1);
  granted(kAnna);
  pass(seconds(11));
  const auto ended = take_ended();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].outcome, Outcome::kLost);
  EXPECT_TRUE(ledger_->finished(1));
}

TEST_F(LedgerTest, AResultIsAcknowledgedOnlyOnceItIsStoredAndTakenOnce) {
  open(1);
  hello(kAnna, 1);
  const v1::Offer offer = granted(kAnna);
  EXPECT_EQ(result(kAnna, offer, Outcome::kOk), Verdict::kFinal);
  EXPECT_EQ(result(kAnna, offer, Outcome::kOk), Verdict::kIgnore);
  EXPECT_THAT(take_messages(v1::ToWorker::kResultAck), IsEmpty());
  EXPECT_FALSE(ledger_->finished(1));
  ledger_->stored({1, 0});
  EXPECT_EQ(take_messages(v1::ToWorker::kResultAck).size(), 1u);
  EXPECT_TRUE(ledger_->finished(1));
  EXPECT_EQ(result(kAnna, offer, Outcome::kOk), Verdict::kIgnore);
  EXPECT_EQ(take_messages(v1::ToWorker::kResultAck).size(), 1u) << "a repeated one, again";
}

TEST_F(LedgerTest, AnOldAttemptsResultIsAcknowledgedAndDiscarded) {
  open(1);
  hello(kAnna, 1);
  const v1::Offer first = granted(kAnna);
  pass(seconds(11));
  hello(kBert, 1);
  granted(kBert);
  ledger_->take_actions();
  EXPECT_EQ(result(kAnna, first, Outcome::kOk), Verdict::kIgnore);
  EXPECT_THAT(take_messages(v1::ToWorker::kResultAck), IsEmpty()) << "a stranger by now";
  hello(kAnna, 1);
  EXPECT_EQ(result(kAnna, first, Outcome::kOk), Verdict::kIgnore);
  EXPECT_EQ(take_messages(v1::ToWorker::kResultAck).size(), 1u);
  EXPECT_EQ(ledger_->running(), 1u);
}

TEST_F(LedgerTest, RetriesAfterABackOffAndOnlyAsOftenAsAsked) {
  open(1);
  hello(kAnna, 1);
  EXPECT_EQ(result(kAnna, granted(kAnna), Outcome::kUnreachable, false), Verdict::kRetry);
  EXPECT_EQ(take_messages(v1::ToWorker::kResultAck).size(), 1u);
  pass(milliseconds(400));
  EXPECT_FALSE(ledger_->wants_to_offer(0));
  pass(milliseconds(700));
  hello(kAnna, 1);
  const v1::Offer second = granted(kAnna);
  EXPECT_EQ(second.task().attempt(), 2u);
  EXPECT_EQ(result(kAnna, second, Outcome::kUnreachable, false), Verdict::kFinal);
}

// Somebody else may carry it, and what ended is no fault of the device.
TEST_F(LedgerTest, ALostWayIsTriedAgainAtOnceAndForNothing) {
  open(3);
  hello(kAnna, 1);
  const v1::Offer first = granted(kAnna);
  EXPECT_EQ(result(kAnna, first, Outcome::kJumpFailed, true, true), Verdict::kRetry);
  EXPECT_EQ(take_messages(v1::ToWorker::kResultAck).size(), 1u);
  hello(kAnna, 1);
  const v1::Offer second = granted(kAnna);  // before those that nobody has tried
  EXPECT_EQ(second.task().index(), first.task().index());
  EXPECT_EQ(second.task().attempt(), 2u);
  // From now on as any other failure.
  EXPECT_EQ(result(kAnna, second, Outcome::kJumpFailed, true, true), Verdict::kRetry);
  hello(kAnna, 1);
  EXPECT_EQ(granted(kAnna).task().index(), 1u);
  pass(milliseconds(2100));
  hello(kAnna, 3);
  const std::vector<v1::Offer> rest = offers();
  ASSERT_EQ(rest.size(), 2u);
  EXPECT_EQ(rest[1].task().attempt(), 3u);
  claim(kAnna, rest[1]);
  EXPECT_EQ(result(kAnna, rest[1], Outcome::kJumpFailed, true, true), Verdict::kFinal);
}

TEST_F(LedgerTest, ALostWayIsNoReasonToRepeatWhatMustNotBe) {
  SweepPlan changes;
  changes.changes_device = true;
  open(1, changes);
  hello(kAnna, 1);
  EXPECT_EQ(result(kAnna, granted(kAnna), Outcome::kJumpFailed, true, true), Verdict::kFinal);
  SweepPlan once;
  once.retries = 0;
  open(1, once);
  hello(kAnna, 1);
  EXPECT_EQ(result(kAnna, granted(kAnna), Outcome::kJumpFailed, false, true), Verdict::kFinal);
}

TEST_F(LedgerTest, NeverRetriesARefusedLoginNorACommandThatWasSent) {
  SweepPlan plan;
  plan.max_auth_failures = 0;
  open(2, plan);
  hello(kAnna, 1);
  const v1::Offer first = granted(kAnna);
  EXPECT_EQ(result(kAnna, first, Outcome::kAuthFailed, false), Verdict::kFinal);
  ledger_->stored({1, 0});
  hello(kAnna, 1);
  EXPECT_EQ(result(kAnna, granted(kAnna), Outcome::kTimedOut, true), Verdict::kFinal);
}

TEST_F(LedgerTest, TheFirstRefusedLoginEndsTheSweep) {
  open(3);
  hello(kAnna, 2);
  const auto all = offers();
  claim(kAnna, all[0]);
  claim(kAnna, all[1]);
  ledger_->take_actions();
  EXPECT_EQ(result(kAnna, all[0], Outcome::kAuthFailed, false), Verdict::kFinal);
  const auto ended = take_ended();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].outcome, Outcome::kSkipped);
  EXPECT_TRUE(ledger_->guarded(1));
  EXPECT_EQ(ledger_->running(), 1u) << "what runs is finished";
  EXPECT_EQ(result(kAnna, all[1], Outcome::kUnreachable, false), Verdict::kFinal) << "no retry now";
  ledger_->stored({1, 0});
  ledger_->stored({1, 1});
  EXPECT_TRUE(ledger_->finished(1));
}

TEST_F(LedgerTest, ARefusedCredentialIsNotTriedByOtherSweepsThatHaveAGuard) {
  open(2);
  add(2, 2);
  SweepPlan careless;
  careless.max_auth_failures = 0;
  add(3, 2, careless);
  hello(kAnna, 1);
  const v1::Offer offer = granted(kAnna);
  result(kAnna, offer, Outcome::kAuthFailed, false);
  EXPECT_THAT(take_ended(), SizeIs(3)) << "one of its own, two of the other guarded one";
}

TEST_F(LedgerTest, DrainCancelsWhatHasNotStarted) {
  open(3);
  hello(kAnna, 1);
  const v1::Offer offer = granted(kAnna);
  ledger_->drain(1);
  EXPECT_EQ(take_ended().size(), 2u);
  EXPECT_FALSE(ledger_->finished(1));
  EXPECT_EQ(result(kAnna, offer, Outcome::kOk), Verdict::kFinal);
  ledger_->stored({1, 0});
  EXPECT_TRUE(ledger_->finished(1));
}

TEST_F(LedgerTest, AbandonEndsEverythingAtOnce) {
  open(2);
  hello(kAnna, 1);
  granted(kAnna);
  ledger_->abandon(1);
  EXPECT_EQ(take_ended().size(), 2u);
  EXPECT_TRUE(ledger_->finished(1));
  EXPECT_EQ(ledger_->running(), 0u);
}

TEST_F(LedgerTest, ASilentWorkerGetsNoOffersAndComesBack) {
  open(1);
  hello(kAnna, 1);
  pass(milliseconds(4000));
  EXPECT_FALSE(ledger_->wants_to_offer(0)) << "silent for more than 2.5 heartbeats";
  heartbeat(kAnna, {});
  auto message = envelope(kAnna, 1);
  message.mutable_free_slots();
  ledger_->on_message(now_, kAnna, message);
  EXPECT_TRUE(ledger_->wants_to_offer(0));
}

TEST_F(LedgerTest, AsksAStrangerForItsHello) {
  open(1);
  heartbeat(kAnna, {});
  EXPECT_EQ(take_messages(v1::ToWorker::kHelloAgain).size(), 1u);
}

TEST_F(LedgerTest, AReleasedTaskIsTheNextAttempt) {
  open(1);
  hello(kAnna, 1);
  const v1::Offer offer = granted(kAnna);
  auto message = envelope(kAnna, 1);
  *message.mutable_release()->add_tasks() = offer.task();
  ledger_->on_message(now_, kAnna, message);
  const auto again = offers();
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].task().attempt(), 2u);
}

TEST_F(LedgerTest, ALostReleaseComesAgainWithAHeartbeat) {
  SweepPlan changing;
  changing.changes_device = true;
  open(1, std::move(changing));
  hello(kAnna, 1);
  const v1::Offer offer = granted(kAnna);
  auto message = envelope(kAnna, 1);
  *message.mutable_heartbeat()->add_released() = offer.task();
  ledger_->on_message(now_, kAnna, message);
  EXPECT_THAT(take_messages(v1::ToWorker::kRenewal), SizeIs(1));
  const auto again = offers();
  ASSERT_THAT(again, SizeIs(1)) << "it was never started";
  EXPECT_EQ(again[0].task().attempt(), 2u);
  ledger_->on_message(now_, kAnna, message);
  EXPECT_THAT(offers(), IsEmpty()) << "that attempt is over";
}

TEST_F(LedgerTest, ARepeatedClaimIsDescribedAgain) {
  open(1);
  hello(kAnna, 1);
  const v1::Offer offer = granted(kAnna);
  claim(kAnna, offer);
  const std::vector<Action> actions = ledger_->take_actions();
  ASSERT_THAT(actions, SizeIs(2));
  EXPECT_TRUE(std::get<SendToWorker>(actions[0]).message.has_job());
  EXPECT_TRUE(std::get<SendToWorker>(actions[1]).message.has_grant());
}

TEST_F(LedgerTest, ADenySaysWhichClaimItAnswers) {
  open(1);
  hello(kAnna, 1);
  hello(kBert, 1);
  const v1::Offer offer = offers().at(0);
  claim(kAnna, offer);
  auto message = envelope(kBert, 0);
  *message.mutable_claim()->add_offers() = offer;
  message.mutable_claim()->set_sent_at(77);
  ledger_->on_message(now_, kBert, message);
  const auto denials = take_messages(v1::ToWorker::kDeny);
  ASSERT_THAT(denials, SizeIs(1));
  EXPECT_EQ(denials[0].deny().sent_at(), 77u);
}

TEST_F(LedgerTest, ImpossibleReferencesAreHarmless) {
  open(1);
  hello(kAnna, 1);
  v1::Offer foreign;
  *foreign.mutable_task() = make_ref({7, 99}, 1);
  foreign.set_round(1);
  ledger_->take_actions();
  claim(kAnna, foreign);
  EXPECT_EQ(take_messages(v1::ToWorker::kDeny).size(), 1u);
  decline(kAnna, foreign);
  heartbeat(kAnna, {foreign.task()}, {foreign.task()});
  EXPECT_EQ(result(kAnna, foreign, Outcome::kOk), Verdict::kIgnore);
}

TEST_F(LedgerTest, ARunningTaskOfACancelledSweepIsToldSoAgain) {
  open(1);
  hello(kAnna, 1);
  const v1::Offer offer = granted(kAnna);
  ledger_->drain(1);
  ledger_->cancel_running(1);
  ledger_->take_actions();
  heartbeat(kAnna, {offer.task()});
  EXPECT_EQ(take_messages(v1::ToWorker::kCancel).size(), 1u);
}

TEST_F(LedgerTest, AnOvertakenReleaseIsNothing) {
  open(1);
  hello(kAnna, 1);
  auto release = envelope(kAnna, 1);
  const v1::Offer offer = granted(kAnna);
  *release.mutable_release()->add_tasks() = offer.task();
  ledger_->on_message(now_, kAnna, release);
  EXPECT_EQ(ledger_->running(), 1u);
}

TEST_F(LedgerTest, OffersLastLongerWhereClaimsComeLate) {
  open(2);
  hello(kAnna, 1);
  const auto first = offers();
  pass(milliseconds(1001));
  claim(kAnna, first[0], 1);
  EXPECT_EQ(ledger_->offer_expiry(), Nanoseconds(seconds(2)));
}

TEST_F(LedgerTest, ADeclineOfAnEarlierRoundTakesNothingBack) {
  open(1);
  hello(kAnna, 1);
  hello(kBert, 1);
  const auto first = offers();
  decline(kAnna, first.at(0));
  ASSERT_THAT(offers(), SizeIs(1)) << "Bert has a slot";
  decline(kAnna, first[0]);  // come twice
  EXPECT_FALSE(ledger_->wants_to_offer(0)) << "the second offer is still out";
}

TEST_F(LedgerTest, ALeaseRunsFromTheClaimsReceipt) {
  open(1);
  hello(kAnna, 1);
  granted(kAnna);
  pass(milliseconds(9'999));
  EXPECT_EQ(ledger_->running(), 1u);
  pass(milliseconds(1));
  EXPECT_EQ(ledger_->running(), 0u);
}

TEST_F(LedgerTest, ATaskMissingFromOneHeartbeatIsNotRenewedAndNotRevoked) {
  open(1);
  hello(kAnna, 1);
  const v1::Offer offer = granted(kAnna);
  pass(seconds(5));
  heartbeat(kAnna, {});  // sent before the grant came
  EXPECT_EQ(take_messages(v1::ToWorker::kRenewal).at(0).renewal().revoked_size(), 0);
  EXPECT_EQ(ledger_->running(), 1u);
  pass(seconds(5));
  EXPECT_EQ(ledger_->running(), 0u);
}

TEST_F(LedgerTest, TwoWorkersWithOneNameAreTwo) {
  open(2);
  hello(kAnna, 1, "twin");
  hello(kBert, 1, "twin");
  EXPECT_EQ(ledger_->workers_welcomed(), 2u);
  const auto all = offers();
  ASSERT_THAT(all, SizeIs(2));
  claim(kAnna, all[0]);
  ledger_->take_actions();
  claim(kBert, all[0]);
  EXPECT_THAT(take_messages(v1::ToWorker::kDeny), SizeIs(1)) << "it is leased to the other one";
  claim(kBert, all[1]);
  EXPECT_EQ(ledger_->running(), 2u);
}

TEST_F(LedgerTest, AWorkerThatStartsAgainHoldsNothingOfItsPredecessor) {
  open(1);
  hello(kAnna, 1, "w1");
  const v1::Offer offer = granted(kAnna);
  hello(kBert, 1, "w1");
  heartbeat(kBert, {offer.task()});
  EXPECT_EQ(take_messages(v1::ToWorker::kRenewal).at(0).renewal().revoked_size(), 1);
  EXPECT_EQ(result(kBert, offer, Outcome::kOk), Verdict::kIgnore);
  pass(seconds(10));
  EXPECT_EQ(ledger_->running(), 0u) << "the lease was not renewed";
}

TEST_F(LedgerTest, WhatWasSaidBeforeTheNewestHelloIsNothing) {
  open(1);
  hello(kAnna, 1);
  const v1::Offer offer = offers().at(0);
  v1::ToDispatcher old = envelope(kAnna, 0);
  *old.mutable_claim()->add_offers() = offer;
  hello(kAnna, 1);  // over a new connection: what waits there was said before
  ledger_->on_message(now_, kAnna, old);
  EXPECT_EQ(ledger_->running(), 0u);
  claim(kAnna, offer);
  EXPECT_EQ(ledger_->running(), 1u);
}

TEST_F(LedgerTest, TheLateResultOfALostTaskIsNotedOnce) {
  SweepPlan plan;
  plan.changes_device = true;
  open(1, plan);
  hello(kAnna, 1);
  const v1::Offer offer = granted(kAnna);
  pass(seconds(11));
  ASSERT_THAT(take_ended(), SizeIs(1));
  hello(kAnna, 1);
  EXPECT_EQ(result(kAnna, offer, Outcome::kOk), Verdict::kIgnore);
  const auto notes = take_notes(Noted::What::kLateResult);
  ASSERT_THAT(notes, SizeIs(1));
  EXPECT_EQ(notes[0].outcome, Outcome::kOk);
  EXPECT_EQ(notes[0].task, (TaskKey{1, 0}));
  result(kAnna, offer, Outcome::kOk);
  EXPECT_THAT(take_notes(Noted::What::kLateResult), IsEmpty());
}

TEST_F(LedgerTest, ARepeatedResultIsNoLateOne) {
  open(1);
  hello(kAnna, 1);
  const v1::Offer offer = granted(kAnna);
  result(kAnna, offer, Outcome::kOk);
  ledger_->stored({1, 0});
  ledger_->take_actions();
  result(kAnna, offer, Outcome::kOk);
  EXPECT_THAT(take_notes(Noted::What::kLateResult), IsEmpty());
}

}  // namespace
}  // namespace netfleet

#include "dispatcher/sweep/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace netfleet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t kAnna = 101, kBert = 102;

// One sweep of `tasks` hosts in one lane; a worker's messages are made by a line each.
class LedgerTest : public ::testing::Test {
 protected:
  void open(std::uint32_t tasks, SweepPlan plan = {}, LedgerOptions options = {}) {
    ledger_.emplace(options);
    plan.sweep = 1;
    plan.tasks.assign(tasks, {ledger_->add_lane(""), 0});
    plan.credentials = {"default"};
    ledger_->add_sweep(now_, plan);
  }
  void hello(std::uint64_t worker, std::uint32_t slots) {
    v1::ToDispatcher message = envelope(worker, slots);
    message.mutable_hello()->set_name("w" + std::to_string(worker));
    message.mutable_hello()->set_slots(slots);
    ledger_->on_message(now_, worker, message);
  }
  v1::ToDispatcher envelope(std::uint64_t worker, std::uint32_t free) {
    v1::ToDispatcher message;
    message.set_incarnation(worker);
    message.set_sequence(++sequence_);
    message.set_free(free);
    return message;
  }
  std::vector<v1::Offer> offers() {
    std::vector<v1::Offer> all;
    while (ledger_->wants_to_offer(0)) {
      const v1::OfferFrame frame = ledger_->make_offers(now_, 0);
      all.insert(all.end(), frame.offers().begin(), frame.offers().end());
    }
    return all;
  }
  void claim(std::uint64_t worker, const v1::Offer& offer, std::uint32_t free = 0) {
    v1::ToDispatcher message = envelope(worker, free);
    *message.mutable_claim()->add_offers() = offer;
    ledger_->on_message(now_, worker, message);
  }
  void decline(std::uint64_t worker, const v1::Offer& offer) {
    v1::ToDispatcher message = envelope(worker, 0);
    *message.mutable_decline()->add_offers() = offer;
    ledger_->on_message(now_, worker, message);
  }
  void heartbeat(std::uint64_t worker, std::vector<v1::TaskRef> running,
                 std::vector<v1::TaskRef> finished = {}) {
    v1::ToDispatcher message = envelope(worker, 0);
    for (const auto& ref : running) *message.mutable_heartbeat()->add_running() = ref;
    for (const auto& ref : finished) *message.mutable_heartbeat()->add_finished() = ref;
    message.mutable_heartbeat();
    ledger_->on_message(now_, worker, message);
  }
  Verdict result(std::uint64_t worker, const v1::Offer& offer, Outcome outcome,
                 bool command_sent = true) {
    return ledger_->on_result(now_, worker, key_of(offer.task()), offer.task().attempt(), outcome,
                              command_sent);
  }
  // A claim that is granted, or a test that fails.
  v1::Offer granted(std::uint64_t worker) {
    const std::vector<v1::Offer> all = offers();
    EXPECT_EQ(all.size(), 1u);
    ledger_->take_actions();
    claim(worker, all.front());
    EXPECT_EQ(take_grants(), 1);
    return all.front();
  }
  void pass(Nanoseconds time) {
    now_ += time;
    ledger_->tick(now_);
  }
  std::vector<v1::ToWorker> take_messages(v1::ToWorker::BodyCase kind) {
    std::vector<v1::ToWorker> found;
    for (const Action& action : ledger_->take_actions()) {
      const auto* send = std::get_if<SendToWorker>(&action);
      if (send != nullptr && send->message.body_case() == kind) found.push_back(send->message);
    }
    return found;
  }
  int take_grants() {
    int grants = 0;
    for (const auto& message : take_messages(v1::ToWorker::kGrant)) {
      grants += message.grant().tasks_size();
    }
    return grants;
  }
  std::vector<TaskEnded> take_ended() {
    std::vector<TaskEnded> ended;
    for (const Action& action : ledger_->take_actions()) {
      if (const auto* end = std::get_if<TaskEnded>(&action)) ended.push_back(*end);
    }
    return ended;
  }

  std::optional<Ledger> ledger_;
  TimePoint now_{seconds(1000)};
  std::uint64_t sequence_ = 0;
};

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

TEST_F(LedgerTest, AnotherJournalsMessagesAndResultsDoNotCount) {
  LedgerOptions options;
  options.journal_id = 7;
  open(1, {}, options);
  hello(kAnna, 1);
  EXPECT_EQ(take_messages(v1::ToWorker::kWelcome).at(0).welcome().journal(), 7u);
  auto free = envelope(kAnna, 1);
  free.mutable_free_slots();
  free.set_journal(6);
  ledger_->on_message(now_, kAnna, free);
  v1::ResultFrame frame;
  frame.set_incarnation(kAnna);
  frame.set_journal(6);
  EXPECT_FALSE(ledger_->on_result_frame(now_, frame));
  frame.set_journal(7);
  EXPECT_TRUE(ledger_->on_result_frame(now_, frame));
}

TEST_F(LedgerTest, AfterAPowerCutNothingIsOfferedOrGrantedForALease) {
  SweepPlan plan;
  plan.journal_uncertain = true;
  open(1, plan);
  hello(kAnna, 1);
  EXPECT_FALSE(ledger_->wants_to_offer(0));
  v1::Offer late;
  *late.mutable_task() = make_ref({1, 0}, 1);
  late.set_round(1);
  ledger_->take_actions();
  claim(kAnna, late, 1);
  EXPECT_EQ(take_messages(v1::ToWorker::kDeny).size(), 1u);
  pass(seconds(10));
  hello(kAnna, 1);
  EXPECT_TRUE(ledger_->wants_to_offer(0));
}

TEST_F(LedgerTest, ARestoredLeaseRunsAsLongAsItsDispatcherMayHaveGranted) {
  SweepPlan plan;
  plan.lease_before = seconds(30);
  plan.restored = {{.index = 0, .attempt = 1, .owner = kBert, .outcome = {}}};
  LedgerOptions options;
  options.min_workers = 2;
  open(2, plan, options);
  hello(kAnna, 1);
  EXPECT_TRUE(ledger_->wants_to_offer(0)) << "the workers were there once";
  pass(seconds(29));
  EXPECT_EQ(ledger_->running(), 1u);
  pass(seconds(2));
  EXPECT_EQ(ledger_->running(), 0u);
  ledger_->audit();
}

TEST_F(LedgerTest, OffersLastLongerWhereClaimsComeLate) {
  open(2);
  hello(kAnna, 1);
  const auto first = offers();
  pass(milliseconds(1001));
  claim(kAnna, first[0], 1);
  EXPECT_EQ(ledger_->offer_expiry(), Nanoseconds(seconds(2)));
}

TEST_F(LedgerTest, ARestartBringsNoFreshBurstOfLogins) {
  Limits limits;
  const auto set =
      limits.add_set({limits.add({.name = "aaa", .logins_per_second = 1, .burst = 3})});
  limits.empty_buckets(now_);
  EXPECT_FALSE(limits.acquire(now_, {set, 0}, {1, 0}, false));
  EXPECT_TRUE(limits.acquire(now_ + seconds(1), {set, 0}, {1, 0}, false));
}

}  // namespace
}  // namespace netfleet

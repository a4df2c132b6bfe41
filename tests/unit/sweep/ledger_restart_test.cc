#include "tests/unit/sweep/ledger_fixture.h"

namespace netfleet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

SweepPlan journaled() {
  SweepPlan plan;
  plan.journaled = true;
  return plan;
}

// What stands in the journal before the first of these grants, and what in all.
struct Written {
  std::vector<Journal> entries;
  int before_grant = 0;
};
Written written(Ledger& ledger) {
  Written found;
  bool granted = false;
  for (const Action& action : ledger.take_actions()) {
    if (const auto* entry = std::get_if<Journal>(&action)) {
      found.entries.push_back(*entry);
      if (!granted) ++found.before_grant;
    }
    const auto* send = std::get_if<SendToWorker>(&action);
    granted |= send != nullptr && send->message.has_grant();
  }
  return found;
}

TEST_F(LedgerTest, AGrantIsWrittenDownBeforeItIsSent) {
  open(1, journaled());
  hello(kAnna, 1);
  claim(kAnna, offers().at(0));
  const Written found = written(*ledger_);
  ASSERT_EQ(found.before_grant, 1);
  EXPECT_EQ(found.entries[0].owner, kAnna);
  EXPECT_EQ(found.entries[0].attempt, 1u);
}

TEST_F(LedgerTest, ARepeatedClaimIsNotWrittenDownAgain) {
  open(1, journaled());
  hello(kAnna, 1);
  const v1::Offer offer = granted(kAnna);
  claim(kAnna, offer);
  EXPECT_THAT(written(*ledger_).entries, IsEmpty());
}

TEST_F(LedgerTest, TheNextAttemptIsWrittenDownWithWhatTheTaskHasCost) {
  open(1, journaled());
  hello(kAnna, 1);
  granted(kAnna);
  pass(seconds(11));
  const Written after_loss = written(*ledger_);
  ASSERT_THAT(after_loss.entries, SizeIs(1));
  EXPECT_EQ(after_loss.entries[0].attempt, 2u);
  EXPECT_EQ(after_loss.entries[0].owner, 0u);
  EXPECT_EQ(after_loss.entries[0].deaths, 1);
  hello(kBert, 1);
  result(kBert, granted(kBert), Outcome::kUnreachable, false);
  const Written after_retry = written(*ledger_);
  ASSERT_THAT(after_retry.entries, SizeIs(1));
  EXPECT_EQ(after_retry.entries[0].attempt, 3u);
  EXPECT_EQ(after_retry.entries[0].retries_used, 1);
}

TEST_F(LedgerTest, ASweepWithoutAJournalWritesNothingDown) {
  open(1);
  hello(kAnna, 1);
  claim(kAnna, offers().at(0));
  EXPECT_THAT(written(*ledger_).entries, IsEmpty());
}

TEST_F(LedgerTest, ARestoredLeaseOfASilentOwnerRunsOutAndIsTheNextAttempt) {
  SweepPlan plan;
  plan.restored = {{.index = 0, .attempt = 3, .owner = kBert, .outcome = {}}};
  open(1, plan);
  hello(kAnna, 1);
  EXPECT_THAT(offers(), IsEmpty()) << "Bert may be at work on it";
  pass(seconds(11));
  hello(kAnna, 1);
  const auto again = offers();
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].task().attempt(), 4u);
}

TEST_F(LedgerTest, ARestoredLeaseWhoseOwnerIsHeardGoesOnAndItsResultCounts) {
  SweepPlan plan;
  plan.restored = {{.index = 0, .attempt = 3, .owner = kBert, .outcome = {}}};
  open(1, plan);
  hello(kBert, 1);
  v1::Offer held;
  *held.mutable_task() = make_ref({1, 0}, 3);
  for (int i = 0; i < 15; ++i) {
    pass(seconds(1));
    heartbeat(kBert, {held.task()});
  }
  EXPECT_EQ(ledger_->running(), 1u);
  EXPECT_EQ(result(kBert, held, Outcome::kOk), Verdict::kFinal);
}

TEST_F(LedgerTest, AHelloThatListsARestoredTaskRenewsItsLease) {
  SweepPlan plan;
  plan.restored = {{.index = 0, .attempt = 1, .owner = kBert, .outcome = {}}};
  open(1, plan);
  pass(seconds(9));
  auto message = envelope(kBert, 0);
  message.mutable_hello()->set_slots(1);
  *message.mutable_hello()->add_running() = make_ref({1, 0}, 1);
  ledger_->on_message(now_, kBert, message);
  pass(seconds(9));
  EXPECT_EQ(ledger_->running(), 1u) << "18 s of a 10 s lease";
}

TEST_F(LedgerTest, AClaimUnderWayWhenTheDispatcherDiedIsGrantedAgain) {
  SweepPlan plan;
  plan.restored = {{.index = 0, .attempt = 1, .owner = kBert, .outcome = {}}};
  open(1, plan);
  hello(kAnna, 1);
  hello(kBert, 1);
  v1::Offer offer;
  *offer.mutable_task() = make_ref({1, 0}, 1);
  offer.set_round(1);
  ledger_->take_actions();
  claim(kAnna, offer);
  EXPECT_EQ(take_grants(), 0);
  claim(kBert, offer);
  EXPECT_EQ(take_grants(), 1);
}

TEST_F(LedgerTest, RestoredResultsAreDoneAndTheGuardCountsThem) {
  SweepPlan plan;
  plan.restored = {{.index = 0, .outcome = Outcome::kOk}, {.index = 1, .outcome = Outcome::kOk}};
  open(2, plan);
  EXPECT_TRUE(ledger_->finished(1));
  SweepPlan refused;
  refused.restored = {{.index = 0, .outcome = Outcome::kAuthFailed}};
  add(2, 2, refused);
  EXPECT_TRUE(ledger_->guarded(2));
  EXPECT_TRUE(ledger_->finished(2)) << "the second host ended as skipped";
}

TEST_F(LedgerTest, AttemptsAndLossesAreCountedOnAfterARestart) {
  SweepPlan plan;
  plan.restored = {{.index = 0, .attempt = 2, .deaths = 1, .retries_used = 1, .outcome = {}}};
  open(1, plan);
  hello(kAnna, 1);
  const v1::Offer offer = granted(kAnna);
  EXPECT_EQ(offer.task().attempt(), 2u);
  pass(seconds(11));
  const auto ended = take_ended();
  ASSERT_THAT(ended, SizeIs(1)) << "the second worker that it cost";
  EXPECT_EQ(ended[0].outcome, Outcome::kLost);
}

TEST_F(LedgerTest, AfterAPowerCutEvenTheOldOwnersLeaseIsWaitedForAsLongAsItWasGiven) {
  SweepPlan plan;
  plan.journal_uncertain = true;
  plan.lease_before = seconds(30);
  open(1, plan);
  pass(seconds(29));
  hello(kAnna, 1);
  EXPECT_FALSE(ledger_->wants_to_offer(0));
  pass(seconds(1));
  EXPECT_TRUE(ledger_->wants_to_offer(0));
}

TEST_F(LedgerTest, AfterAPowerCutNoAttemptHasTheNumberOfAForgottenOne) {
  SweepPlan plan;
  plan.journal_uncertain = true;
  plan.least_attempt = 17;
  plan.restored = {{.index = 1, .attempt = 20, .outcome = {}},
                   {.index = 2, .attempt = 3, .owner = kBert, .outcome = {}}};
  open(3, plan);
  pass(seconds(10));  // Bert's lease ends, too
  hello(kAnna, 3);
  std::vector<std::uint32_t> attempts(3);
  for (const v1::Offer& offer : offers()) {
    attempts[offer.task().index()] = offer.task().attempt();
  }
  EXPECT_THAT(attempts, ElementsAre(17u, 20u, 17u));
}

TEST_F(LedgerTest, AfterAPowerCutNotEvenTheOwnerIsGrantedAgain) {
  SweepPlan plan;
  plan.journal_uncertain = true;
  plan.restored = {{.index = 0, .attempt = 1, .owner = kBert, .outcome = {}}};
  open(1, plan);
  hello(kBert, 1);
  v1::Offer offer;
  *offer.mutable_task() = make_ref({1, 0}, 1);
  ledger_->take_actions();
  claim(kBert, offer);
  EXPECT_EQ(take_messages(v1::ToWorker::kDeny).size(), 1u);
  EXPECT_EQ(ledger_->running(), 1u) << "what it runs it may go on with";
}

TEST_F(LedgerTest, AFailedJournalSkipsWhatIsNotStartedAndWhatWasWithheld) {
  open(3, journaled());
  hello(kAnna, 2);
  const auto all = offers();
  claim(kAnna, all.at(0), 1);  // its grant was sent
  claim(kAnna, all.at(1));     // its grant waits for the journal
  ledger_->take_actions();
  ledger_->journal_failed(1, {key_of(all[1].task())});
  const auto ended = take_ended();
  ASSERT_THAT(ended, SizeIs(2));
  for (const TaskEnded& end : ended) {
    EXPECT_EQ(end.outcome, Outcome::kSkipped);
    EXPECT_THAT(end.error, HasSubstr("the store cannot be written"));
    EXPECT_NE(end.task, key_of(all[0].task()));
  }
  EXPECT_EQ(ledger_->running(), 1u);
  EXPECT_EQ(result(kAnna, all[0], Outcome::kOk), Verdict::kFinal);
  ledger_->stored({1, all[0].task().index()});
  EXPECT_TRUE(ledger_->finished(1));
  ledger_->audit();
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

}  // namespace
}  // namespace netfleet

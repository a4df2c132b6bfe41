#include "dispatcher/schedule/agenda.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace netfleet {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Instant kMidnight{date::sys_days(date::year(2026) / 11 / 25)};

class AgendaTest : public testing::Test {
 protected:
  static Schedule schedule(const std::string& cron) {
    return {"nightly", CronExpression::parse(cron).value(), find_zone("UTC").value()};
  }
  // "start 02:00", "cancel", "skip: why". What is to start does so at once.
  std::vector<std::string> advance(Instant now) {
    std::vector<std::string> result;
    for (const Agenda::Step& step : agenda_.advance(now)) {
      switch (step.kind) {
        case Agenda::Step::Kind::kStart:
          result.push_back("start " + date::format("%R", step.due));
          agenda_.started(step.schedule);
          break;
        case Agenda::Step::Kind::kCancel:
          result.emplace_back("cancel");
          break;
        case Agenda::Step::Kind::kSkip:
          result.push_back("skip: " + step.reason);
          break;
      }
    }
    return result;
  }
  Agenda agenda_;
};

TEST_F(AgendaTest, StartsWhatIsDueAndNothingElse) {
  agenda_.set(schedule("0 2 * * *"), kMidnight);
  EXPECT_EQ(agenda_.next(), kMidnight + hours(2));
  EXPECT_THAT(advance(kMidnight + hours(2) - seconds(1)), IsEmpty());
  EXPECT_THAT(advance(kMidnight + hours(2)), ElementsAre("start 02:00"));
  EXPECT_THAT(advance(kMidnight + hours(2)), IsEmpty());
  EXPECT_EQ(agenda_.next(), kMidnight + days(1) + hours(2));
  EXPECT_EQ(agenda_.taken_until("nightly"), kMidnight + hours(2));
}

TEST_F(AgendaTest, TakesNoFiringAgainAfterARestart) {
  agenda_.set(schedule("0 2 * * *"), kMidnight + hours(2));  // as the store remembers it
  EXPECT_THAT(advance(kMidnight + hours(2)), IsEmpty());
  EXPECT_EQ(agenda_.next(), kMidnight + days(1) + hours(2));
}

TEST_F(AgendaTest, SkipsWhileTheLastSweepRuns) {
  agenda_.set(schedule("* * * * *"), kMidnight);
  EXPECT_THAT(advance(kMidnight + minutes(1)), ElementsAre("start 00:01"));
  EXPECT_THAT(advance(kMidnight + minutes(2)), ElementsAre("skip: the sweep before it still runs"));
  agenda_.ended("nightly");
  EXPECT_THAT(advance(kMidnight + minutes(2)), IsEmpty());
  EXPECT_THAT(advance(kMidnight + minutes(3)), ElementsAre("start 00:03"));
}

TEST_F(AgendaTest, QueuesOneBehindTheLastSweep) {
  Schedule queued = schedule("* * * * *");
  queued.overlap = Overlap::kQueue;
  agenda_.set(queued, kMidnight);
  EXPECT_THAT(advance(kMidnight + minutes(1)), ElementsAre("start 00:01"));
  EXPECT_THAT(advance(kMidnight + minutes(2)), IsEmpty());
  // Only the newest waits; what becomes of the other is told.
  const auto steps = agenda_.advance(kMidnight + minutes(3));
  ASSERT_EQ(steps.size(), 1);
  EXPECT_EQ(steps[0].kind, Agenda::Step::Kind::kSkip);
  EXPECT_EQ(steps[0].due, kMidnight + minutes(2));
  EXPECT_EQ(steps[0].taken, kMidnight + minutes(2));
  EXPECT_THAT(steps[0].reason, HasSubstr("still ran when 2026-11-25T00:03:00Z was due"));
  agenda_.ended("nightly");
  EXPECT_THAT(advance(kMidnight + minutes(3)), ElementsAre("start 00:03"));
  agenda_.ended("nightly");
  EXPECT_THAT(advance(kMidnight + minutes(3)), IsEmpty());
}

TEST_F(AgendaTest, OfTwoThatAreDueTogetherTheNewestStarts) {
  Schedule queued = schedule("* * * * *");
  queued.overlap = Overlap::kQueue;
  agenda_.set(queued, kMidnight);
  EXPECT_THAT(advance(kMidnight + minutes(1)), ElementsAre("start 00:01"));
  EXPECT_THAT(advance(kMidnight + minutes(2)), IsEmpty());
  agenda_.ended("nightly");
  EXPECT_THAT(advance(kMidnight + minutes(3)),
              ElementsAre(HasSubstr("still ran when"), "start 00:03"));
}

// A sweep that is being prepared is in no store yet: what were written down of later firings would
// make a restart forget it.
TEST_F(AgendaTest, DecidesNothingMoreWhileASweepBegins) {
  agenda_.set(schedule("* * * * *"), kMidnight);
  ASSERT_EQ(agenda_.advance(kMidnight + minutes(1)).size(), 1);
  EXPECT_EQ(agenda_.next(), std::nullopt);
  EXPECT_THAT(advance(kMidnight + minutes(2)), IsEmpty());
  agenda_.started("nightly");
  EXPECT_EQ(agenda_.next(), kMidnight + minutes(2));
  EXPECT_THAT(advance(kMidnight + minutes(2)), ElementsAre("skip: the sweep before it still runs"));
}

TEST_F(AgendaTest, ASweepThatGoesOnIsCancelledOnceItIsThere) {
  Schedule cancelling = schedule("* * * * *");
  cancelling.overlap = Overlap::kCancel;
  agenda_.set(cancelling, kMidnight + minutes(1));
  agenda_.goes_on("nightly");
  EXPECT_THAT(advance(kMidnight + minutes(2)), IsEmpty());
  agenda_.started("nightly");
  EXPECT_THAT(advance(kMidnight + minutes(2)), ElementsAre("cancel"));
}

TEST_F(AgendaTest, ASweepThatCouldNotBeBegunIsInNobodysWay) {
  agenda_.set(schedule("* * * * *"), kMidnight);
  ASSERT_EQ(agenda_.advance(kMidnight + minutes(1)).size(), 1);
  agenda_.ended("nightly");
  EXPECT_THAT(advance(kMidnight + minutes(2)), ElementsAre("start 00:02"));
}

TEST_F(AgendaTest, TellsWhatWaitedWhenItIsRemoved) {
  Schedule queued = schedule("* * * * *");
  queued.overlap = Overlap::kQueue;
  agenda_.set(queued, kMidnight);
  EXPECT_THAT(advance(kMidnight + minutes(1)), ElementsAre("start 00:01"));
  EXPECT_THAT(advance(kMidnight + minutes(2)), IsEmpty());
  EXPECT_EQ(agenda_.remove("nightly"), kMidnight + minutes(2));
  EXPECT_EQ(agenda_.remove("nightly"), std::nullopt);
}

TEST_F(AgendaTest, CancelsTheLastSweepAndThenStarts) {
  Schedule cancelling = schedule("* * * * *");
  cancelling.overlap = Overlap::kCancel;
  agenda_.set(cancelling, kMidnight);
  EXPECT_THAT(advance(kMidnight + minutes(1)), ElementsAre("start 00:01"));
  EXPECT_THAT(advance(kMidnight + minutes(2)), ElementsAre("cancel"));
  EXPECT_THAT(advance(kMidnight + minutes(3)),  // it is being cancelled
              ElementsAre(HasSubstr("still ran when 2026-11-25T00:03:00Z was due")));
  agenda_.ended("nightly");
  EXPECT_THAT(advance(kMidnight + minutes(3)), ElementsAre("start 00:03"));
}

TEST_F(AgendaTest, SkipsWhatWasMissed) {
  agenda_.set(schedule("0 2 * * *"), kMidnight);
  EXPECT_THAT(advance(kMidnight + days(2) + hours(3)),
              ElementsAre("skip: missed: it was due 25h ago, and 1 before it",
                          "skip: missed: it was due 1h ago"));
  EXPECT_THAT(advance(kMidnight + days(3) + hours(2)), ElementsAre("start 02:00"));
}

TEST_F(AgendaTest, RunsWhatWasMissedOnceUnlessTooLate) {
  Schedule once = schedule("0 2 * * *");
  once.missed = Missed::kOnce;
  once.latest = hours(2);
  agenda_.set(once, kMidnight);
  // What is written down of those before it does not cover the one that starts.
  const auto steps = agenda_.advance(kMidnight + days(2) + hours(4));
  ASSERT_EQ(steps.size(), 2);
  EXPECT_EQ(steps[0].taken, kMidnight + days(1) + hours(2));
  EXPECT_EQ(steps[0].due, steps[0].taken);
  EXPECT_EQ(steps[0].reason, "missed: it was due 26h ago, and 1 before it");
  EXPECT_EQ(steps[1].kind, Agenda::Step::Kind::kStart);
  EXPECT_EQ(steps[1].taken, kMidnight + days(2) + hours(2));
  agenda_.ended("nightly");
  EXPECT_THAT(advance(kMidnight + days(3) + hours(4) + seconds(1)),
              ElementsAre(HasSubstr("more than the 2h that it may be late")));
}

TEST_F(AgendaTest, ABusySecondIsNotMissed) {
  agenda_.set(schedule("0 2 * * *"), kMidnight);
  EXPECT_THAT(advance(kMidnight + hours(2) + seconds(59)), ElementsAre("start 02:00"));
}

TEST_F(AgendaTest, GoesOnWhenTheClockIsSetBack) {
  agenda_.set(schedule("0 2 * * *"), kMidnight);
  EXPECT_THAT(advance(kMidnight + hours(2)), ElementsAre("start 02:00"));
  agenda_.ended("nightly");
  // By less than an hour: the firing is not due again.
  EXPECT_THAT(advance(kMidnight + hours(2) - minutes(30)), IsEmpty());
  EXPECT_THAT(advance(kMidnight + hours(2)), IsEmpty());
  // By a day: it goes on from there, and says so.
  EXPECT_THAT(advance(kMidnight - days(1) + hours(2)),
              ElementsAre(HasSubstr("the clock was set back")));
  EXPECT_THAT(advance(kMidnight + hours(2)), ElementsAre("start 02:00"));
}

TEST_F(AgendaTest, AReloadDisturbsNothingThatRuns) {
  agenda_.set(schedule("* * * * *"), kMidnight);
  EXPECT_THAT(advance(kMidnight + minutes(1)), ElementsAre("start 00:01"));
  agenda_.set(schedule("*/5 * * * *"), kMidnight);
  EXPECT_EQ(agenda_.next(), kMidnight + minutes(5));
  EXPECT_THAT(advance(kMidnight + minutes(5)), ElementsAre("skip: the sweep before it still runs"));
  agenda_.remove("nightly");
  agenda_.ended("nightly");
  EXPECT_EQ(agenda_.next(), std::nullopt);
}

TEST_F(AgendaTest, JitterIsTheSameForAFiring) {
  Schedule late = schedule("0 2 * * *");
  late.jitter = minutes(30);
  agenda_.set(late, kMidnight);
  const Instant due = agenda_.next_of("nightly");
  EXPECT_GE(due, kMidnight + hours(2));
  EXPECT_LT(due, kMidnight + hours(2) + minutes(30));
  Agenda restarted;
  restarted.set(late, kMidnight);
  EXPECT_EQ(restarted.next_of("nightly"), due);
  EXPECT_THAT(advance(due), ElementsAre("start " + date::format("%R", due)));
  EXPECT_EQ(agenda_.taken_until("nightly"), kMidnight + hours(2));
}

}  // namespace
}  // namespace netfleet

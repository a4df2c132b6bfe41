#include "dispatcher/output/progress.h"

#include <gtest/gtest.h>

namespace netfleet {
namespace {

using std::chrono::seconds;

TimePoint at(int second) { return TimePoint(seconds(second)); }

TEST(Progress, BeforeTheFirstResultThereIsNoRate) {
  const Progress progress(50'000, at(100));
  EXPECT_EQ(progress.line(at(100), 0, 80), "0/50000 0%");
  EXPECT_EQ(progress.line(at(105), 50, 80), "0/50000 0%  50 running");
}

TEST(Progress, ShowsRateTimeLeftRunningAndFailures) {
  Progress progress(1000, at(100));
  for (int i = 0; i < 247; ++i) progress.count(Outcome::kOk);
  progress.count(Outcome::kTimedOut);
  progress.count(Outcome::kTimedOut);
  progress.count(Outcome::kUnreachable);
  EXPECT_EQ(progress.line(at(110), 50, 120),
            "250/1000 25%  25/s  ETA 30s  50 running  1 unreachable  2 timed_out");
}

TEST(Progress, MayBeToldAllAtOnce) {
  Progress progress(1000, at(100));
  std::array<std::uint32_t, kOutcomeCount> by_outcome{};
  by_outcome[0] = 247;
  by_outcome[static_cast<std::size_t>(Outcome::kLost)] = 3;
  progress.count(Outcome::kOk);
  progress.set(by_outcome);
  EXPECT_EQ(progress.line(at(110), 0, 120), "250/1000 25%  25/s  ETA 30s  3 lost");
}

TEST(Progress, TimeLeftReadsWellAtEveryLength) {
  const auto line = [](std::uint32_t total, int after) {
    Progress progress(total, at(0));
    progress.count(Outcome::kOk);
    return progress.line(at(after), 0, 80);
  };
  EXPECT_EQ(line(60, 1), "1/60 1%  1.0/s  ETA 59s");
  EXPECT_EQ(line(126, 1), "1/126 0%  1.0/s  ETA 2m05s");
  EXPECT_EQ(line(3721, 1), "1/3721 0%  1.0/s  ETA 1h02m");
  EXPECT_EQ(line(1, 2), "1/1 100%  0.5/s");
}

TEST(Progress, IsOnlyCompleteWhenItIs) {
  Progress progress(1000, at(0));
  for (int i = 0; i < 999; ++i) progress.count(Outcome::kOk);
  EXPECT_EQ(progress.line(at(0), 1, 80), "999/1000 99%  1 running");
}

TEST(Progress, FitsTheTerminal) {
  Progress progress(1'000'000, at(0));
  for (int i = 0; i < kOutcomeCount; ++i) progress.count(static_cast<Outcome>(i));
  const std::string whole = progress.line(at(10), 500, 1000);
  for (int columns = -1; columns < 300; ++columns) {
    const std::string line = progress.line(at(10), 500, columns);
    EXPECT_LE(line.size(), static_cast<std::size_t>(std::max(columns, 0)));
    EXPECT_TRUE(whole.starts_with(line));
  }
  EXPECT_EQ(progress.line(at(10), 500, 20), "13/1000000 0%  1.3/s");
}

TEST(Progress, OfNothingDividesByNothing) {
  EXPECT_EQ(Progress(0, at(0)).line(at(0), 0, 80), "0/0 100%");
}

}  // namespace
}  // namespace netfleet

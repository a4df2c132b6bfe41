#include "dispatcher/fleet/log.h"

#include <gmock/gmock.h>

namespace netfleet {
namespace {

using testing::HasSubstr;
using testing::Not;
using What = Noted::What;

LogSubject subject() { return {.sweep = "20261122-191548-3fa9", .host = "edge-7"}; }

TEST(Log, ASentenceAndItsKeysInTheirOrder) {
  EXPECT_EQ(log_noted({What::kGranted, "w1", {1, 7}, 2}, subject()),
            "granted: sweep=20261122-191548-3fa9 host=edge-7 attempt=2 worker=w1");
  EXPECT_EQ(log_noted({What::kWorkerJoined, "w1"}, {}), "worker joined: worker=w1");
  EXPECT_EQ(log_line("nothing else to say", {{"host", ""}}), "nothing else to say");
}

TEST(Log, ValuesThatAreNotPlainAreQuoted) {
  EXPECT_EQ(log_line("x", {{"a", "two words"}, {"b", "say \"hi\" \\"}, {"c", "k=v"}}),
            "x: a=\"two words\" b=\"say \\\"hi\\\" \\\\\" c=\"k=v\"");
  EXPECT_EQ(log_line("x", {{"host", "[2001:db8::7]:22"}, {"worker", "a_b-1.net"}}),
            "x: host=[2001:db8::7]:22 worker=a_b-1.net");
}

TEST(Log, AValueCannotForgeALineOrSteerATerminal) {
  const std::string line =
      log_noted({What::kWorkerJoined, "w\nnetfleet: granted: host=x\x1b[2J\xff"}, {});
  EXPECT_THAT(line, Not(HasSubstr("\n")));
  EXPECT_THAT(line, Not(HasSubstr("\x1b")));
  EXPECT_THAT(line, HasSubstr("worker=\"w netfleet: granted: host=x^[[2J"));
}

TEST(Log, LongValuesAreCut) {
  const std::string line = log_line("x", {{"error", std::string(5000, 'e')}});
  EXPECT_LT(line.size(), 400u);
  EXPECT_TRUE(line.ends_with("e...\"")) << line;
}

TEST(Log, ALateResultSaysHowTheLostTaskEnded) {
  EXPECT_EQ(log_noted({What::kLateResult, "w1", {1, 7}, 1, Outcome::kOk}, subject()),
            "late result of a lost task, which was finished after all; it stays lost: "
            "sweep=20261122-191548-3fa9 host=edge-7 attempt=1 worker=w1 outcome=ok");
}

TEST(Log, ARegionWithoutWorkers) {
  LogSubject region;
  region.region_hosts = 12;
  region.region_timeout = std::chrono::minutes(5);
  EXPECT_EQ(log_noted({What::kRegionWaits, "eu"}, region),
            "no worker serves region 'eu': its 12 hosts wait (region-timeout 5m): region=eu "
            "hosts=12");
  region.region_hosts = 1;
  EXPECT_THAT(log_noted({What::kRegionWaits, ""}, region),
              HasSubstr("no worker serves the default region: its 1 host waits"));
  EXPECT_THAT(log_noted({What::kRegionGivenUp, "eu"}, region), HasSubstr("are given up"));
}

TEST(Log, WhatPeopleMustKnow) {
  for (const What what : {What::kWorkerSilent, What::kLeaseEnded, What::kLateResult, What::kGuard,
                          What::kRegionWaits, What::kRegionGivenUp}) {
    EXPECT_TRUE(is_warning(what));
  }
  for (const What what : {What::kWorkerJoined, What::kWorkerLeft, What::kGranted, What::kRetry}) {
    EXPECT_FALSE(is_warning(what));
  }
}

TEST(Log, ResultsSayHowTheyEndedAndNothingOfTheirOutput) {
  TaskResult result;
  result.attempt = 1;
  result.outcome = Outcome::kCommandFailed;
  result.error = "run 'show x' on edge-7: refused: % Invalid input secret-of-device";
  result.worker = "w1";
  result.duration = Milliseconds(412);
  result.commands = {{"show x", "output-of-device", Outcome::kCommandFailed, {}, false}};
  EXPECT_EQ(log_result(result, subject()),
            "ended: sweep=20261122-191548-3fa9 host=edge-7 attempt=1 worker=w1 "
            "outcome=command_failed ms=412");
}

TEST(Log, ARetrySaysWhy) {
  v1::TaskResult result;
  result.mutable_task()->set_attempt(1);
  result.set_outcome(v1::OUTCOME_UNREACHABLE);
  result.set_duration_ms(10'000);
  result.set_error("connect edge-7 (10.0.0.7:22): timed out after 10 s");
  EXPECT_EQ(log_retry(result, "w1", subject()),
            "another attempt follows: sweep=20261122-191548-3fa9 host=edge-7 attempt=1 worker=w1 "
            "outcome=unreachable ms=10000 "
            "error=\"connect edge-7 (10.0.0.7:22): timed out after 10 s\"");
}

TEST(Log, Progress) {
  v1::Progress progress;
  progress.mutable_task()->set_attempt(1);
  progress.set_session_thread(0);
  progress.set_stage("command 2/3");
  EXPECT_EQ(log_progress(progress, "w1", subject()),
            "at work: sweep=20261122-191548-3fa9 host=edge-7 attempt=1 worker=w1 thread=0 "
            "stage=\"command 2/3\"");
}

}  // namespace
}  // namespace netfleet

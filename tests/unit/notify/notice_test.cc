#include "dispatcher/notify/notice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "dispatcher/notify/notifier.h"

namespace netfleet {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::HasSubstr;

Notice some_notice() {
  Notice notice;
  notice.summary.sweep = "20261122-191548-3fa9";
  notice.summary.total = 10;
  for (int i = 0; i < 7; ++i) notice.summary.count(Outcome::kOk);
  notice.summary.count(Outcome::kTimedOut);
  notice.summary.count(Outcome::kTimedOut);
  notice.summary.count(Outcome::kCancelled);
  notice.summary.elapsed = Milliseconds(1234);
  notice.started_at = WallTime(Milliseconds(1'795'374'948'123));
  notice.exit_status = 1;
  notice.failed = {{"edge-1", Outcome::kTimedOut, "connect edge-1: timed out"}};
  return notice;
}

TEST(Notice, IsExactlyTheDocumentedObject) {
  EXPECT_EQ(notice_json(some_notice()),
            R"({"event":"ended","text":"netfleet sweep 20261122-191548-3fa9 has ended: 2 of 10 )"
            R"(hosts failed","sweep":"20261122-191548-3fa9",)"
            R"("started_at":"2026-11-22T19:15:48.123Z","hosts":10,"done":10,"failed":2,)"
            R"("outcomes":{"ok":7,"timed_out":2,"cancelled":1},"elapsed_ms":1234,"exit_status":1,)"
            R"("failed_hosts":[{"host":"edge-1","outcome":"timed_out",)"
            R"("error":"connect edge-1: timed out"}]})"
            "\n");
}

TEST(Notice, OfFailuresHasNoEnd) {
  Notice notice = some_notice();
  notice.event = Notice::Event::kFailures;
  notice.summary.elapsed.reset();
  notice.exit_status.reset();
  const Json object = Json::parse(notice_json(notice));
  EXPECT_EQ(object["event"], "failures");
  EXPECT_FALSE(object.contains("elapsed_ms"));
  EXPECT_FALSE(object.contains("exit_status"));
}

TEST(Notice, IsBoundedAndAsciiWhateverDevicesSay) {
  Notice notice = some_notice();
  notice.failed.assign(100, {std::string(5000, '\x01'), Outcome::kInternal,
                             "\xff\x1b[2J\xe2\x82\xac\n" + std::string(100'000, '\xfe')});
  const std::string json = notice_json(notice);
  EXPECT_LT(json.size(), 32u << 10);
  EXPECT_EQ(Json::parse(json)["failed_hosts"].size(), 20u);
  for (const char byte : json) EXPECT_TRUE(byte == '\n' || (byte >= 0x20 && byte < 0x7f));
}

TEST(FailureThreshold, IsACountOrAShare) {
  EXPECT_TRUE(FailureThreshold::parse("3")->reached(3, 1000));
  EXPECT_FALSE(FailureThreshold::parse("3")->reached(2, 2));
  EXPECT_TRUE(FailureThreshold::parse("2.5%")->reached(25, 1000));
  EXPECT_FALSE(FailureThreshold::parse("2.5%")->reached(24, 1000));
  EXPECT_FALSE(FailureThreshold::parse("0.1%")->reached(0, 10));
  EXPECT_TRUE(FailureThreshold::parse("100%")->reached(10, 10));
  for (const char* bad : {"", "0", "-1", "x", "1x", "%", "0%", "101%", "1e999%", "nan%", "5 %"}) {
    const auto parsed = FailureThreshold::parse(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_THAT(parsed.error().message, HasSubstr(bad));
  }
}

TEST(FailureThreshold, WhatWasCalledOffIsNoFailure) {
  EXPECT_TRUE(is_failure(Outcome::kUnreachable));
  EXPECT_TRUE(is_failure(Outcome::kLost));
  for (const Outcome outcome :
       {Outcome::kOk, Outcome::kCancelled, Outcome::kSkipped, Outcome::kDeferred}) {
    EXPECT_FALSE(is_failure(outcome));
  }
}

TEST(Webhook, IsAnAddressWithoutSecretsOfItsOwnKind) {
  for (const char* good :
       {"https://hooks.example.net/a?b=c", "http://127.0.0.1:8080", "http://a/@"}) {
    EXPECT_TRUE(check_webhook(good)) << good;
  }
  for (const char* bad :
       {"", "example.net", "ftp://a/b", "https://", "https:///x", "http://a b/", "https://u:p@a/",
        "file:///etc/passwd", "https://a/\n", "https://\xc3\xa4/"}) {
    EXPECT_FALSE(check_webhook(bad)) << bad;
  }
}

}  // namespace
}  // namespace netfleet

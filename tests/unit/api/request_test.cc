#include "dispatcher/api/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace netfleet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string why_not(const auto& answer) { return answer ? "accepted" : answer.error().message; }

TEST(Request, TargetIsPartsAndQuery) {
  const auto target = parse_target("/v1/sweeps/a%20b?host=edge-%2A&x=1+2&empty=&&flag");
  ASSERT_TRUE(target) << target.error().message;
  EXPECT_THAT(target->parts, ElementsAre("v1", "sweeps", "a b"));
  EXPECT_EQ(target->query.text("host"), "edge-*");
  EXPECT_EQ(target->query.text("x"), "1 2");
  EXPECT_EQ(target->query.text("nothing"), "");
  EXPECT_TRUE(target->query.allow({"host", "x", "empty", "flag"}));
  EXPECT_THAT(why_not(target->query.allow({"host", "x", "empty"})), HasSubstr("'flag'"));
}

TEST(Request, TricksInPathsAreRefused) {
  for (const char* path : {"",
                           "v1",
                           "//v1/jobs",
                           "/v1//jobs",
                           "/v1/jobs/",
                           "/v1/./jobs",
                           "/v1/../jobs",
                           "/v1/%2e/x",
                           "/v1/%2E%2e/x",
                           "/v1/a%2fb",
                           "/v1/a%2Fb",
                           "/v1/a%00",
                           "/v1/a%0ab",
                           "/v1/%",
                           "/v1/%2",
                           "/v1/%zz",
                           "/v1/%ff",
                           "/v1/%c0%ae",
                           "/v1/a#b",
                           "http://x/v1/jobs",
                           "*",
                           "/a/b/c/d/e/f/g/h/i",
                           "/v1/a\x7f"}) {
    EXPECT_FALSE(parse_target(path)) << path;
  }
  EXPECT_FALSE(parse_target("/v1/" + std::string(5000, 'a')));
  EXPECT_FALSE(parse_target("/v1/jobs?a=%00"));
  EXPECT_FALSE(parse_target("/v1/jobs?a=%ff"));
  EXPECT_THAT(why_not(parse_target("/v1/jobs?a=1&a=2")), HasSubstr("twice"));
}

TEST(Request, NumbersAreWholeAndInBounds) {
  const auto query = *Query::parse("a=7&b=-1&c=1x&d=&e=99999999999&f=+7");
  EXPECT_EQ(query.number("a", 1, 7)->value(), 7);
  EXPECT_FALSE(query.number("none", 1, 7)->has_value());
  EXPECT_FALSE(query.number("a", 8, 9));
  for (const char* name : {"b", "c", "d", "e", "f"}) EXPECT_FALSE(query.number(name, 0, 100));
  EXPECT_TRUE(*query.either("a", "7", "8", false));
  EXPECT_FALSE(query.either("a", "yes", "no", false));
}

TEST(Request, LoopbackHostsAreThoseOnly) {
  for (const char* host : {"localhost", "LocalHost:7680", "127.0.0.1", "127.0.0.1:7680",
                           "127.1.2.3:1", "[::1]", "[::1]:7680"}) {
    EXPECT_TRUE(is_loopback_host(host)) << host;
  }
  for (const char* host : {"", "evil.example", "127.evil.example", "localhost.evil.example",
                           "10.0.0.1", "[::2]", "[::1].evil", "127.0.0.1.nip.io"}) {
    EXPECT_FALSE(is_loopback_host(host)) << host;
  }
}

TEST(Request, BodiesAreObjectsInBounds) {
  EXPECT_TRUE(parse_body("")->empty());
  for (const char* body :
       {"[]", "1", "null", "{", "{} {}", "{\"a\":\"\xff\"}", "{'a':1}", "\xef"}) {
    EXPECT_FALSE(parse_body(body)) << body;
  }
  EXPECT_THAT(why_not(parse_body(R"({"a":[[[[1]]]]})")), HasSubstr("deep"));
  EXPECT_THAT(why_not(parse_body(std::string(500'000, '['))), HasSubstr("deep"));
  EXPECT_THAT(why_not(parse_body(std::string(1'048'577, ' '))), HasSubstr("too large"));
}

TEST(Request, SubmissionsAreChecked) {
  const auto submission = parse_submission(
      R"({"job":"backup","limit":["a","b"],"commands":["show clock"],"configuration":"x\ny",)"
      R"("dry_run":true})");
  ASSERT_TRUE(submission) << submission.error().message;
  EXPECT_EQ(submission->job, "backup");
  EXPECT_THAT(submission->limits, ElementsAre("a", "b"));
  EXPECT_THAT(submission->commands, ElementsAre("show clock"));
  EXPECT_EQ(submission->configuration, "x\ny");
  EXPECT_TRUE(submission->dry_run);
  EXPECT_FALSE(submission->may_change);
  EXPECT_FALSE(parse_submission(R"({"job":"a","configuration":null})")->configuration);
  for (const auto& [body, why] : {std::pair("{}", "'job' is missing"),
                                  {R"({"job":""})", "empty"},
                                  {R"({"job":1})", "a text"},
                                  {R"({"job":"a","may_change":true})", "'may_change'"},
                                  {R"({"job":"a","who":"x"})", "'who'"},
                                  {R"({"job":"a\nb"})", "one line"},
                                  {R"({"job":"a","limit":"x"})", "list"},
                                  {R"({"job":"a","limit":[1]})", "a text"},
                                  {R"({"job":"a","commands":["x\ny"]})", "one line"},
                                  {R"({"job":"a","commands":["x\u0000"]})", "one line"},
                                  {R"({"job":"a","configuration":"\u0000"})", "NUL"},
                                  {R"({"job":"a","dry_run":1})", "true or false"}}) {
    EXPECT_THAT(why_not(parse_submission(body)), HasSubstr(why)) << body;
  }
}

TEST(Request, OtherBodiesAreChecked) {
  EXPECT_FALSE(*parse_cancel(""));
  EXPECT_TRUE(*parse_cancel(R"({"now":true})"));
  EXPECT_FALSE(parse_cancel(R"({"now":"yes"})"));
  EXPECT_EQ(*parse_retry(""), kFailedOutcomes);
  EXPECT_EQ(*parse_retry(R"({"only":"lost"})"), OutcomeSet{Outcome::kLost});
  EXPECT_THAT(why_not(parse_retry(R"({"only":"best"})")), HasSubstr("best"));
  EXPECT_TRUE(*parse_answer(R"({"go_on":true})"));
  EXPECT_FALSE(parse_answer(""));
  EXPECT_TRUE(check_idempotency_key(""));
  EXPECT_TRUE(check_idempotency_key("2026-11-25/night"));
  EXPECT_FALSE(check_idempotency_key("a b"));
  EXPECT_FALSE(check_idempotency_key(std::string(129, 'a')));
}

}  // namespace
}  // namespace netfleet

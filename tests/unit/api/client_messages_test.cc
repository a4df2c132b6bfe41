#include "dispatcher/api/client_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "dispatcher/api/server_url.h"

namespace netfleet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Json = nlohmann::json;

Json some_sweep() {
  return Json::parse(R"({"sweep": "20261125-a", "job": "backup", "origin": null,
      "state": "asking", "why": "2 of 5 failed", "started_at": "2026-11-25T03:00:00.250Z",
      "ended_at": null, "commands": ["show clock"], "changes": true, "total": 9, "running": 1,
      "done": 5, "outcomes": {"ok": 3, "timed_out": 2}})");
}

template <typename T>
std::string error_of(const Expected<T>& read) {
  return read ? "no error" : read.error().message;
}

TEST(ClientMessages, ReadsASweep) {
  const auto sweep = parse_sweep(some_sweep().dump());
  ASSERT_TRUE(sweep) << sweep.error().message;
  EXPECT_EQ(sweep->id, "20261125-a");
  EXPECT_EQ(sweep->origin, "");
  EXPECT_EQ(sweep->why, "2 of 5 failed");
  EXPECT_EQ(format_wall_time(sweep->started_at), "2026-11-25T03:00:00.250Z");
  EXPECT_FALSE(sweep->ended_at);
  EXPECT_TRUE(sweep->changes);
  EXPECT_TRUE(sweep->is_live());
  EXPECT_FALSE(sweep->guarded);  // of a dispatcher that does not say it
  EXPECT_EQ(sweep->total, 9u);
  EXPECT_EQ(sweep->done, 5u);
  EXPECT_EQ(sweep->by_outcome[0], 3u);
  EXPECT_EQ(sweep->by_outcome[static_cast<std::size_t>(Outcome::kTimedOut)], 2u);
}

TEST(ClientMessages, AnEndedSweepOfAListSaysLess) {
  Json json = some_sweep();
  json["state"] = "ended";
  json["ended_at"] = "2026-11-25T03:00:01.000Z";
  json.erase("done");
  json.erase("outcomes");
  json["new in a later version"] = {1, 2};
  json["guarded"] = true;
  const auto sweeps = parse_sweeps(Json{{"sweeps", {json, json}}}.dump());
  ASSERT_TRUE(sweeps) << sweeps.error().message;
  ASSERT_EQ(sweeps->size(), 2u);
  EXPECT_FALSE(sweeps->front().done);
  EXPECT_FALSE(sweeps->front().is_live());
  EXPECT_TRUE(sweeps->front().ended_at);
  EXPECT_TRUE(sweeps->front().guarded);
}

TEST(ClientMessages, SaysWhatIsWrong) {
  EXPECT_THAT(error_of(parse_sweep("")), HasSubstr("it is no JSON"));
  EXPECT_THAT(error_of(parse_sweep("<html>")), HasSubstr("it is no JSON"));
  EXPECT_THAT(error_of(parse_sweep("[]")), HasSubstr("it is no object"));
  EXPECT_THAT(error_of(parse_sweep("7")), HasSubstr("it is no object"));
  EXPECT_THAT(error_of(parse_sweeps("{}")), HasSubstr("it has no 'sweeps'"));
  EXPECT_THAT(error_of(parse_sweeps(R"({"sweeps": {}})")), HasSubstr("'sweeps' is not a list"));
  EXPECT_THAT(error_of(parse_sweeps(R"({"sweeps": [1]})")), HasSubstr("it is no object"));
  const auto with = [](const char* field, const Json& value) {
    Json json = some_sweep();
    json[field] = value;
    return error_of(parse_sweep(json.dump()));
  };
  EXPECT_THAT(with("sweep", nullptr), HasSubstr("it has no 'sweep'"));
  EXPECT_THAT(with("sweep", 7), HasSubstr("'sweep' is not a text"));
  EXPECT_THAT(with("total", -1), HasSubstr("'total' is not a number"));
  EXPECT_THAT(with("total", 1.5), HasSubstr("'total' is not a number"));
  EXPECT_THAT(with("total", 1ull << 32), HasSubstr("'total' is too large"));
  EXPECT_THAT(with("changes", "yes"), HasSubstr("'changes' is not true or false"));
  EXPECT_THAT(with("guarded", 1), HasSubstr("'guarded' is not true or false"));
  EXPECT_THAT(with("started_at", "yesterday"), HasSubstr("'started_at' is no time"));
  EXPECT_THAT(with("started_at", "2026-02-30T00:00:00.000Z"), HasSubstr("is no time"));
  EXPECT_THAT(with("commands", {1}), HasSubstr("'commands' holds what is no text"));
  EXPECT_THAT(with("outcomes", {{"superb", 1}}), HasSubstr("'outcomes' holds"));
  EXPECT_THAT(with("outcomes", {{"ok", "many"}}), HasSubstr("'outcomes' holds"));
  EXPECT_THAT(with("outcomes", 7), HasSubstr("'outcomes' is not an object"));
}

TEST(ClientMessages, WhatIsNestedDeeplyIsNotKept) {
  const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
  EXPECT_FALSE(parse_sweep(deep));
  Json json = some_sweep();
  const std::string text = json.dump();
  EXPECT_TRUE(parse_sweep(text.substr(0, text.size() - 1) + ", \"x\": " + deep + "}"));
}

TEST(ClientMessages, ReadsWhatElseThereIs) {
  const auto health = parse_health(R"({"ok": true, "version": "0.1.0"})");
  ASSERT_TRUE(health) << "without a token";
  EXPECT_EQ(health->since, WallTime());
  const auto firings = parse_firings(R"({"firings": [{"job": "b", "due":
      "2026-11-25T03:00:00.000Z", "what": "skipped", "sweep": null, "why": "overlap"}]})");
  ASSERT_TRUE(firings) << firings.error().message;
  EXPECT_EQ(firings->front().why, "overlap");
  const auto workers = parse_workers(R"({"workers": [{"name": "w", "regions": ["eu", ""],
      "slots": 5, "free": 2, "running": 3, "done": 5000000000, "joined_ago_ms": 6000000000,
      "seen_ago_ms": 7, "silent": true}]})");
  ASSERT_TRUE(workers) << workers.error().message;
  EXPECT_EQ(workers->front().done, 5'000'000'000u);
  EXPECT_EQ(workers->front().joined_ago, Milliseconds(6'000'000'000));
  EXPECT_THAT(workers->front().regions, ElementsAre("eu", ""));
  EXPECT_EQ(parse_sweep_id(R"({"sweep": "x"})"), "x");
}

TEST(ClientMessages, ReadsAComparison) {
  const auto host = parse_comparison(
      R"({"host": "a", "changed": [{"command": "c", "hunks": "h"}], "not_compared": ["x: cut"]})");
  ASSERT_TRUE(host) << host.error().message;
  EXPECT_EQ(std::get<HostComparison>(*host).changed.front().hunks, "h");
  const auto end = parse_comparison(
      R"({"before": "A", "after": "B", "hosts": 9, "changed": 1, "not_compared": 0})");
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(std::get<ComparisonEnd>(*end).hosts, 9u);
  EXPECT_FALSE(parse_comparison(R"({"host": "a", "changed": [7], "not_compared": []})"));
}

TEST(ClientMessages, LinesAreAscii) {
  EXPECT_EQ(json_lines(R"({"sweeps": [{"a": "ü"}, {"b": "\u001b"}]})", "sweeps"),
            "{\"a\":\"\\u00fc\"}\n{\"b\":\"\\u001b\"}\n");
  EXPECT_EQ(json_line("{\"a\":\n 1}"), "{\"a\":1}\n");
}

TEST(ClientMessages, WritesWhatIsAskedFor) {
  Submission submission;
  submission.job = "backup";
  EXPECT_EQ(submission_json(submission), R"({"job":"backup"})");
  submission.limits = {"a", "b"};
  submission.commands = {"show clock"};
  submission.configuration = "hostname x\n";
  submission.dry_run = true;
  EXPECT_EQ(Json::parse(submission_json(submission)),
            Json::parse(R"({"job": "backup", "limit": ["a", "b"], "commands": ["show clock"],
                           "configuration": "hostname x\n", "dry_run": true})"));
  EXPECT_EQ(cancel_json(true), R"({"now":true})");
  EXPECT_EQ(retry_json({Outcome::kLost}), R"({"only":"lost"})");
  EXPECT_EQ(answer_json(false), R"({"go_on":false})");
}

std::string url_error(std::string_view url) { return error_of(parse_server_url(url)); }

TEST(ServerUrl, Reads) {
  const auto text = [](std::string_view url) { return parse_server_url(url).value().text(); };
  EXPECT_EQ(text("http://127.0.0.1:7680"), "http://127.0.0.1:7680");
  EXPECT_EQ(text("https://hub.example.net/"), "https://hub.example.net:443");
  EXPECT_EQ(text("http://hub"), "http://hub:80");
  EXPECT_EQ(text("http://[::1]:7680"), "http://[::1]:7680");
  EXPECT_THAT(url_error("hub:7680"), HasSubstr("http://HOST:PORT"));
  EXPECT_THAT(url_error("ftp://hub"), HasSubstr("http://HOST:PORT"));
  EXPECT_THAT(url_error("http://hub/v1"), HasSubstr("ends with its port"));
  EXPECT_THAT(url_error("http://hub?x"), HasSubstr("ends with its port"));
  EXPECT_THAT(url_error("http://::1"), HasSubstr("in brackets"));
  EXPECT_NE(url_error("http://"), "no error");
  EXPECT_NE(url_error("http://hub:0"), "no error");
  EXPECT_NE(url_error("http://hub:70000"), "no error");
  EXPECT_NE(url_error("http://a b"), "no error");
  EXPECT_NE(url_error("http://hub\r\nx: y"), "no error");
}

TEST(ServerUrl, NeverShowsAPassword) {
  const std::string error = url_error("https://me:secret@hub");
  EXPECT_THAT(error, HasSubstr("no user and no password"));
  EXPECT_THAT(error, testing::Not(HasSubstr("secret")));
}

TEST(ServerUrl, KnowsWhatStaysOnThisMachine) {
  const auto loopback = [](std::string_view url) {
    return parse_server_url(url).value().is_loopback();
  };
  for (const char* here :
       {"http://127.0.0.1", "http://127.9.9.9:1", "http://localhost:7680", "https://[::1]"}) {
    EXPECT_TRUE(loopback(here)) << here;
  }
  for (const char* there : {"http://127.0.0.1.example.net", "http://localhost.example.net",
                            "http://10.0.0.1", "http://hub", "http://[::2]"}) {
    EXPECT_FALSE(loopback(there)) << there;
  }
}

TEST(ServerUrl, EncodesWords) {
  EXPECT_EQ(percent_encoded("20261125-a_b.c~"), "20261125-a_b.c~");
  EXPECT_EQ(percent_encoded("../x?y#z %\r\n\xff"), "..%2Fx%3Fy%23z%20%25%0D%0A%FF");
}

}  // namespace
}  // namespace netfleet

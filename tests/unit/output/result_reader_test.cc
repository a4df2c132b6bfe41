#include "dispatcher/output/result_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "dispatcher/output/renderer.h"
#include "tests/unit/store/test_support.h"

namespace netfleet {
namespace {

using Json = nlohmann::ordered_json;
using testing::HasSubstr;

std::string line_of(const TaskSpec& task, const TaskResult& result) {
  std::string out;
  make_renderer(OutputFormat::kJsonl, "20261122-191548-3fa9", false)->result(task, result, out);
  return out;
}

std::string error_of(const std::string& line) {
  const auto read = read_result_line(line);
  return read ? "no error" : read.error().message;
}

const TaskResult kResult = ok_result(7, "show clock", "12:00\n");

Json some_line() { return Json::parse(line_of(some_task(7), kResult)); }

TEST(ResultReader, ReadsBackWhatIsWritten) {
  TaskSpec task = some_task(7);
  task.region = "eu";
  TaskResult result = ok_result(7, "show clock", "12:00\n\"\\\t\x01\x7f\xC3\xBC\n");
  result.attempt = 2;
  result.jump = "a,b";
  result.commands.push_back({.command = "show users",
                             .output = std::string("cut"),
                             .outcome = Outcome::kCommandFailed,
                             .duration = Milliseconds(7),
                             .truncated = true});
  const std::string line = line_of(task, result);
  const auto read = read_result_line(line);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(line_of(read->task, read->result), line);
  EXPECT_EQ(read->result.commands, result.commands);
  EXPECT_EQ(read->result.started_at, result.started_at);
  EXPECT_EQ(read->task.index, 7u);
  EXPECT_EQ(read->result.index, 7u);
}

TEST(ResultReader, ReadsBackEveryOutcome) {
  for (int i = 0; i < kOutcomeCount; ++i) {
    const auto outcome = static_cast<Outcome>(i);
    const std::string line = line_of(some_task(1), failed_result(1, outcome, "why"));
    const auto read = read_result_line(line);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->result.outcome, outcome);
    EXPECT_EQ(line_of(read->task, read->result), line);
  }
}

TEST(ResultReader, EveryFormIsAsFromTheResultItself) {
  const TaskSpec task = some_task(3);
  const TaskResult result = ok_result(3, "show clock", "12:00\n");
  const auto read = read_result_line(line_of(task, result));
  ASSERT_TRUE(read);
  for (const auto format : {OutputFormat::kText, OutputFormat::kCsv, OutputFormat::kSummary}) {
    std::string direct, over_jsonl;
    make_renderer(format, "s", true)->result(task, result, direct);
    make_renderer(format, "s", true)->result(read->task, read->result, over_jsonl);
    EXPECT_EQ(direct, over_jsonl);
  }
}

TEST(ResultReader, EveryFieldMustBeThereOnce) {
  const Json whole = some_line();
  for (const auto& [name, value] : whole.items()) {
    Json without = whole;
    without.erase(name);
    EXPECT_THAT(error_of(without.dump()), HasSubstr("it has no '" + name + "'"));
    std::string twice = whole.dump();
    twice.insert(1, "\"" + name + "\":" + value.dump() + ",");
    EXPECT_THAT(error_of(twice), HasSubstr("'" + name + "' is there twice"));
  }
  for (const auto& [name, value] : whole["commands"][0].items()) {
    Json without = whole;
    without["commands"][0].erase(name);
    EXPECT_THAT(error_of(without.dump()), HasSubstr("it has no '" + name + "'"));
  }
}

TEST(ResultReader, EveryFieldHasItsKind) {
  const Json whole = some_line();
  const Json strange = {-1,
                        1.5,
                        "",
                        "x",
                        true,
                        nullptr,
                        Json::array(),
                        Json::array({1}),
                        Json::object(),
                        Json::array({Json::array()}),
                        1ull << 62};
  // Whatever is read can be shown again: nothing is out of its bounds.
  int refused = 0;
  for (const auto& [name, value] : whole.items()) {
    for (const Json& other : strange) {
      Json changed = whole;
      changed[name] = other;
      const auto read = read_result_line(changed.dump());
      refused += read ? 0 : 1;
      if (read) {
        EXPECT_NE(line_of(read->task, read->result), "");
      }
    }
  }
  EXPECT_GT(refused, 100);
  const auto with = [&](const char* name, const Json& value) {
    Json changed = whole;
    changed[name] = value;
    return error_of(changed.dump());
  };
  EXPECT_THAT(with("port", 65536), HasSubstr("'port' is of another kind"));
  EXPECT_THAT(with("index", 1ull << 32), HasSubstr("'index'"));
  EXPECT_THAT(with("outcome", "superb"), HasSubstr("'outcome'"));
  EXPECT_THAT(with("started_at", "now"), HasSubstr("'started_at'"));
  EXPECT_THAT(with("host", nullptr), HasSubstr("'host'"));
  EXPECT_THAT(with("commands", {7}), HasSubstr("a command is no object"));
  EXPECT_THAT(with("commands", nullptr), HasSubstr("'commands'"));
  EXPECT_EQ(with("worker", nullptr), "no error");
}

TEST(ResultReader, PassesOverWhatItDoesNotKnow) {
  Json line = some_line();
  line["new"] = {{"host", "not this one"}, {"commands", {{{"command", 7}}}}};
  line["commands"][0]["new"] = {{"output", "not this one"}, {"deep", {1, {2}}}};
  const auto read = read_result_line(line.dump());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->task.host, some_task(7).host);
  EXPECT_EQ(read->result.commands, kResult.commands);
}

TEST(ResultReader, RefusesWhatIsNoLine) {
  for (const std::string line : {"", " ", "7", "\"x\"", "[]", "[{}]", "{", "}", "{}", "nul",
                                 "{\"host\"}", "\xff", "{\"host\":\"\xff\xff\"}"}) {
    EXPECT_NE(error_of(line), "no error") << line;
  }
  const std::string line = line_of(some_task(7), kResult);
  for (std::size_t size = 0; size < line.find_last_of('}'); ++size) {
    EXPECT_NE(error_of(line.substr(0, size)), "no error") << size;
  }
  EXPECT_NE(error_of(line + line), "no error");
}

TEST(ResultReader, BoundsWhatALineCosts) {
  Json line = some_line();
  EXPECT_THAT(error_of(std::string(1u << 20, '[')), HasSubstr("it is no object"));
  std::string nested = line.dump();
  nested.insert(1, "\"x\":" + std::string(1000, '[') + std::string(1000, ']') + ",");
  EXPECT_THAT(error_of(nested), HasSubstr("nested too deeply"));
  line["commands"] = Json::array();
  std::string many = line.dump();
  const std::string one =
      R"({"command":"","output":"","outcome":"ok","duration_ms":0,"truncated":false})";
  std::string commands = one;
  for (int i = 0; i < 20'000; ++i) commands += "," + one;
  many.replace(many.find("\"commands\":[]"), 13, "\"commands\":[" + commands + "]");
  EXPECT_THAT(error_of(many), HasSubstr("too many commands"));
}

}  // namespace
}  // namespace netfleet

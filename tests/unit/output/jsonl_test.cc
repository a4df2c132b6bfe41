#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "dispatcher/output/renderer.h"
#include "tests/unit/store/test_support.h"

namespace netfleet {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::ElementsAre;

std::string line_of(const TaskSpec& task, const TaskResult& result) {
  std::string out;
  make_renderer(OutputFormat::kJsonl, "20261122-191548-3fa9", false)->result(task, result, out);
  return out;
}

Json object_of(const TaskSpec& task, const TaskResult& result) {
  const std::string line = line_of(task, result);
  EXPECT_EQ(std::ranges::count(line, '\n'), 1);
  EXPECT_TRUE(line.ends_with('\n'));
  return Json::parse(line);
}

std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& item : object.items()) keys.push_back(item.key());
  return keys;
}

TEST(Jsonl, IsExactlyTheDocumentedObject) {
  TaskSpec task = some_task(7);
  task.region = "eu";
  TaskResult result = ok_result(7, "show clock", "12:00\n");
  result.attempt = 2;
  result.jump = "bastion-eu";
  EXPECT_EQ(line_of(task, result),
            R"({"sweep":"20261122-191548-3fa9","index":7,"host":"edge-7","address":"10.0.0.7",)"
            R"("port":22,"platform":"cisco_ios","region":"eu","worker":"here","attempt":2,)"
            R"("outcome":"ok","error":null,"jump":"bastion-eu",)"
            R"("started_at":"2026-11-22T19:15:49.000Z","duration_ms":520,"commands":[)"
            R"({"command":"show clock","output":"12:00\n","outcome":"ok","duration_ms":300,)"
            R"("truncated":false}]})"
            "\n");
}

TEST(Jsonl, HasAllFieldsInOrderWhateverIsMissing) {
  const Json object =
      object_of(some_task(1), failed_result(1, Outcome::kSkipped, "the sweep was ended"));
  EXPECT_THAT(keys_of(object), ElementsAre("sweep", "index", "host", "address", "port", "platform",
                                           "region", "worker", "attempt", "outcome", "error",
                                           "jump", "started_at", "duration_ms", "commands"));
  EXPECT_EQ(object["platform"], "auto");  // as asked for, when none was found out
  EXPECT_EQ(object["region"], "");
  EXPECT_TRUE(object["worker"].is_null());
  EXPECT_TRUE(object["jump"].is_null());
  EXPECT_TRUE(object["started_at"].is_null());
  EXPECT_EQ(object["outcome"], "skipped");
  EXPECT_EQ(object["error"], "the sweep was ended");
  EXPECT_EQ(object["commands"], Json::array());
}

TEST(Jsonl, KeepsSeveralCommandsInOrder) {
  TaskResult result = ok_result(1, "a", "1");
  result.commands.push_back(some_output("b", "2"));
  result.commands.back().outcome = Outcome::kCommandFailed;
  result.commands.back().truncated = true;
  const Json commands = object_of(some_task(1), result)["commands"];
  ASSERT_EQ(commands.size(), 2u);
  EXPECT_EQ(commands[0]["output"], "1");
  EXPECT_THAT(keys_of(commands[1]),
              ElementsAre("command", "output", "outcome", "duration_ms", "truncated"));
  EXPECT_EQ(commands[1]["outcome"], "command_failed");
  EXPECT_EQ(commands[1]["truncated"], true);
}

// Every pair of bytes: what is valid comes back, the rest is U+FFFD, and no raw control character
// is in the line.
TEST(Jsonl, EscapesEveryByte) {
  for (int first = 0; first < 256; ++first) {
    std::string bytes;
    for (int second = 0; second < 256; ++second) {
      bytes += {static_cast<char>(first), static_cast<char>(second), ' '};
    }
    const TaskResult result = ok_result(1, "show", bytes);
    const std::string line = line_of(some_task(1), result);
    for (std::size_t i = 0; i + 1 < line.size(); ++i) {
      const auto byte = static_cast<unsigned char>(line[i]);
      ASSERT_TRUE(byte >= 0x20 && byte != 0x7f);
      ASSERT_FALSE(byte == 0xC2 && static_cast<unsigned char>(line[i + 1]) < 0xA0);
    }
    const std::string output = Json::parse(line)["commands"][0]["output"];
    if (first < 0x80) {
      EXPECT_TRUE(output.starts_with(bytes.substr(0, 3 * 0x80)));
    }
    EXPECT_EQ(output.find("\uFFFD") != std::string::npos, first < 0x80 || output != bytes);
  }
}

TEST(Jsonl, KeepsValidUnicode) {
  const std::string text = "ü € 😀 \u0085 \u009b end";
  EXPECT_EQ(object_of(some_task(1), ok_result(1, "show", text))["commands"][0]["output"], text);
}

TEST(Jsonl, ReplacesInvalidBytes) {
  EXPECT_EQ(
      object_of(some_task(1), ok_result(1, "show", "a\xff\xe2\x82z"))["commands"][0]["output"],
      "a\uFFFD\uFFFDz");
}

TEST(Jsonl, EscapesNamesToo) {
  TaskSpec task = some_task(1);
  task.host = "a\"b\\c\n";
  std::string out;
  make_renderer(OutputFormat::kJsonl, "s\"", false)->result(task, ok_result(1), out);
  const Json object = Json::parse(out);
  EXPECT_EQ(object["host"], task.host);
  EXPECT_EQ(object["sweep"], "s\"");
}

TEST(Jsonl, TakesLargeOutputs) {
  std::string output(8u << 20, 'x');
  output[100] = '\n';
  const Json object = object_of(some_task(1), ok_result(1, "show tech", output));
  EXPECT_EQ(object["commands"][0]["output"].get_ref<const std::string&>(), output);
}

}  // namespace
}  // namespace netfleet

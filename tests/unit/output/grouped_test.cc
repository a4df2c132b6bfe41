#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "dispatcher/output/renderer.h"
#include "tests/unit/store/test_support.h"

namespace netfleet {
namespace {

using ::testing::HasSubstr;

struct Options {
  bool differences = false;
  bool to_terminal = false;
};

// All of `results`, which are read back from here.
std::string grouped(const std::vector<TaskResult>& results, Options options = {}) {
  const auto renderer =
      make_renderer(options.differences ? OutputFormat::kGroupedDiff : OutputFormat::kGrouped, "s",
                    options.to_terminal);
  std::map<std::uint32_t, TaskResult> stored;
  renderer->set_read_back([&](std::uint32_t index, const Renderer::Show& show) -> Expected<void> {
    show(some_task(index), stored.at(index));
    return {};
  });
  std::string out;
  for (const TaskResult& result : results) {
    stored[result.index] = result;
    renderer->result(some_task(result.index), result, out);
    EXPECT_EQ(out, "");
  }
  renderer->end({}, out);
  EXPECT_FALSE(renderer->error());
  return out;
}

TEST(Grouped, ShowsEqualOutputsOnceTheLargestGroupFirst) {
  EXPECT_EQ(grouped({ok_result(9, "show clock", "13:00\n"), ok_result(1, "show clock", "12:00\n"),
                     ok_result(2, "show clock", "12:00\n"), ok_result(4, "show clock", "12:00")}),
            "=== edge-[1-2] (2 hosts) ok\n12:00\n\n"
            "=== edge-4 (1 host) ok\n12:00\n\n"
            "=== edge-9 (1 host) ok\n13:00\n\n");
}

TEST(Grouped, FoldsFailuresWhoseMessagesNameTheirHosts) {
  EXPECT_EQ(
      grouped({failed_result(1, Outcome::kTimedOut, "connect edge-1 (10.0.0.1:22): timed out"),
               failed_result(2, Outcome::kTimedOut, "connect edge-2 (10.0.0.2:22): timed out"),
               failed_result(3, Outcome::kTimedOut, "log in to edge-3 (10.0.0.3:22): timed out"),
               ok_result(4, "show clock", "12:00\n")}),
      "=== edge-4 (1 host) ok\n12:00\n\n"
      "=== edge-[1-2] (2 hosts) timed_out\nconnect HOST: timed out\n\n"
      "=== edge-3 (1 host) timed_out\nlog in to edge-3 (10.0.0.3:22): timed out\n\n");
}

TEST(Grouped, TellsApartWhatOnlyLooksTheSame) {
  TaskResult cut = ok_result(1, "show x", "abc\n");
  cut.commands[0].truncated = true;
  TaskResult refused = ok_result(2, "show x", "abc\n");
  refused.commands[0].outcome = Outcome::kCommandFailed;
  TaskResult two = ok_result(3, "show x", "ab");
  two.commands.push_back(some_output("show x", "c\n"));
  const std::string out = grouped(
      {ok_result(0, "show x", "abc\n"), cut, refused, two, ok_result(4, "show y", "abc\n")});
  EXPECT_EQ(std::ranges::count(out, '='), 5 * 3) << out;
  EXPECT_THAT(out, HasSubstr("--- show x: truncated after 4 bytes\nabc\n"));
  EXPECT_THAT(out, HasSubstr("--- show x\nab\n--- show x\nc\n"));
}

TEST(Grouped, ShowsDifferencesFromTheLargestGroup) {
  std::vector<TaskResult> results;
  for (std::uint32_t i = 0; i < 4; ++i) {
    results.push_back(ok_result(i, "show run", i == 1 ? "a\nB\nc\n" : "a\nb\nc\n"));
    results.back().commands.push_back(some_output("show clock", "12:00\n"));
  }
  EXPECT_EQ(grouped(results, {.differences = true}),
            "=== edge-[0,2-3] (3 hosts) ok\n--- show run\na\nb\nc\n--- show clock\n12:00\n\n"
            "=== edge-1 (1 host) ok\n--- show run\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n\n");
}

TEST(Grouped, ComparesNothingThatWasCut) {
  TaskResult cut = ok_result(3, "show run", "a\nb\n");
  cut.commands[0].truncated = true;
  EXPECT_EQ(
      grouped({ok_result(1, "show run", "a\nb\nc\n"), ok_result(2, "show run", "a\nb\nc\n"), cut},
              {.differences = true}),
      "=== edge-[1-2] (2 hosts) ok\na\nb\nc\n\n"
      "=== edge-3 (1 host) ok\n--- show run: truncated after 4 bytes\na\nb\n\n");
}

TEST(Grouped, SteersNoTerminal) {
  const std::vector<TaskResult> results = {ok_result(1, "show x", "a\x1b[2J\n"),
                                           ok_result(2, "show x", "b\x1b[2J\n")};
  EXPECT_EQ(grouped(results, {.to_terminal = true}).find('\x1b'), std::string::npos);
  EXPECT_EQ(grouped(results, {.differences = true, .to_terminal = true}).find('\x1b'),
            std::string::npos);
  EXPECT_THAT(grouped(results), HasSubstr("a\x1b[2J\n"));
}

TEST(Grouped, SaysWhatCannotBeReadBackAndStillNamesItsHosts) {
  const auto renderer = make_renderer(OutputFormat::kGrouped, "s", false);
  renderer->set_read_back([](std::uint32_t, const Renderer::Show&) { return fail("disk full"); });
  std::string out;
  renderer->result(some_task(1), ok_result(1, "show x", "a\n"), out);
  renderer->end({}, out);
  EXPECT_EQ(out, "=== edge-1 (1 host) ok\n\n");
  ASSERT_TRUE(renderer->error());
  EXPECT_EQ(renderer->error()->message, "disk full");
}

}  // namespace
}  // namespace netfleet

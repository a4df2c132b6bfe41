#include "dispatcher/output/renderer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/store/test_support.h"

namespace netfleet {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string render(OutputFormat format, const TaskResult& result, bool to_terminal = false) {
  std::string out;
  make_renderer(format, "20261122-191548-3fa9", to_terminal)
      ->result(some_task(result.index), result, out);
  return out;
}

std::string text(const TaskResult& result, bool to_terminal = false) {
  return render(OutputFormat::kText, result, to_terminal);
}

TEST(OutputFormat, HasNames) {
  EXPECT_EQ(output_format_from_name("text"), OutputFormat::kText);
  EXPECT_EQ(output_format_from_name("grouped"), OutputFormat::kGrouped);
  EXPECT_EQ(output_format_from_name("jsonl"), OutputFormat::kJsonl);
  EXPECT_EQ(output_format_from_name("csv"), OutputFormat::kCsv);
  EXPECT_EQ(output_format_from_name("summary"), OutputFormat::kSummary);
  const auto unknown = output_format_from_name("xml");
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, AllOf(HasSubstr("'xml'"), HasSubstr("jsonl")));
}

TEST(TextRenderer, OneCommandHasAHeaderItsOutputAndABlankLine) {
  EXPECT_EQ(text(ok_result(7, "show clock", "12:00\nUTC\n")),
            "=== edge-7 (10.0.0.7:22) ok 0.52s\n12:00\nUTC\n\n");
}

TEST(TextRenderer, TheWayOverJumpHostsIsInTheHeader) {
  TaskSpec task = some_task(7);
  task.jump = "a>b|c,d";
  TaskResult result = ok_result(7, "show clock", "12:00\n");
  std::string out;
  make_renderer(OutputFormat::kText, "s", false)->result(task, result, out);
  EXPECT_EQ(out, "=== edge-7 (10.0.0.7:22) via a,b or c, else d ok 0.52s\n12:00\n\n")
      << "nobody was connected to: any of them may be";
  result.jump = "a,b";
  out.clear();
  make_renderer(OutputFormat::kText, "s", false)->result(task, result, out);
  EXPECT_EQ(out, "=== edge-7 (10.0.0.7:22) via a,b ok 0.52s\n12:00\n\n");
}

TEST(TextRenderer, OutputWithoutALineEndGetsOne) {
  EXPECT_EQ(text(ok_result(7, "show clock", "12:00")),
            "=== edge-7 (10.0.0.7:22) ok 0.52s\n12:00\n\n");
  EXPECT_EQ(text(ok_result(7, "show clock", "")), "=== edge-7 (10.0.0.7:22) ok 0.52s\n\n");
}

TEST(TextRenderer, SeveralCommandsHaveALineEach) {
  TaskResult result = ok_result(7, "show clock", "12:00\n");
  result.commands.push_back(some_output("show users", ""));
  result.commands.push_back(some_output("show x", "% Invalid input\n"));
  result.commands.back().outcome = Outcome::kCommandFailed;
  result.outcome = Outcome::kCommandFailed;
  result.error = "run show x on edge-7 (10.0.0.7:22): the device refused it";
  EXPECT_EQ(text(result),
            "=== edge-7 (10.0.0.7:22) command_failed 0.52s\n"
            "run show x on edge-7 (10.0.0.7:22): the device refused it\n"
            "--- show clock\n12:00\n"
            "--- show users\n"
            "--- show x: command_failed\n% Invalid input\n\n");
}

TEST(TextRenderer, FailureShowsItsMessage) {
  EXPECT_EQ(text(failed_result(3, Outcome::kTimedOut, "connect edge-3: timed out after 10 s")),
            "=== edge-3 (10.0.0.3:22) timed_out 0.00s\nconnect edge-3: timed out after 10 s\n\n");
}

TEST(TextRenderer, SaysThatAnOutputWasCut) {
  TaskResult result = ok_result(7, "show tech", "abc\n");
  result.commands[0].truncated = true;
  EXPECT_EQ(text(result),
            "=== edge-7 (10.0.0.7:22) ok 0.52s\n--- show tech: truncated after 4 bytes\nabc\n\n");
}

TEST(TextRenderer, WritesIpv6AddressesInBrackets) {
  TaskSpec task = some_task(0);
  task.address = "2001:db8::1";
  std::string out;
  make_renderer(OutputFormat::kText, "s", false)->result(task, ok_result(0), out);
  EXPECT_EQ(out, "=== edge-0 ([2001:db8::1]:22) ok 0.52s\n\n");
}

TEST(TextRenderer, KeepsEveryByteExceptForATerminal) {
  const std::string bytes("\x1b[2J\0\xff\r\x9b", 8);
  const std::string header = "=== edge-7 (10.0.0.7:22) ok 0.52s\n";
  EXPECT_EQ(text(ok_result(7, "show", bytes)), header + bytes + "\n\n");
  EXPECT_EQ(text(ok_result(7, "show", bytes), true), header + "^[[2J^@\uFFFD^M\uFFFD\n\n");
}

TEST(TextRenderer, HeaderAndMessageAreOneLineEach) {
  TaskSpec task = some_task(0);
  task.host = "a\nb\x1b";
  std::string out;
  make_renderer(OutputFormat::kText, "s", false)
      ->result(task, failed_result(0, Outcome::kAuthFailed, "banner\nsays\x1b[m no"), out);
  EXPECT_EQ(out, "=== a b^[ (10.0.0.0:22) auth_failed 0.00s\nbanner says^[[m no\n\n");
}

TEST(SummaryRenderer, OneAlignedLineAHostAndTotals) {
  EXPECT_EQ(render(OutputFormat::kSummary, ok_result(7, "show", "output")),
            "edge-7                           ok                    0.52s\n");
  EXPECT_EQ(render(OutputFormat::kSummary, failed_result(8, Outcome::kHostKeyRejected, "changed")),
            "edge-8                           host_key_rejected     0.00s  changed\n");
  Summary summary{.sweep = "s", .total = 2};
  summary.count(Outcome::kOk);
  summary.count(Outcome::kTimedOut);
  summary.elapsed = Milliseconds(10'230);
  std::string out;
  make_renderer(OutputFormat::kSummary, "s", false)->end(summary, out);
  EXPECT_EQ(out, "2 hosts: 1 ok, 1 timed_out in 10.2 s\n");
}

TEST(SummaryRenderer, ASweepThatHasNotEndedTookNoTime) {
  Summary summary{.sweep = "s", .total = 3};
  summary.count(Outcome::kOk);
  std::string out;
  make_renderer(OutputFormat::kSummary, "s", false)->end(summary, out);
  EXPECT_EQ(out, "3 hosts: 1 ok, 2 without a result\n");
}

TEST(TextRenderer, EndsWithoutTotals) {
  std::string out;
  make_renderer(OutputFormat::kText, "s", false)->end(Summary{.sweep = "s", .total = 2}, out);
  make_renderer(OutputFormat::kJsonl, "s", false)->end(Summary{.sweep = "s", .total = 2}, out);
  EXPECT_EQ(out, "");
}

Summary summary_of(std::uint32_t ok, std::uint32_t timed_out, std::uint32_t unreachable) {
  Summary summary{.sweep = "20261122-191548-3fa9", .total = ok + timed_out + unreachable};
  summary.by_outcome[static_cast<std::size_t>(Outcome::kOk)] = ok;
  summary.by_outcome[static_cast<std::size_t>(Outcome::kTimedOut)] = timed_out;
  summary.by_outcome[static_cast<std::size_t>(Outcome::kUnreachable)] = unreachable;
  summary.elapsed = Milliseconds(10'200);
  return summary;
}

TEST(RenderSummary, AllOkIsOneLine) {
  EXPECT_EQ(render_summary(summary_of(50, 0, 0), {}), "50 hosts: 50 ok in 10.2 s\n");
  EXPECT_EQ(render_summary(summary_of(1, 0, 0), {}), "1 host: 1 ok in 10.2 s\n");
  EXPECT_EQ(render_summary(summary_of(0, 0, 0), {}), "0 hosts: nothing to do in 10.2 s\n");
}

TEST(RenderSummary, NamesFailedHostsByOutcome) {
  EXPECT_EQ(render_summary(summary_of(47, 1, 2), {{"a", Outcome::kTimedOut, "a is slow"},
                                                  {"b", Outcome::kUnreachable, "no\nroute"},
                                                  {"c", Outcome::kUnreachable, ""}}),
            "50 hosts: 47 ok, 2 unreachable, 1 timed_out in 10.2 s\n"
            "  unreachable b: no route\n"
            "  unreachable c\n"
            "  timed_out a: a is slow\n");
}

TEST(RenderSummary, CutsTheListAndSaysWhereTheRestIs) {
  std::vector<FailedHost> failed(25, {"a", Outcome::kTimedOut, "slow"});
  const std::string text = render_summary(summary_of(0, 3000, 0), failed);
  EXPECT_EQ(std::ranges::count(text, '\n'), 22);
  EXPECT_THAT(text, HasSubstr("and 2980 more; see: netfleet results 20261122-191548-3fa9\n"));
  failed.resize(20);
  EXPECT_THAT(render_summary(summary_of(0, 20, 0), failed), Not(HasSubstr("more")));
}

TEST(RenderSummary, CountsWhatNeverEnded) {
  Summary summary = summary_of(3, 0, 0);
  summary.total = 5;
  EXPECT_EQ(render_summary(summary, {}), "5 hosts: 3 ok, 2 without a result in 10.2 s\n");
}

}  // namespace
}  // namespace netfleet

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dispatcher/output/renderer.h"
#include "tests/unit/store/test_support.h"

namespace netfleet {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kHeader =
    "sweep,index,host,address,port,platform,region,worker,attempt,outcome,error,jump,started_at,"
    "duration_ms,command,command_outcome,command_duration_ms,truncated,output\r\n";

std::string rows_of(const TaskSpec& task, const TaskResult& result, bool to_terminal = false) {
  std::string out;
  const auto renderer = make_renderer(OutputFormat::kCsv, "20261122-191548-3fa9", to_terminal);
  renderer->result(task, result, out);
  EXPECT_THAT(out, StartsWith(kHeader));
  return out.substr(std::string_view(kHeader).size());
}

TEST(Csv, HasARowACommandWithTheFieldsOfItsTask) {
  TaskResult result = ok_result(7, "show clock", "12:00\n");
  result.commands.push_back(some_output("show x", "% Invalid\n"));
  result.commands[1].outcome = Outcome::kCommandFailed;
  result.commands[1].truncated = true;
  const std::string task =
      "20261122-191548-3fa9,7,edge-7,10.0.0.7,22,cisco_ios,,here,1,ok,,,2026-11-22T19:15:49.000Z,"
      "520,";
  EXPECT_EQ(rows_of(some_task(7), result),
            task + "show clock,ok,300,false,\"12:00\n\"\r\n" + task +
                "show x,command_failed,300,true,\"% Invalid\n\"\r\n");
}

TEST(Csv, HasARowForATaskWithoutCommands) {
  EXPECT_EQ(rows_of(some_task(3), failed_result(3, Outcome::kTimedOut, "connect: \"no\", late")),
            "20261122-191548-3fa9,3,edge-3,10.0.0.3,22,auto,,,1,timed_out,"
            "\"connect: \"\"no\"\", late\",,,0,,,,,\r\n");
}

TEST(Csv, QuotesAreDoubledAndAFormulaIsKept) {
  EXPECT_THAT(rows_of(some_task(1), ok_result(1, "=1+1", "=\"a\"\r\n,\n")),
              EndsWith(",=1+1,ok,300,false,\"=\"\"a\"\"\r\n,\n\"\r\n"));
}

TEST(Csv, StartsWithItsHeaderOnceAndEvenWithoutAResult) {
  std::string out;
  make_renderer(OutputFormat::kCsv, "s", false)->end({}, out);
  EXPECT_EQ(out, kHeader);
  const auto renderer = make_renderer(OutputFormat::kCsv, "s", false);
  out.clear();
  renderer->result(some_task(1), ok_result(1), out);
  renderer->result(some_task(2), ok_result(2), out);
  renderer->end({}, out);
  EXPECT_EQ(out.rfind("sweep,index"), 0u);
}

TEST(Csv, SteersNoTerminal) {
  const TaskResult result = ok_result(1, "show\x1b[2J", "a\x1b]0;x\x07");
  EXPECT_THAT(rows_of(some_task(1), result), HasSubstr("\"a\x1b]0;x\x07\""));
  EXPECT_THAT(rows_of(some_task(1), result, true),
              HasSubstr("show^[[2J,ok,300,false,\"a^[]0;x^G\""));
}

}  // namespace
}  // namespace netfleet

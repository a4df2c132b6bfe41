// What `netfleet detect` prints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dispatcher/output/renderer.h"

namespace netfleet {
namespace {

using testing::HasSubstr;

TaskSpec task() {
  TaskSpec task;
  task.host = "edge-1";
  task.address = "10.0.0.1";
  task.platform = "auto";
  return task;
}

TaskResult found() {
  TaskResult result;
  result.outcome = Outcome::kOk;
  result.platform = "arista_eos";
  result.evidence = "'show version' says \"Arista\"";
  result.duration = Milliseconds(42);
  return result;
}

TaskResult lost() {
  TaskResult result;
  result.outcome = Outcome::kUnreachable;
  result.platform = "auto";
  result.error = "connect edge-1: no\nroute";
  return result;
}

std::string rendered(OutputFormat format, const std::vector<TaskResult>& results) {
  const auto renderer = make_renderer(format, "sweep", false);
  std::string out;
  for (const TaskResult& result : results) renderer->result(task(), result, out);
  renderer->end({}, out);
  return out;
}

TEST(Detections, TableHasALineAHost) {
  EXPECT_EQ(rendered(OutputFormat::kDetectionTable, {found(), lost()}),
            "host                      platform              why\n"
            "edge-1                    arista_eos            'show version' says \"Arista\"\n"
            "edge-1                    -                     unreachable: connect edge-1: no route"
            "\n");
}

TEST(Detections, TableSaysWhatWentWrongAfterwards) {
  TaskResult result = found();
  result.outcome = Outcome::kDisconnected;
  result.error = "gone";
  EXPECT_THAT(rendered(OutputFormat::kDetectionTable, {result}),
              HasSubstr("arista_eos            'show version' says \"Arista\"; then disconnected: "
                        "gone\n"));
}

TEST(Detections, JsonlHasAllFields) {
  EXPECT_EQ(rendered(OutputFormat::kDetectionJsonl, {found(), lost()}),
            R"({"host":"edge-1","address":"10.0.0.1","port":22,"platform":"arista_eos",)"
            R"("evidence":"'show version' says \"Arista\"","outcome":"ok","error":null,)"
            R"("duration_ms":42})"
            "\n"
            R"({"host":"edge-1","address":"10.0.0.1","port":22,"platform":null,"evidence":null,)"
            R"("outcome":"unreachable","error":"connect edge-1: no\nroute","duration_ms":0})"
            "\n");
}

}  // namespace
}  // namespace netfleet

#include "dispatcher/output/worker_table.h"

#include <gtest/gtest.h>

namespace netfleet {
namespace {

const WallTime kNow(Milliseconds(1'795'374'948'000));  // 2026-11-22T19:15:48Z

v1::WorkerList sample() {
  v1::WorkerList list;
  v1::WorkerStatus& worker = *list.add_workers();
  worker.set_name("w\x1b[2J");
  worker.add_regions("");
  worker.add_regions("eu");
  worker.set_slots(50);
  worker.set_free(48);
  worker.set_running(2);
  worker.set_done(120);
  worker.set_joined_ms_ago(60'000);
  worker.set_seen_ms_ago(400);
  v1::SweepStatus& sweep = *list.add_sweeps();
  sweep.set_id("20261122-191548-3fa9");
  sweep.set_total(500);
  sweep.set_done(120);
  sweep.set_running(2);
  return list;
}

TEST(WorkerTable, ATableThatSteersNoTerminal) {
  EXPECT_EQ(render_worker_table(sample(), kNow),
            "worker  state  regions       slots  free  running  done  done/s  "
            "since                 last seen\n"
            "w^[[2J  here   (default),eu     50    48        2   120     2.0  "
            "2026-11-22T19:14:48Z  0.4s ago\n"
            "sweep 20261122-191548-3fa9: 120 of 500 done, 2 running\n");
  EXPECT_EQ(render_worker_table({}, kNow), "no workers\n");
}

TEST(WorkerTable, JsonLines) {
  EXPECT_EQ(render_worker_jsonl(sample(), kNow),
            "{\"type\":\"worker\",\"worker\":\"w\\u001b[2J\",\"silent\":false,\"regions\":[\"\","
            "\"eu\"],\"slots\":50,\"free\":48,\"running\":2,\"done\":120,\"rate\":2.0,"
            "\"since\":\"2026-11-22T19:14:48.000Z\",\"last_seen\":\"2026-11-22T19:15:47.600Z\"}\n"
            "{\"type\":\"sweep\",\"sweep\":\"20261122-191548-3fa9\",\"total\":500,\"done\":120,"
            "\"running\":2}\n");
}

}  // namespace
}  // namespace netfleet

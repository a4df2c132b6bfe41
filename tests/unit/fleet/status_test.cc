#include "dispatcher/fleet/status.h"

#include <gtest/gtest.h>

namespace netfleet {
namespace {

WorkerView worker(std::string name) {
  WorkerView view{};
  view.name = std::move(name);
  view.regions = {"eu"};
  view.slots = 50;
  view.free = 48;
  view.running = 2;
  view.done = 7;
  view.joined = TimePoint(std::chrono::seconds(10));
  view.last_seen = TimePoint(std::chrono::seconds(69));
  return view;
}

TEST(Status, WorkersByNameWithAgesInsteadOfTimes) {
  const TimePoint now(std::chrono::seconds(70));
  const v1::ToWorker message =
      worker_list({worker("b"), worker("a")}, {{"20261122-1", 9, 4, 2}}, now, 5);
  EXPECT_EQ(message.epoch(), 5u);
  const v1::WorkerList& list = message.worker_list();
  ASSERT_EQ(list.workers_size(), 2);
  EXPECT_EQ(list.workers(0).name(), "a");
  EXPECT_EQ(list.workers(0).joined_ms_ago(), 60'000u);
  EXPECT_EQ(list.workers(0).seen_ms_ago(), 1000u);
  EXPECT_EQ(list.sweeps(0).done(), 4u);
  EXPECT_TRUE(decode_to_worker(encode(message)));
}

TEST(Status, AnAnswerFitsIntoAFrame) {
  const std::vector<WorkerView> many(50, worker(std::string(100'000, 'x')));
  const v1::ToWorker message = worker_list(many, {}, TimePoint(), 1);
  EXPECT_LT(message.ByteSizeLong(), std::size_t{1} << 20);
  EXPECT_GT(message.worker_list().workers_size(), 0);
  const auto shown = static_cast<std::uint32_t>(message.worker_list().workers_size());
  EXPECT_EQ(shown + message.worker_list().left_out(), 50u);
}

TEST(Status, ImpossibleAnswersAreRefused) {
  v1::ToWorker nameless;
  nameless.mutable_worker_list()->add_workers()->set_slots(1);
  EXPECT_FALSE(decode_to_worker(encode(nameless)));
  v1::ToWorker overdone;
  overdone.mutable_worker_list()->add_sweeps()->set_id("s");
  overdone.mutable_worker_list()->mutable_sweeps(0)->set_done(1);
  EXPECT_FALSE(decode_to_worker(encode(overdone)));
}

}  // namespace
}  // namespace netfleet

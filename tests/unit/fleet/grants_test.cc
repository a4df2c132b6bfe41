#include "dispatcher/fleet/grants.h"

#include <gtest/gtest.h>

#include "common/wire.h"

namespace netfleet {
namespace {

v1::ToWorker granted(std::uint32_t count) {
  v1::ToWorker message;
  message.set_epoch(UINT64_MAX);
  message.mutable_grant()->set_sent_at(7);
  for (std::uint32_t i = 0; i < count; ++i) {
    *message.mutable_grant()->add_tasks()->mutable_task() = make_ref({1, i}, i + 1);
  }
  return message;
}

std::vector<TaskSpec> some_tasks(std::uint32_t count, std::size_t configuration) {
  std::vector<TaskSpec> tasks(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    tasks[i].index = i;
    tasks[i].host = "edge-" + std::to_string(i);
    tasks[i].address = "10.0.0.1";
    tasks[i].configuration = std::string(configuration, 'x');
  }
  return tasks;
}

// The parts as a worker decodes them; each fits into a frame.
std::vector<std::size_t> tasks_of_parts(const std::vector<TaskSpec>& tasks) {
  std::vector<std::size_t> counts;
  std::uint32_t next = 0;
  const auto count = static_cast<std::uint32_t>(tasks.size());
  send_grant(
      granted(count), [&](TaskKey key) -> const TaskSpec& { return tasks[key.index]; },
      [&](const v1::ToWorker& part) {
        const std::string bytes = encode(part);
        EXPECT_LE(bytes.size(), wire::kMaxControlFrame);
        const auto decoded = decode_to_worker(bytes);
        ASSERT_TRUE(decoded) << decoded.error().message;
        EXPECT_EQ(decoded->epoch(), UINT64_MAX);
        EXPECT_EQ(decoded->grant().sent_at(), 7u);
        for (const v1::TaskSpec& task : decoded->grant().tasks()) {
          EXPECT_EQ(task.task().attempt(), next + 1);
          EXPECT_EQ(from_wire(task), tasks[next++]);
        }
        counts.push_back(static_cast<std::size_t>(decoded->grant().tasks_size()));
      });
  EXPECT_EQ(next, count);
  return counts;
}

TEST(Grants, OneMessageSaysAllAboutItsTasks) {
  EXPECT_EQ(tasks_of_parts(some_tasks(256, 0)), std::vector<std::size_t>{256});
}

TEST(Grants, LargeConfigurationsTakeSeveralFrames) {
  EXPECT_EQ(tasks_of_parts(some_tasks(5, kMaxConfiguration)),
            (std::vector<std::size_t>{1, 1, 1, 1, 1}));
  EXPECT_EQ(tasks_of_parts(some_tasks(7, 400'000)), (std::vector<std::size_t>{2, 2, 2, 1}));
  const auto parts = tasks_of_parts(some_tasks(256, 10'000));
  EXPECT_EQ(parts.size(), 3u);
}

}  // namespace
}  // namespace netfleet

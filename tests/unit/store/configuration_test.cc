// What the store keeps of a sweep that configures, and of its jump hosts, so that it goes on
// exactly as it was begun.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "dispatcher/store/store.h"
#include "tests/unit/store/test_support.h"

namespace netfleet {
namespace {

SweepRecord some_change() {
  SweepRecord sweep = some_sweep("s", {"show clock"}, 3);
  sweep.job.mode = "privileged";
  sweep.job.configuration = {.lines = {"interface lo", "", " description caf\xe9"},
                             .dry_run = true,
                             .confirm_within = Milliseconds(90'000),
                             .save = true};
  sweep.job.answers = {{"sure\\?", "y"}, {"name", ""}};
  sweep.job.exec = true;
  sweep.job.changes_device = true;
  sweep.job.jumps = some_jumps();
  return sweep;
}

TEST(StoreOfConfiguration, AJobComesBackAsItWas) {
  const TemporaryDirectory directory;
  SweepRecord sweep = some_change();
  {
    auto store = Store::open(directory / "store.db");
    ASSERT_TRUE(store->add_sweep(sweep, some_tasks(3)));
  }
  auto store = Store::open(directory / "store.db");
  const auto found = store->find_sweep("s");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->job, sweep.job);
  EXPECT_EQ(store->tasks(sweep.number).value(), some_tasks(3));

  SweepRecord plain = some_sweep("t", {"show clock"}, 0);
  ASSERT_TRUE(store->add_sweep(plain, {}));
  EXPECT_EQ(store->find_sweep("t")->job, plain.job);
}

TEST(StoreOfConfiguration, TasksHaveTheirOwnAndEqualOnesAreStoredOnce) {
  const TemporaryDirectory directory;
  const std::string path = directory / "store.db";
  std::vector<TaskSpec> tasks = some_tasks(2000);
  const std::string same = noise(50'000, 1);
  std::string text = same;
  std::ranges::replace(text, '\0', ' ');
  TextPool pool;
  for (TaskSpec& task : tasks) {
    if (task.index % 4 != 0) task.configuration = task.index % 4 == 1 ? pool(text) : "x";
  }
  tasks[8].configuration = "edge-8";
  for (TaskSpec& task : tasks) task.jump = pool("bastion>core|other,third");
  tasks[9].jump = "core";
  tasks[9].ssh_options = "ciphers +3des-cbc\n";
  SweepRecord sweep = some_sweep("s", {}, 2000);
  {
    auto store = Store::open(path);
    ASSERT_TRUE(store->add_sweep(sweep, tasks));
  }
  EXPECT_LT(std::filesystem::file_size(path), 1'000'000u) << "500 tasks have the same 50,000 bytes";
  auto store = Store::open(path);
  const auto read = store->tasks(sweep.number);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(*read == tasks);
  EXPECT_EQ((*read)[1].configuration.data(), (*read)[5].configuration.data()) << "in memory, too";
  EXPECT_EQ((*read)[1].jump.data(), (*read)[7].jump.data());
  EXPECT_EQ(store->task(sweep.number, 8)->configuration, "edge-8");
}

}  // namespace
}  // namespace netfleet

// A full disk is an Error and harms nothing that was stored before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dispatcher/store/store.h"
#include "tests/unit/store/test_support.h"

namespace netfleet {
namespace {

using ::testing::HasSubstr;

TEST(StoreOnAFullDisk, FailsAndKeepsWhatItHad) {
  SmallDisk disk(1024);
  ASSERT_TRUE(disk.mounted()) << "needs root to mount a tmpfs";
  const std::string path = disk / "store.db";
  std::uint32_t stored = 0;
  {
    auto store = Store::open(path);
    ASSERT_TRUE(store) << store.error().message;
    SweepRecord sweep = some_sweep("s", {"show tech"}, 1000);
    ASSERT_TRUE(store->add_sweep(sweep, some_tasks(1000)));
    Expected<void> saved;
    for (; saved && stored < 1000; ++stored) {
      saved = store->save_results(
          sweep.number, std::vector{ok_result(stored, "show tech", noise(10'000, stored))});
    }
    ASSERT_FALSE(saved) << "the disk never filled";
    --stored;
    ASSERT_GT(stored, 5u);
    EXPECT_THAT(saved.error().message, HasSubstr("the disk is full"));
    EXPECT_THAT(saved.error().message, HasSubstr(path));

    // What was there can still be read over the same connection.
    const auto result = store->result(sweep.number, stored - 1);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ((*result)->commands[0].output, noise(10'000, stored - 1));
    EXPECT_EQ(store->result(sweep.number, stored)->has_value(), false);
  }
  auto store = Store::open(path);
  ASSERT_TRUE(store) << store.error().message;
  std::uint32_t found = 0;
  const auto read = store->for_each(1, [&](const TaskSpec&, const TaskResult* result) {
    if (result != nullptr) {
      EXPECT_EQ(result->commands[0].output, noise(10'000, result->index));
      ++found;
    }
    return true;
  });
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(found, stored);
}

TEST(StoreOnAFullDisk, GoesOnWhenThereIsRoomAgain) {
  SmallDisk disk(1024);
  ASSERT_TRUE(disk.mounted()) << "needs root to mount a tmpfs";
  auto store = Store::open(disk / "store.db");
  ASSERT_TRUE(store) << store.error().message;
  SweepRecord sweep = some_sweep("s", {"show tech"}, 2);
  ASSERT_TRUE(store->add_sweep(sweep, some_tasks(2)));
  disk.fill("other");
  const std::vector results = {ok_result(0, "show tech", noise(50'000, 1))};
  ASSERT_FALSE(store->save_results(sweep.number, results));
  SweepRecord another = some_sweep("t", {}, 20'000);
  EXPECT_FALSE(store->add_sweep(another, some_tasks(20'000)));

  std::filesystem::remove(disk / "other");
  const auto saved = store->save_results(sweep.number, results);
  ASSERT_TRUE(saved) << saved.error().message;
  EXPECT_EQ(store->result(sweep.number, 0).value(), results[0]);
  EXPECT_EQ(store->sweeps(10)->size(), 1u);
}

TEST(StoreOnAFullDisk, CannotBeCreatedAndSaysSo) {
  SmallDisk disk(64);
  ASSERT_TRUE(disk.mounted()) << "needs root to mount a tmpfs";
  disk.fill("other");
  const auto store = Store::open(disk / "store.db");
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().message, HasSubstr("store.db"));
}

}  // namespace
}  // namespace netfleet

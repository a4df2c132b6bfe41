// What a store remembers of platforms that were found out.
#include <gtest/gtest.h>

#include "tests/unit/store/test_support.h"

namespace netfleet {
namespace {

constexpr std::uint64_t kKey = 0xfedc'ba98'7654'3210;

class DetectionsTest : public testing::Test {
 protected:
  // A sweep of one task that ended so.
  void sweep(const std::string& id, TaskResult result, TaskSpec task = some_task(0)) {
    SweepRecord record = some_sweep(id, {"show clock"}, 1);
    ASSERT_TRUE(store_.add_sweep(record, std::vector{task}));
    ASSERT_TRUE(store_.save_results(record.number, std::vector{std::move(result)}));
  }
  static TaskResult found(const std::string& platform, std::uint64_t key = kKey) {
    TaskResult result = ok_result(0);
    result.platform = platform;
    result.evidence = "because";
    result.found_on_key = key;
    return result;
  }
  TaskSpec recalled(TaskSpec task = some_task(0)) {
    std::vector tasks{std::move(task)};
    EXPECT_TRUE(store_.recall_platforms(tasks));
    return tasks[0];
  }
  const TemporaryDirectory directory_;
  Store store_ = Store::open(directory_ / "store.db").value();
};

TEST_F(DetectionsTest, WhatWasFoundIsRecalledInTheNextSweep) {
  EXPECT_TRUE(recalled().remembered_platform.empty());
  sweep("one", found("arista_eos"));
  store_ = Store::open(directory_ / "store.db").value();
  EXPECT_EQ(recalled().remembered_platform, "arista_eos");
  EXPECT_EQ(recalled().remembered_key, kKey);
  EXPECT_EQ((*store_.result(1, 0))->evidence, "because");
}

TEST_F(DetectionsTest, TheNewestCounts) {
  sweep("one", found("arista_eos"));
  sweep("two", found("linux", 7));
  EXPECT_EQ(recalled().remembered_platform, "linux");
  EXPECT_EQ(recalled().remembered_key, 7u);
}

TEST_F(DetectionsTest, IsOfOneAddressPortAndUser) {
  sweep("one", found("arista_eos"));
  TaskSpec other = some_task(0);
  other.host = "another name";
  EXPECT_EQ(recalled(other).remembered_platform, "arista_eos");
  other.user = "somebody";
  EXPECT_TRUE(recalled(other).remembered_platform.empty());
  other = some_task(0);
  other.port = 2222;
  EXPECT_TRUE(recalled(other).remembered_platform.empty());
  EXPECT_TRUE(recalled(some_task(1)).remembered_platform.empty());
}

TEST_F(DetectionsTest, AGivenPlatformIsNeitherRememberedNorReplaced) {
  TaskSpec given = some_task(0);
  given.platform = "cisco_ios";
  sweep("one", found("cisco_ios"), given);
  EXPECT_TRUE(recalled().remembered_platform.empty());
  sweep("two", found("arista_eos"));
  EXPECT_TRUE(recalled(given).remembered_platform.empty());
}

TEST_F(DetectionsTest, WhatWentWrongUnderItForgetsIt) {
  sweep("one", found("arista_eos"));
  sweep("two", ok_result(0));
  sweep("three", failed_result(0, Outcome::kUnreachable, "no route"));
  EXPECT_EQ(recalled().remembered_platform, "arista_eos");
  int number = 0;
  for (const Outcome wrong :
       {Outcome::kTimedOut, Outcome::kCommandFailed, Outcome::kDisconnected}) {
    sweep(fmt::format("found {}", ++number), found("arista_eos"));
    EXPECT_EQ(recalled().remembered_platform, "arista_eos");
    sweep(fmt::format("wrong {}", number), failed_result(0, wrong, "no prompt"));
    EXPECT_TRUE(recalled().remembered_platform.empty());
  }
  TaskResult refused = found("arista_eos");  // newly: the command was wrong
  refused.outcome = Outcome::kCommandFailed;
  sweep("refused", refused);
  EXPECT_EQ(recalled().remembered_platform, "arista_eos");
}

TEST_F(DetectionsTest, ATemporaryStoreRemembersNothing) {
  store_ = Store::open("").value();
  sweep("one", found("arista_eos"));
  EXPECT_TRUE(recalled().remembered_platform.empty());
}

}  // namespace
}  // namespace netfleet

// What the store keeps for a dispatcher that starts again: grants, how far tasks are, whose turn.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dispatcher/store/store.h"
#include "tests/unit/store/test_support.h"

namespace netfleet {
namespace {

using ::testing::HasSubstr;

class ResumeTest : public ::testing::Test {
 protected:
  ResumeTest() { EXPECT_TRUE(store_.add_sweep(sweep_, some_tasks(4))); }

  std::vector<TaskState> states() { return store_.task_states(sweep_.number).value(); }

  const TemporaryDirectory directory_;
  const std::string path_ = directory_ / "store.db";
  Store store_ = Store::open(path_).value();
  SweepRecord sweep_ = some_sweep("s", {"show clock"}, 4);
};

TEST_F(ResumeTest, NewestGrantAndResultsSayHowFarATaskIs) {
  const std::uint64_t owner = 0xFFFF'FFFF'FFFF'FF01;  // larger than SQLite's integers
  const GrantRecord first{.index = 1, .attempt = 1, .owner = owner, .deaths = 0, .retries_used = 0};
  const GrantRecord second{.index = 1, .attempt = 2, .owner = 0, .deaths = 1, .retries_used = 1};
  const GrantRecord other{.index = 3, .attempt = 1, .owner = owner, .deaths = 0, .retries_used = 0};
  TaskResult result = failed_result(0, Outcome::kAuthFailed, "refused");
  result.attempt = 3;
  ASSERT_TRUE(store_.save(sweep_.number, std::vector{first, other}, {}));
  ASSERT_TRUE(store_.save(sweep_.number, std::vector{second}, std::vector{result}));

  const auto found = states();
  ASSERT_EQ(found.size(), 3u) << "task 2 was never granted";
  EXPECT_EQ(found[0].grant.index, 0u);
  EXPECT_EQ(found[0].grant.attempt, 3u);
  EXPECT_EQ(found[0].outcome, Outcome::kAuthFailed);
  EXPECT_EQ(found[1].grant.index, 1u);
  EXPECT_EQ(found[1].grant.attempt, 2u);
  EXPECT_EQ(found[1].grant.owner, 0u);
  EXPECT_EQ(found[1].grant.deaths, 1);
  EXPECT_EQ(found[1].grant.retries_used, 1);
  EXPECT_FALSE(found[1].outcome);
  EXPECT_EQ(found[2].grant.owner, owner);
  EXPECT_EQ(store_.tasks(sweep_.number).value(), some_tasks(4));
}

TEST_F(ResumeTest, OtherSweepsAreNotMixedIn) {
  SweepRecord next = some_sweep("next", {"show clock"}, 4);
  ASSERT_TRUE(store_.add_sweep(next, some_tasks(4)));
  ASSERT_TRUE(store_.save(next.number, std::vector{GrantRecord{.index = 0}}, {}));
  EXPECT_TRUE(states().empty());
  EXPECT_EQ(store_.task_states(next.number).value().size(), 1u);
}

TEST_F(ResumeTest, SweepComesBackWithHowItRuns) {
  SweepRecord changing = some_sweep("changing", {"write"}, 0);
  changing.job.changes_device = true;
  changing.retries = 7;
  changing.max_auth_failures = 0;
  changing.retry_unsafe = true;
  changing.limited = true;
  changing.boot_id = "a";
  ASSERT_TRUE(store_.add_sweep(changing, {}));
  ASSERT_TRUE(store_.take_over(changing.number, Milliseconds(30'000), false));
  const SweepRecord found = store_.find_sweep("changing").value();
  EXPECT_EQ(found.retries, 7u);
  EXPECT_EQ(found.max_auth_failures, 0u);
  EXPECT_TRUE(found.retry_unsafe);
  EXPECT_TRUE(found.limited);
  EXPECT_EQ(found.boot_id, "a");
  EXPECT_EQ(found.lease, Milliseconds(30'000));
  ASSERT_TRUE(store_.take_over(changing.number, Milliseconds(1000), false));
  EXPECT_EQ(store_.find_sweep("changing")->lease, Milliseconds(30'000)) << "the longest counts";
}

TEST_F(ResumeTest, AfterEachPowerCutAttemptsBeginAboveAllThatCanBeForgotten) {
  SweepRecord sweep = some_sweep("sweep", {"show"}, 0);
  ASSERT_TRUE(store_.add_sweep(sweep, {}));
  const auto take_over = [&](bool uncertain) {
    return store_.take_over(sweep.number, Milliseconds(1000), uncertain).value();
  };
  EXPECT_EQ(take_over(false), 1u);
  EXPECT_EQ(take_over(true), 17u);
  EXPECT_EQ(take_over(false), 17u) << "what was forgotten stays so";
  EXPECT_EQ(take_over(true), 33u) << "those of the last one may be forgotten, too";
  ASSERT_TRUE(store_.save(sweep.number, std::vector{GrantRecord{.index = 0, .attempt = 40}}, {}));
  EXPECT_EQ(take_over(true), 56u);
  EXPECT_EQ(Store::open(path_)->take_over(sweep.number, Milliseconds(1000), false).value(), 56u);
}

TEST_F(ResumeTest, IdentityStaysWithTheStore) {
  const std::uint64_t identity = store_.identity().value();
  EXPECT_EQ(Store::open(path_)->identity().value(), identity);
  EXPECT_NE(Store::open("")->identity().value(), identity);
}

// In another process: locks of one process never exclude each other by accident.
bool another_process_may_lock(const std::string& path, const SweepRecord& sweep) {
  const pid_t child = fork();
  if (child == 0) {
    auto store = Store::open(path);
    _exit(store && store->lock_sweep(sweep) ? 0 : 1);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST_F(ResumeTest, OneProcessAtATimeWorksAtASweep) {
  SweepRecord other = some_sweep("other", {}, 0);
  ASSERT_TRUE(store_.add_sweep(other, {}));
  {
    const auto lock = store_.lock_sweep(sweep_);
    ASSERT_TRUE(lock) << lock.error().message;
    EXPECT_FALSE(another_process_may_lock(path_, sweep_));
    EXPECT_TRUE(another_process_may_lock(path_, other));
    const auto again = store_.lock_sweep(sweep_);
    ASSERT_FALSE(again);
    EXPECT_THAT(again.error().message, HasSubstr("sweep s is being worked at"));
  }
  EXPECT_TRUE(another_process_may_lock(path_, sweep_));
}

TEST_F(ResumeTest, AnotherNameOfTheStoreIsTheSameStore) {
  const std::string other = directory_ / "other.db";
  std::filesystem::create_symlink(path_, other);
  const auto lock = store_.lock_sweep(sweep_);
  ASSERT_TRUE(lock) << lock.error().message;
  EXPECT_FALSE(another_process_may_lock(other, sweep_));
}

}  // namespace
}  // namespace netfleet

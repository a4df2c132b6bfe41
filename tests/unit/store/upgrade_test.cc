// Stores of earlier versions are brought up to date with what they have.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "dispatcher/store/store.h"
#include "tests/unit/store/test_support.h"

namespace netfleet {
namespace {

// What each version added, taken away again: what is left is the version before.
constexpr std::array kTakenAway = {
    "DROP TABLE grants; DROP TABLE store;"
    "ALTER TABLE sweeps DROP COLUMN retries; ALTER TABLE sweeps DROP COLUMN max_auth_failures;"
    "ALTER TABLE sweeps DROP COLUMN retry_unsafe; ALTER TABLE sweeps DROP COLUMN limited;"
    "ALTER TABLE sweeps DROP COLUMN lease_ms; ALTER TABLE sweeps DROP COLUMN boot_id",
    "DROP TABLE detections; ALTER TABLE results DROP COLUMN evidence",
    "DROP TABLE sweep_answers; ALTER TABLE tasks DROP COLUMN configuration;"
    "ALTER TABLE sweeps DROP COLUMN mode; ALTER TABLE sweeps DROP COLUMN configuration;"
    "ALTER TABLE sweeps DROP COLUMN dry_run; ALTER TABLE sweeps DROP COLUMN confirm_within_ms;"
    "ALTER TABLE sweeps DROP COLUMN save; ALTER TABLE sweeps DROP COLUMN exec",
    "ALTER TABLE tasks DROP COLUMN ssh_options; ALTER TABLE sweeps DROP COLUMN least_attempt",
    "DROP TRIGGER forget_pieces; DROP TABLE pieces",
    "DROP TABLE sweep_jumps; ALTER TABLE tasks DROP COLUMN jump",
    "ALTER TABLE sweeps DROP COLUMN rollout",
    "DROP TABLE schedules; DROP TABLE firings; DROP INDEX sweeps_of_request;"
    "ALTER TABLE sweeps DROP COLUMN job; ALTER TABLE sweeps DROP COLUMN origin;"
    "ALTER TABLE sweeps DROP COLUMN due; ALTER TABLE sweeps DROP COLUMN request",
    "ALTER TABLE sweeps DROP COLUMN guarded"};

void execute(sqlite3* database, const std::string& sql) {
  char* error = nullptr;
  EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK)
      << sql << ": " << (error != nullptr ? error : "");
}

void make_older(const std::string& path, int version) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  for (int newer = static_cast<int>(kTakenAway.size()) + 1; newer > version; --newer) {
    execute(database, kTakenAway[static_cast<std::size_t>(newer) - 2]);
  }
  execute(database, fmt::format("PRAGMA user_version={}", version));
  sqlite3_close(database);
}

class StoreOfVersion : public ::testing::TestWithParam<int> {};

TEST_P(StoreOfVersion, IsBroughtUpToDateWithWhatItHas) {
  const TemporaryDirectory directory;
  const std::string path = directory / "store.db";
  {
    Store store = Store::open(path).value();
    SweepRecord sweep = some_sweep("old", {"show clock"}, 2);
    ASSERT_TRUE(store.add_sweep(sweep, some_tasks(2)));
    ASSERT_TRUE(store.save_results(sweep.number, std::vector{ok_result(0, "show clock", "noon")}));
  }
  make_older(path, GetParam());
  auto store = Store::open(path);
  ASSERT_TRUE(store) << store.error().message;
  const auto sweep = store->find_sweep("old");
  ASSERT_TRUE(sweep) << sweep.error().message;
  EXPECT_EQ(sweep->retries, 1u);
  EXPECT_EQ(sweep->job.configuration, Configuration{});
  EXPECT_EQ(sweep->job.mode, "");
  EXPECT_EQ(sweep->rollout, "");
  EXPECT_FALSE(sweep->guarded);
  EXPECT_EQ(store->tasks(sweep->number).value(), some_tasks(2));
  EXPECT_EQ((*store->result(sweep->number, 0))->commands[0].output, "noon");
  ASSERT_TRUE(store->save(sweep->number, std::vector{GrantRecord{.index = 1, .attempt = 2}}, {}));
  EXPECT_EQ(store->task_states(sweep->number)->size(), 2u);
  EXPECT_TRUE(store->identity());

  auto tasks = some_tasks(1);
  tasks[0].configuration = "hostname x";
  tasks[0].ssh_options = "macs hmac-sha1\n";
  tasks[0].jump = "a>b|c";
  SweepRecord newer = some_sweep("new", {}, 1);
  newer.job.configuration.save = true;
  newer.job.jumps = some_jumps();
  newer.rollout = "canary=5";
  ASSERT_TRUE(store->add_sweep(newer, tasks));
  EXPECT_EQ(store->tasks(newer.number).value(), tasks);
  EXPECT_EQ(store->find_sweep("new")->job, newer.job);
  EXPECT_EQ(store->find_sweep("new")->rollout, newer.rollout);
  ASSERT_TRUE(store->end_sweep(newer.number, newer.started_at, true));
  EXPECT_TRUE(store->find_sweep("new")->guarded);
}

INSTANTIATE_TEST_SUITE_P(Earlier, StoreOfVersion, ::testing::Values(1, 2, 3, 4, 5, 6, 7, 8, 9));

}  // namespace
}  // namespace netfleet

// Forgetting: which sweeps go, what goes with them, and that nothing else does.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dispatcher/store/store.h"
#include "tests/unit/store/test_support.h"

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Retention : public ::testing::Test {
 protected:
  // Sweeps begin an hour apart.
  SweepRecord sweep(const std::string& id, std::vector<std::string> outputs, bool ended = true) {
    SweepRecord record = some_sweep(id, {"show run"}, static_cast<std::uint32_t>(outputs.size()));
    record.started_at = wall(3'600'000 * ++begun_);
    const auto count = static_cast<std::uint32_t>(outputs.size());
    EXPECT_TRUE(store_.add_sweep(record, some_tasks(count)));
    std::vector<TaskResult> results;
    for (std::uint32_t i = 0; i < count; ++i) {
      results.push_back(ok_result(i, "show run", std::move(outputs[i])));
    }
    EXPECT_TRUE(store_.save_results(record.number, results));
    if (ended) {
      EXPECT_TRUE(store_.end_sweep(record.number, record.started_at));
    }
    return record;
  }

  std::vector<std::string> old(const RetentionRules& rules) {
    std::vector<std::string> ids;
    const auto found = store_.old_sweeps(rules).value();
    for (const SweepRecord& record : found) ids.push_back(record.id);
    return ids;
  }

  std::int64_t count(const std::string& table) {
    SQLite::Database database(path_);
    return database.execAndGet("SELECT count(*) FROM " + table).getInt64();
  }

  std::string output(const SweepRecord& record, std::uint32_t index) {
    return store_.result(record.number, index).value()->commands[0].output.whole().value();
  }

  const TemporaryDirectory directory_;
  const std::string path_ = directory_ / "store.db";
  Store store_ = Store::open(path_).value();
  std::int64_t begun_ = 0;
};

TEST_F(Retention, ASweepStaysWhenOneOfTheRulesKeepsIt) {
  for (const char* id : {"a", "b", "c", "d"}) sweep(id, {});
  sweep("running", {}, false);
  EXPECT_THAT(old({.keep_sweeps = 2, .keep_since = {}}), ElementsAre("b", "a"));
  EXPECT_THAT(old({.keep_sweeps = {}, .keep_since = wall(3 * 3'600'000)}), ElementsAre("b", "a"));
  EXPECT_THAT(old({.keep_sweeps = 1, .keep_since = wall(2 * 3'600'000)}), ElementsAre("a"));
  EXPECT_THAT(old({.keep_sweeps = 3, .keep_since = wall(4 * 3'600'000)}), ElementsAre("a"));
  EXPECT_THAT(old({.keep_sweeps = 10, .keep_since = {}}), IsEmpty());
}

TEST_F(Retention, UnfinishedSweepsStayUnlessAskedFor) {
  sweep("a", {}, false);
  sweep("b", {});
  sweep("c", {}, false);
  EXPECT_THAT(old({.keep_sweeps = 1, .keep_since = {}}), IsEmpty());
  EXPECT_THAT(old({.keep_sweeps = 1, .keep_since = {}, .unfinished = true}), ElementsAre("b", "a"));
}

// A task's configuration and the way to it are bodies, as outputs are.
TEST_F(Retention, WhatTheTasksOfOtherSweepsNeedStays) {
  std::vector<SweepRecord> records;
  for (const char* id : {"a", "b"}) {
    SweepRecord& record = records.emplace_back(some_sweep(id, {"show run"}, 1));
    record.started_at = wall(3'600'000 * ++begun_);
    record.job.configuration.lines = {fmt::format("hostname {}", id)};
    record.job.jumps = {{.name = "gate", .address = "192.0.2.1", .user = "ann"}};
    std::vector<TaskSpec> tasks = some_tasks(1);
    tasks[0].configuration = fmt::format("hostname its-own-{}\n", id);
    tasks[0].jump = fmt::format("gate>core-{}|b", id);
    ASSERT_TRUE(store_.add_sweep(record, tasks));
  }
  ASSERT_EQ(count("bodies"), 6);
  ASSERT_TRUE(store_.remove_sweep(records[0]).value());
  EXPECT_EQ(store_.remove_leftovers().value(), 3u);
  EXPECT_EQ(count("sweep_jumps"), 1);
  Store again = Store::open(path_).value();
  const auto tasks = again.tasks(records[1].number);
  ASSERT_TRUE(tasks) << tasks.error().message;
  EXPECT_EQ(tasks->at(0).configuration, "hostname its-own-b\n");
  EXPECT_EQ(tasks->at(0).jump, "gate>core-b|b");
  const auto kept = again.find_sweep("b");
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_EQ(kept->job.configuration.lines, records[1].job.configuration.lines);
}

TEST_F(Retention, WhatAnotherProcessWorksAtStays) {
  const SweepRecord record = sweep("a", {noise(200, 1)}, false);
  {
    Store other = Store::open(path_).value();
    const auto lock = other.lock_sweep(record);
    ASSERT_TRUE(lock);
    EXPECT_EQ(store_.remove_sweep(record).value(), false);
    EXPECT_EQ(count("results"), 1);
  }
  EXPECT_EQ(store_.remove_sweep(record).value(), true);
  EXPECT_EQ(count("results"), 0);
}

TEST_F(Retention, TakesOutputsThatNobodyHasAnyMore) {
  const std::string shared = noise(500, 1);
  const SweepRecord first = sweep("a", {shared, noise(500, 2), "short"});
  const SweepRecord second = sweep("b", {shared, noise(500, 3)});
  const SweepRecord large = sweep("c", {noise(3u << 20, 4)});
  const auto pieces = count("pieces");
  EXPECT_GT(pieces, 1);
  ASSERT_TRUE(store_.save(first.number, std::vector{GrantRecord{.index = 0}}, {}));
  EXPECT_EQ(store_.remove_leftovers().value(), 0u);
  EXPECT_EQ(count("bodies"), 4);

  ASSERT_TRUE(store_.remove_sweep(first).value());
  EXPECT_FALSE(store_.find_sweep("a"));
  EXPECT_EQ(count("bodies"), 4) << "not before all sweeps are gone";
  EXPECT_EQ(store_.remove_leftovers().value(), 1u);
  EXPECT_EQ(output(second, 0), shared);
  EXPECT_EQ(output(second, 1), noise(500, 3));
  for (const char* table : {"sweeps", "sweep_commands"}) EXPECT_EQ(count(table), 2) << table;
  for (const char* table : {"tasks", "results", "outputs"}) EXPECT_EQ(count(table), 3) << table;
  EXPECT_EQ(count("grants"), 0);

  ASSERT_TRUE(store_.remove_sweep(large).value());
  ASSERT_TRUE(store_.remove_sweep(second).value());
  EXPECT_EQ(store_.remove_leftovers().value(), 3u);
  for (const char* table : {"bodies", "pieces", "tasks", "outputs"}) EXPECT_EQ(count(table), 0);
}

TEST_F(Retention, ConfigurationsStayWithTheirSweeps) {
  SweepRecord record = some_sweep("a", {}, 1);
  record.job.configuration.lines = {"hostname x", "end"};
  std::vector<TaskSpec> tasks = some_tasks(1);
  tasks[0].configuration = "interface a\nshutdown\n";
  ASSERT_TRUE(store_.add_sweep(record, tasks));
  EXPECT_EQ(store_.remove_leftovers().value(), 0u);
  EXPECT_EQ(store_.task(record.number, 0)->configuration, "interface a\nshutdown\n");
  EXPECT_EQ(store_.find_sweep("a")->job.configuration.lines.size(), 2u);
  ASSERT_TRUE(store_.remove_sweep(record).value());
  EXPECT_EQ(store_.remove_leftovers().value(), 2u);
}

TEST_F(Retention, RemovalsThatWereCutShortAreGoneOnWith) {
  const SweepRecord first = sweep("a", {noise(500, 1), noise(500, 2)});
  const SweepRecord second = sweep("b", {noise(500, 3)});
  {
    SQLite::Database database(path_, SQLite::OPEN_READWRITE);
    database.exec("DELETE FROM sweeps WHERE id='a'");
  }
  EXPECT_EQ(store_.remove_leftovers().value(), 2u);
  EXPECT_EQ(count("tasks"), 1);
  EXPECT_EQ(output(second, 0), noise(500, 3));
}

TEST_F(Retention, ManyTasksGoInPartsAndNumbersAreNotUsedAgain) {
  std::vector<std::string> outputs;
  for (std::uint32_t i = 0; i < 12'000; ++i) outputs.push_back(noise(100, i));
  const SweepRecord record = sweep("a", outputs);
  ASSERT_TRUE(store_.remove_sweep(record).value());
  EXPECT_EQ(store_.remove_leftovers().value(), 12'000u);
  EXPECT_EQ(count("tasks") + count("outputs") + count("bodies"), 0);
  const auto before = std::filesystem::file_size(path_);
  ASSERT_TRUE(store_.compact());
  {
    Store again = Store::open(path_).value();
  }
  EXPECT_GT(sweep("b", {}).number, record.number);
  store_ = Store::open(directory_ / "other.db").value();  // closes it: the file is written
  EXPECT_LT(std::filesystem::file_size(path_), before / 2);
}

// A reader that is in the middle of a sweep, and a writer that goes on with one, see no difference.
TEST_F(Retention, OthersReadAndWriteMeanwhile) {
  const std::string shared = noise(500, 1);
  const SweepRecord gone = sweep("a", {shared});
  Store other = Store::open(path_).value();
  SweepRecord running = some_sweep("b", {"show run"}, 300);
  ASSERT_TRUE(other.add_sweep(running, some_tasks(300)));
  ASSERT_TRUE(other.save_results(running.number, std::vector{ok_result(0, "show run", "x\n")}));
  SQLite::Database reader(path_);
  SQLite::Statement open_row(reader, "SELECT key FROM tasks");
  ASSERT_TRUE(open_row.executeStep());
  ASSERT_TRUE(store_.remove_sweep(gone).value());
  // It comes to refer to a body that nothing else refers to any more.
  ASSERT_TRUE(other.save_results(running.number, std::vector{ok_result(1, "show run", shared)}));
  EXPECT_EQ(store_.remove_leftovers().value(), 0u);
  EXPECT_EQ(output(running, 1), shared);
}

TEST_F(Retention, ADamagedStoreIsSaid) {
  sweep("a", {noise(500, 1)});
  {
    store_ = Store::open("").value();
  }
  std::string content = file_content(path_);
  for (std::size_t i = 4096; i < content.size(); ++i) content[i] = '\xff';
  std::ofstream(path_, std::ios::binary) << content;
  auto damaged = Store::open(path_);
  if (!damaged) {
    EXPECT_THAT(damaged.error().message, HasSubstr("damaged"));
    return;
  }
  const auto failed = damaged->old_sweeps({.keep_sweeps = 1, .keep_since = {}});
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("damaged"));
}

}  // namespace
}  // namespace netfleet

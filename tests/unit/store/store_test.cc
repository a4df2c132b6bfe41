#include "dispatcher/store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/store/test_support.h"

namespace netfleet {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class StoreTest : public ::testing::Test {
 protected:
  SweepRecord add(const std::string& id, std::uint32_t total = 0,
                  std::vector<std::string> commands = {}) {
    SweepRecord sweep = some_sweep(id, std::move(commands), total);
    const auto added = store_.add_sweep(sweep, some_tasks(total));
    EXPECT_TRUE(added) << added.error().message;
    return sweep;
  }
  void save(const SweepRecord& sweep, const std::vector<TaskResult>& results) {
    const auto saved = store_.save_results(sweep.number, results);
    ASSERT_TRUE(saved) << saved.error().message;
  }
  TaskResult read(const SweepRecord& sweep, std::uint32_t index) {
    auto result = store_.result(sweep.number, index);
    EXPECT_TRUE(result) << result.error().message;
    EXPECT_TRUE(result->has_value());
    return result && *result ? **result : TaskResult{};
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_ / "store.db";
  Store store_ = Store::open(path_).value();
};

TEST_F(StoreTest, SweepComesBackAsItWas) {
  SweepRecord sweep =
      some_sweep("20261122-191548-3fa9", {"show clock", "", "a 'quoted' \"one\""}, 2);
  sweep.job.timeouts = {.connect = Milliseconds(1),
                        .auth = Milliseconds(2),
                        .command = Milliseconds(3),
                        .task = Milliseconds(4)};
  sweep.job.max_output = std::uint64_t{5} << 32;
  sweep.job.host_key_policy = HostKeyPolicy::kStrict;
  sweep.job.legacy_algorithms = true;
  sweep.job.changes_device = true;
  ASSERT_TRUE(store_.add_sweep(sweep, some_tasks(2)));
  EXPECT_GT(sweep.number, 0u);

  auto found = store_.find_sweep("last");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->number, sweep.number);
  EXPECT_EQ(found->id, sweep.id);
  EXPECT_EQ(found->started_at, sweep.started_at);
  EXPECT_FALSE(found->ended_at);
  EXPECT_EQ(found->total, 2u);
  EXPECT_EQ(found->job, sweep.job);

  ASSERT_TRUE(store_.end_sweep(sweep.number, wall(1'795'374'960'000)));
  EXPECT_EQ(store_.find_sweep("last")->ended_at, wall(1'795'374'960'000));
  EXPECT_FALSE(store_.find_sweep("last")->guarded);
  ASSERT_TRUE(store_.end_sweep(sweep.number, wall(1'795'374'960'000), true));
  EXPECT_TRUE(store_.find_sweep("last")->guarded);
}

TEST_F(StoreTest, TaskComesBackAsItWas) {
  TaskSpec task{.index = 0,
                .port = 65535,
                .host = "höst/1",
                .address = "2001:db8::1",
                .user = "me",
                .platform = "junos",
                .region = "eu",
                .credential = "night"};
  SweepRecord sweep = some_sweep("s", {}, 1);
  ASSERT_TRUE(store_.add_sweep(sweep, std::vector{task}));
  EXPECT_EQ(store_.task(sweep.number, 0).value(), task);
  const auto missing = store_.task(sweep.number, 1);
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("no task 1"));
}

TEST_F(StoreTest, ResultComesBackAsItWas) {
  const SweepRecord sweep = add("s", 4, {"show clock", "show run"});
  TaskResult full = ok_result(2);
  full.attempt = 3;
  full.outcome = Outcome::kCommandFailed;
  full.error = "run show run on edge-2: refused";
  full.jump = "bastion-eu,bastion-2";
  full.commands = {some_output("show clock", "12:00"), some_output("show  run", noise(3000, 1)),
                   some_output("", std::string("\0\xff\x1b[m", 5)),
                   some_output("show x", std::string(100'000, 'x'))};
  full.commands[1].outcome = Outcome::kCommandFailed;
  full.commands[3].truncated = true;
  TaskResult bare = failed_result(1, Outcome::kSkipped, "");
  TaskResult partial = ok_result(3, "show clock", "");
  save(sweep, {full, bare, partial});
  EXPECT_EQ(read(sweep, 2), full);
  EXPECT_EQ(read(sweep, 1), bare);
  EXPECT_EQ(read(sweep, 3), partial);
  EXPECT_FALSE(store_.result(sweep.number, 0)->has_value());
  EXPECT_FALSE(store_.result(sweep.number, 99)->has_value());
}

TEST_F(StoreTest, EveryOutcomeComesBack) {
  const SweepRecord sweep = add("s", kOutcomeCount);
  std::vector<TaskResult> results;
  for (std::uint32_t i = 0; i < kOutcomeCount; ++i) {
    results.push_back(failed_result(i, static_cast<Outcome>(i), "why"));
  }
  save(sweep, results);
  for (const TaskResult& result : results) EXPECT_EQ(read(sweep, result.index), result);
}

TEST_F(StoreTest, OutputsAroundTheSizesWhereTheirPlaceChanges) {
  std::vector<TaskResult> results;
  for (const std::uint32_t size : {0u, 1u, 63u, 64u, 65u, 127u, 128u, 129u, 4096u}) {
    const auto index = static_cast<std::uint32_t>(results.size());
    results.push_back(ok_result(index, "show", std::string(size, 'a')));
  }
  const SweepRecord sweep = add("s", static_cast<std::uint32_t>(results.size()), {"show"});
  save(sweep, results);
  for (const TaskResult& result : results) EXPECT_EQ(read(sweep, result.index), result);
}

TEST_F(StoreTest, FirstResultOfATaskCounts) {
  const SweepRecord sweep = add("s", 3, {"show"});
  save(sweep, {ok_result(0, "show", "first"), ok_result(0, "show", "same batch")});
  save(sweep, {ok_result(0, "show", "later"), ok_result(1, "show", "other")});
  EXPECT_EQ(read(sweep, 0).commands[0].output, "first");
  EXPECT_EQ(read(sweep, 0).commands.size(), 1u);
  EXPECT_EQ(read(sweep, 1).commands[0].output, "other");
}

TEST_F(StoreTest, SameOutputIsStoredOnce) {
  const std::string output = noise(100'000, 3);
  const SweepRecord first = add("first", 50, {"show run"});
  std::vector<TaskResult> results;
  for (std::uint32_t i = 0; i < 50; ++i) results.push_back(ok_result(i, "show run", output));
  save(first, results);
  const SweepRecord second = add("second", 50, {"show run"});
  save(second, results);
  EXPECT_EQ(read(second, 49).commands[0].output, output);
  store_ = Store::open("").value();                        // closes it, which empties the WAL
  EXPECT_LT(std::filesystem::file_size(path_), 250'000u);  // 100 times as much was saved
}

TEST_F(StoreTest, TextOutputIsCompressed) {
  std::string output;
  for (int i = 0; output.size() < 1'000'000; ++i) {
    output += fmt::format("interface GigabitEthernet0/{}\n description link {}\n", i, i);
  }
  const SweepRecord sweep = add("s", 1, {"show run"});
  save(sweep, {ok_result(0, "show run", output)});
  store_ = Store::open("").value();
  EXPECT_LT(std::filesystem::file_size(path_), 400'000u);
}

TEST_F(StoreTest, FindsSweepsByNewestWholeIdAndBeginning) {
  EXPECT_THAT(store_.find_sweep("last").error().message, HasSubstr("no sweep"));
  for (const char* id : {"20261121-100000-aaaa", "20261122-100000-bbbb", "20261122-110000-cccc",
                         "20261122-110000-ccccdd"}) {
    add(id);
  }
  EXPECT_EQ(store_.find_sweep("last")->id, "20261122-110000-ccccdd");
  EXPECT_EQ(store_.find_sweep("20261121")->id, "20261121-100000-aaaa");
  EXPECT_EQ(store_.find_sweep("20261122-10")->id, "20261122-100000-bbbb");
  EXPECT_EQ(store_.find_sweep("20261122-110000-cccc")->id, "20261122-110000-cccc");

  const auto ambiguous = store_.find_sweep("20261122");
  ASSERT_FALSE(ambiguous);
  EXPECT_THAT(ambiguous.error().message,
              AllOf(HasSubstr("ambiguous"), HasSubstr("20261122-100000-bbbb"),
                    HasSubstr("20261122-110000-cccc"), Not(HasSubstr("20261121"))));
  const auto unknown = store_.find_sweep("2025");
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message,
              AllOf(HasSubstr("no sweep '2025'"), HasSubstr("20261121-100000-aaaa")));
  EXPECT_FALSE(store_.find_sweep(""));
  EXPECT_FALSE(store_.find_sweep("%"));
}

TEST_F(StoreTest, LongListsOfCandidatesAreCut) {
  for (int i = 0; i < 9; ++i) add(fmt::format("s{}", i));
  const auto ambiguous = store_.find_sweep("s");
  ASSERT_FALSE(ambiguous);
  EXPECT_THAT(ambiguous.error().message, HasSubstr("s8, s7, s6, s5, s4 and 4 more"));
}

TEST_F(StoreTest, ListsSweepsNewestFirst) {
  for (const char* id : {"a", "b", "c"}) add(id);
  const auto two = store_.sweeps(2);
  ASSERT_TRUE(two);
  ASSERT_EQ(two->size(), 2u);
  EXPECT_EQ((*two)[0].id, "c");
  EXPECT_EQ((*two)[1].id, "b");
  EXPECT_EQ(store_.sweeps(SIZE_MAX)->size(), 3u);
  EXPECT_TRUE(store_.sweeps(0)->empty());
}

TEST_F(StoreTest, ASweepIdIsUsedOnce) {
  add("a", 1);
  SweepRecord again = some_sweep("a", {}, 5);
  EXPECT_FALSE(store_.add_sweep(again, some_tasks(5)));
  EXPECT_EQ(store_.sweeps(10)->size(), 1u);
}

TEST_F(StoreTest, VisitsInIndexOrderWithGapsOverManyChunks) {
  const SweepRecord other = add("before", 10, {"show"});
  const SweepRecord sweep = add("s", 1000, {"show"});
  add("after", 10, {"show"});
  save(other, {ok_result(9, "show", "other")});
  std::vector<TaskResult> results;
  for (std::uint32_t i = 1000; i-- > 0;) {
    if (i % 3 != 0)
      results.push_back(ok_result(i, "show", fmt::format("{}", i) + noise(20'000, i)));
  }
  save(sweep, results);
  std::uint32_t next = 0;
  const auto read =
      store_.for_each(sweep.number, [&](const TaskSpec& task, const TaskResult* result) {
        EXPECT_EQ(task.index, next++);
        EXPECT_EQ(task.host, fmt::format("edge-{}", task.index));
        EXPECT_EQ(result != nullptr, task.index % 3 != 0);
        if (result != nullptr) {
          EXPECT_EQ(*result, results[999 - task.index - (999 - task.index + 2) / 3]);
        }
        return true;
      });
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(next, 1000u);
}

TEST_F(StoreTest, VisitsARangeAndStopsWhenTold) {
  const SweepRecord sweep = add("s", 600);
  std::vector<std::uint32_t> seen;
  const auto note = [&](const TaskSpec& task, const TaskResult*) {
    seen.push_back(task.index);
    return true;
  };
  ASSERT_TRUE(store_.for_range(sweep.number, 300, 3, note));
  EXPECT_THAT(seen, ::testing::ElementsAre(300, 301, 302));
  seen.clear();
  ASSERT_TRUE(store_.for_range(sweep.number, 599, 100, note));
  EXPECT_THAT(seen, ::testing::ElementsAre(599));
  int visits = 0;
  ASSERT_TRUE(store_.for_each(sweep.number,
                              [&](const TaskSpec&, const TaskResult*) { return ++visits < 2; }));
  EXPECT_EQ(visits, 2);
}

TEST_F(StoreTest, MayBeUsedWhileVisiting) {
  const SweepRecord sweep = add("s", 300, {"show"});
  ASSERT_TRUE(store_.for_each(sweep.number, [&](const TaskSpec& task, const TaskResult*) {
    return store_.save_results(sweep.number, std::vector{ok_result(task.index, "show", "x")})
        .has_value();
  }));
  EXPECT_EQ(read(sweep, 299).commands[0].output, "x");
}

TEST_F(StoreTest, SurvivesReopening) {
  const SweepRecord sweep = add("s", 2, {"show"});
  const TaskResult result = ok_result(1, "show", noise(1000, 1));
  save(sweep, {result});
  store_ = Store::open(path_).value();
  EXPECT_EQ(store_.find_sweep("s")->number, sweep.number);
  EXPECT_EQ(read(sweep, 1), result);
  EXPECT_GT(add("t").number, sweep.number);
}

TEST_F(StoreTest, TemporaryStoreWorksTheSame) {
  store_ = Store::open("").value();
  const SweepRecord sweep = add("s", 1000, {"show"});
  const TaskResult result = ok_result(999, "show", noise(100'000, 1));
  save(sweep, {result, ok_result(0)});
  EXPECT_EQ(read(sweep, 999), result);
  SweepRecord again = some_sweep("s", {}, 0);
  EXPECT_FALSE(store_.add_sweep(again, {}));  // and rolls back
  EXPECT_EQ(store_.sweeps(9)->size(), 1u);
}

TEST_F(StoreTest, SecondConnectionReadsWhileTheFirstWrites) {
  const SweepRecord sweep = add("s", 100, {"show"});
  Store reader = Store::open(path_).value();
  for (std::uint32_t i = 0; i < 100; ++i) {
    save(sweep, {ok_result(i, "show", noise(500, i))});
    const auto result = reader.result(sweep.number, i);
    ASSERT_TRUE(result) << result.error().message;
    ASSERT_TRUE(result->has_value());
    EXPECT_EQ((*result)->commands[0].output, noise(500, i));
  }
}

// A process that reads again and again while this one writes sees whole batches only, ever more.
TEST(StoreProcesses, OneReadsWhileAnotherWrites) {
  const TemporaryDirectory directory;
  const std::string path = directory / "store.db";
  constexpr std::uint32_t kTotal = 2000;
  constexpr std::uint32_t kBatch = 20;
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();  // before this process has opened the store
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(120);
    char byte = 0;
    if (read(ready[0], &byte, 1) != 1) _exit(2);
    auto store = Store::open(path);
    if (!store) _exit(3);
    std::uint32_t before = 0;
    while (before < kTotal) {
      std::uint32_t found = 0;
      const auto visited = store->for_each(1, [&](const TaskSpec&, const TaskResult* result) {
        if (result != nullptr) found += result->commands.at(0).output.size() == 300 ? 1 : kTotal;
        return true;
      });
      if (!visited) _exit(4);
      if (found < before || found > kTotal) _exit(5);
      before = found;
    }
    _exit(0);
  }
  auto store = Store::open(path).value();
  SweepRecord sweep = some_sweep("s", {"show"}, kTotal);
  ASSERT_TRUE(store.add_sweep(sweep, some_tasks(kTotal)));
  ASSERT_EQ(write(ready[1], "x", 1), 1);
  for (std::uint32_t i = 0; i < kTotal; i += kBatch) {
    std::vector<TaskResult> batch;
    for (std::uint32_t j = i; j < i + kBatch; ++j) {
      batch.push_back(ok_result(j, "show", noise(300, j)));
    }
    const auto saved = store.save_results(sweep.number, batch);
    ASSERT_TRUE(saved) << saved.error().message;
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  close(ready[0]);
  close(ready[1]);
}

// What was saved is there after the writer was killed.
TEST(StoreProcesses, KilledWriterLosesNothingItHadSaved) {
  const TemporaryDirectory directory;
  const std::string path = directory / "store.db";
  int saved[2];
  ASSERT_EQ(pipe(saved), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(120);
    Store store = Store::open(path).value();
    SweepRecord sweep = some_sweep("s", {"show"}, 100'000);
    if (!store.add_sweep(sweep, some_tasks(100'000))) _exit(2);
    for (std::uint32_t i = 0; i < 100'000; ++i) {
      if (!store.save_results(sweep.number, std::vector{ok_result(i, "show", noise(300, i))})) {
        _exit(3);
      }
      if (write(saved[1], "x", 1) != 1) _exit(4);
    }
    _exit(0);
  }
  close(saved[1]);
  std::uint32_t count = 0;
  char byte = 0;
  while (count < 50 && read(saved[0], &byte, 1) == 1) ++count;
  ASSERT_EQ(count, 50u);
  kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  while (read(saved[0], &byte, 1) == 1) ++count;
  close(saved[0]);
  Store store = Store::open(path).value();
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto result = store.result(1, i);
    ASSERT_TRUE(result) << result.error().message;
    ASSERT_TRUE(result->has_value()) << i;
    EXPECT_EQ((*result)->commands[0].output, noise(300, i));
  }
}

}  // namespace
}  // namespace netfleet

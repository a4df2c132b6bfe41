#include "dispatcher/history/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/store/test_support.h"

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Compare : public ::testing::Test {
 protected:
  void SetUp() override {
    auto store = Store::open("");
    ASSERT_TRUE(store);
    store_.emplace(*std::move(store));
  }

  SweepRecord sweep(const std::string& id, std::vector<TaskSpec> tasks,
                    std::vector<TaskResult> results,
                    std::vector<std::string> commands = {"show run"}) {
    SweepRecord record =
        some_sweep(id, std::move(commands), static_cast<std::uint32_t>(tasks.size()));
    EXPECT_TRUE(store_->add_sweep(record, tasks));
    EXPECT_TRUE(store_->save_results(record.number, results));
    record.ended_at = wall(1'795'374'958'123);
    EXPECT_TRUE(store_->end_sweep(record.number, *record.ended_at));
    return record;
  }

  std::vector<HostComparison> compare(const SweepRecord& before, const SweepRecord& after) {
    std::vector<HostComparison> found;
    const auto hosts =
        compare_sweeps(*store_, before, after, options_, [&](const HostComparison& host) {
          found.push_back(host);
          return true;
        });
    EXPECT_TRUE(hosts) << hosts.error().message;
    hosts_ = hosts.value_or(0);
    return found;
  }

  std::optional<Store> store_;
  CompareOptions options_;
  std::size_t hosts_ = 0;
};

TEST_F(Compare, VisitsOnlyWhatDiffersInTheOrderOfTheLaterSweep) {
  const std::string large(1000, 'x');
  const auto before = sweep("a", some_tasks(3),
                            {ok_result(0, "show run", "one\n"), ok_result(1, "show run", large),
                             ok_result(2, "show run", "same\n")});
  // The hosts have changed places.
  std::vector<TaskSpec> tasks = some_tasks(3);
  std::swap(tasks[0].host, tasks[2].host);
  const auto after =
      sweep("b", tasks,
            {ok_result(0, "show run", "same\n"), ok_result(1, "show run", large + "y"),
             ok_result(2, "show run", "two\n")});
  const auto found = compare(before, after);
  EXPECT_EQ(hosts_, 3u);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].host, "edge-1");
  EXPECT_EQ(found[1].host, "edge-0");
  ASSERT_EQ(found[1].changed.size(), 1u);
  EXPECT_EQ(found[1].changed[0].command, "show run");
  EXPECT_EQ(found[1].changed[0].hunks, "@@ -1 +1 @@\n-one\n+two\n");
}

TEST_F(Compare, MasksByTheHostsPlatform) {
  const auto before = sweep("a", some_tasks(1), {ok_result(0, "show run", "clock 1\nb\n")});
  const auto after = sweep("b", some_tasks(1), {ok_result(0, "show run", "clock 2\nb\n")});
  EXPECT_EQ(compare(before, after).size(), 1u);
  options_.mask = [](std::string_view platform, std::string_view text) {
    EXPECT_EQ(platform, "cisco_ios");
    return "*" + std::string(text.substr(text.find('\n')));
  };
  EXPECT_THAT(compare(before, after), IsEmpty());
}

TEST_F(Compare, SaysWhatIsNoDifferenceOfTheDevice) {
  TaskResult cut = ok_result(1, "show run", "half\n");
  cut.commands[0].truncated = true;
  const auto before = sweep("a", some_tasks(5),
                            {ok_result(0, "show run", "a\n"), ok_result(1, "show run", "a\n"),
                             ok_result(2, "show run", "a\n"), ok_result(4, "show run", "a\n")});
  const auto after = sweep(
      "b", some_tasks(4),
      {failed_result(0, Outcome::kTimedOut, "too slow"), cut, ok_result(3, "show run", "a\n")});
  const auto found = compare(before, after);
  ASSERT_EQ(found.size(), 5u);
  for (const HostComparison& host : found) EXPECT_THAT(host.changed, IsEmpty());
  EXPECT_THAT(found[0].not_compared, ElementsAre("timed_out in b: too slow"));
  EXPECT_THAT(found[1].not_compared, ElementsAre("'show run' truncated in b"));
  EXPECT_THAT(found[2].not_compared, ElementsAre("no result in b"));
  EXPECT_THAT(found[3].not_compared, ElementsAre("no result in a"));
  EXPECT_THAT(found[4].not_compared, ElementsAre("only in a"));
}

// What ran before a device hung up is compared; what it did not come to is not missing.
TEST_F(Compare, AFailedTaskIsComparedAsFarAsItCame) {
  TaskResult whole = ok_result(0, "show run", "a\n");
  whole.commands.push_back(some_output("show x", "x\n"));
  TaskResult half = ok_result(0, "show run", "b\n");
  half.outcome = Outcome::kDisconnected;
  half.error = "gone";
  const auto before = sweep("a", some_tasks(1), {whole}, {"show run", "show x"});
  const auto after = sweep("b", some_tasks(1), {half}, {"show run", "show x"});
  const auto found = compare(before, after);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0].not_compared, ElementsAre("disconnected in b: gone"));
  ASSERT_EQ(found[0].changed.size(), 1u);
  EXPECT_EQ(found[0].changed[0].command, "show run");
}

TEST_F(Compare, GoesByCommandsNotByTheirPlaces) {
  TaskResult other = ok_result(0, "show y", "y\n");
  other.commands.push_back(some_output("show run", "a\n"));
  const auto before = sweep("a", some_tasks(1), {ok_result(0, "show run", "a\n")});
  const auto after = sweep("b", some_tasks(1), {other}, {"show y", "show run"});
  const auto found = compare(before, after);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0].not_compared, ElementsAre("'show y' only in b"));
  EXPECT_THAT(found[0].changed, IsEmpty());
}

// The same outputs of different commands are not the same results.
TEST_F(Compare, EqualOutputsOfOtherCommandsAreNotTheSame) {
  const auto before = sweep("a", some_tasks(1), {ok_result(0, "show x", "a\n")}, {"show x"});
  const auto after = sweep("b", some_tasks(1), {ok_result(0, "show y", "a\n")}, {"show y"});
  EXPECT_THAT(compare(before, after)[0].not_compared,
              ElementsAre("'show y' only in b", "'show x' only in a"));
}

TEST_F(Compare, SelectsByNamesRegionsAndPlatforms) {
  std::vector<TaskSpec> tasks = some_tasks(3);
  tasks[2].region = "eu";
  const auto before = sweep("a", tasks, {});
  const auto after = sweep("b", tasks, {});
  options_.limits = "region:eu or edge-0";
  EXPECT_EQ(compare(before, after).size(), 2u);
  EXPECT_EQ(hosts_, 2u);
  for (const auto& [limits, message] :
       {std::pair("group:x", "not kept with a sweep"), std::pair("not data.site:x", "not kept"),
        std::pair("edge-9", "no host is called 'edge-9'")}) {
    options_.limits = limits;
    const auto failed = compare_sweeps(*store_, before, after, options_,
                                       [](const HostComparison&) { return true; });
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().message, HasSubstr(message));
  }
}

TEST_F(Compare, ManyHostsComeInOrderAndNoneIsForgotten) {
  constexpr std::uint32_t kMany = 1000;
  const auto before = sweep("a", some_tasks(kMany), {});
  const auto after = sweep("b", some_tasks(kMany), {});
  const auto found = compare(before, after);
  ASSERT_EQ(found.size(), kMany);
  for (std::uint32_t i = 0; i < kMany; ++i) EXPECT_EQ(found[i].host, some_task(i).host);
}

TEST_F(Compare, TheSweepBeforeHasEndedAndRanTheSame) {
  const auto first = sweep("a", some_tasks(1), {});
  sweep("b", some_tasks(1), {}, {"show clock"});
  SweepRecord running = some_sweep("c", {"show run"}, 1);
  ASSERT_TRUE(store_->add_sweep(running, some_tasks(1)));
  const auto last = sweep("d", some_tasks(1), {});
  const auto found = store_->sweep_before(last);
  ASSERT_TRUE(found);
  ASSERT_TRUE(*found);
  EXPECT_EQ((*found)->id, "a");
  EXPECT_EQ(store_->sweep_before(first)->has_value(), false);
}

}  // namespace
}  // namespace netfleet

// The recorder with a real store and a pipe: order, back-pressure, stuck and leaving readers, full
// disks. Every wait is for an event, with a deadline.
#include "dispatcher/fleet/recorder.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <thread>

#include "tests/unit/store/test_support.h"

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kDeadlineMilliseconds = 60'000;

std::string output_of(std::uint32_t index) { return fmt::format("output of {}\n", index); }

// "edge-3" of each "=== edge-3 (...)" line.
std::vector<std::string> hosts_in(const std::string& text) {
  std::vector<std::string> hosts;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("=== ")) hosts.push_back(line.substr(4, line.find(' ', 4) - 4));
  }
  return hosts;
}

std::vector<std::string> hosts_until(std::uint32_t total) {
  std::vector<std::string> hosts;
  for (std::uint32_t i = 0; i < total; ++i) hosts.push_back(fmt::format("edge-{}", i));
  return hosts;
}

class RecorderTest : public ::testing::Test {
 protected:
  RecorderTest() { recording().output_fd = -1; }
  ~RecorderTest() override {
    close_reader();
    close_writer();
  }

  void start(std::uint32_t total, Store store = Store::open("").value()) {
    store_.emplace(std::move(store));
    tasks_ = some_tasks(total);
    sweep_ = some_sweep("20261122-191548-3fa9", {"show"}, total);
    const auto added = store_->add_sweep(sweep_, tasks_);
    ASSERT_TRUE(added) << added.error().message;
    if (recording().output_fd < 0) {
      ASSERT_EQ(pipe2(pipe_, O_CLOEXEC), 0);
      recording().output_fd = pipe_[1];
    }
    recorder_.emplace(*store_, sweep_, tasks_, options_);
  }

  // Reads what is written from now on.
  void read_output() {
    reader_ = std::jthread([this] {
      char part[4096];
      ssize_t size = 0;
      while ((size = read(pipe_[0], part, sizeof part)) > 0) {
        text_.append(part, static_cast<std::size_t>(size));
      }
    });
  }
  std::string output() {
    close_writer();
    if (reader_.joinable()) reader_.join();
    return text_;
  }
  void close_reader() {
    if (!reader_.joinable() && pipe_[0] >= 0) close(std::exchange(pipe_[0], -1));
  }
  void close_writer() {
    recorder_.reset();  // it may have its own way to the pipe
    if (pipe_[1] >= 0) close(std::exchange(pipe_[1], -1));
  }

  // Waits until the recorder has something to say.
  void wait_for_news() {
    pollfd notify{recorder_->notify_fd(), POLLIN, 0};
    ASSERT_EQ(poll(&notify, 1, kDeadlineMilliseconds), 1) << "no news from the recorder";
    take();
  }
  void take() {
    Recorder::News news = recorder_->take();
    for (const auto& stored : news.stored) stored_.push_back(stored);
    for (const Error& error : news.errors) told_.push_back(error.message);
    journaled_ = news.journaled;
    ended_ = news.ended;
  }
  void offer(Delivery delivery) {
    while (!recorder_->offer(std::move(delivery))) ASSERT_NO_FATAL_FAILURE(wait_for_news());
    recorder_->submit();
  }
  void wait_until_stored(std::size_t count) {
    while (stored_.size() < count) ASSERT_NO_FATAL_FAILURE(wait_for_news());
  }
  RecordingReport finish() {
    recorder_->end(Milliseconds(1234));
    while (!ended_ && !HasFatalFailure()) wait_for_news();
    return recorder_->finish();
  }
  RecordingOptions& recording() { return options_.recording; }

  RecorderOptions options_;
  std::optional<Store> store_;
  std::vector<TaskSpec> tasks_;
  SweepRecord sweep_;
  std::optional<Recorder> recorder_;
  int pipe_[2] = {-1, -1};
  std::vector<Recorder::Stored> stored_;
  std::vector<std::string> told_;  // errors
  std::uint64_t journaled_ = 0;
  bool ended_ = false;

 private:
  std::string text_;
  std::jthread reader_;
};

TEST_F(RecorderTest, StoresAndShowsInInventoryOrder) {
  constexpr std::uint32_t kTotal = 3000;
  start(kTotal);
  read_output();
  std::vector<std::uint32_t> arrival(kTotal);
  std::iota(arrival.begin(), arrival.end(), 0u);
  std::ranges::shuffle(arrival, std::mt19937(7));
  for (const std::uint32_t index : arrival) {
    TaskResult result = ok_result(index, "show", output_of(index));
    result.attempt = index % 3 + 1;
    offer(std::move(result));
  }
  const RecordingReport end = finish();
  EXPECT_EQ(end.summary.total, kTotal);
  EXPECT_EQ(end.summary.sweep, "20261122-191548-3fa9");
  EXPECT_EQ(end.summary.by_outcome[0], kTotal);
  EXPECT_THAT(end.failed, IsEmpty());
  EXPECT_FALSE(end.store_error || end.output_error);
  EXPECT_FALSE(end.reader_left);

  ASSERT_EQ(stored_.size(), kTotal);
  for (std::uint32_t i = 0; i < kTotal; ++i) {
    ASSERT_EQ(stored_[i].index, arrival[i]);
    ASSERT_EQ(stored_[i].attempt, arrival[i] % 3 + 1);
    ASSERT_EQ(stored_[i].outcome, Outcome::kOk);
    ASSERT_EQ(store_->result(sweep_.number, i).value()->commands[0].output, output_of(i));
  }
  const std::string text = output();
  EXPECT_EQ(hosts_in(text), hosts_until(kTotal));
  EXPECT_THAT(text, HasSubstr("\noutput of 2999\n"));
}

// The first host is the last to end, and memory holds next to nothing of the others.
TEST_F(RecorderTest, WhatDoesNotFitInMemoryWaitsInTheStore) {
  constexpr std::uint32_t kTotal = 1500;
  recording().held_bytes = 10'000;
  start(kTotal);
  read_output();
  for (std::uint32_t i = kTotal; i-- > 0;) offer(ok_result(i, "show", output_of(i)));
  const RecordingReport end = finish();
  EXPECT_FALSE(end.store_error || end.output_error);
  const std::string text = output();
  EXPECT_EQ(hosts_in(text), hosts_until(kTotal));
  for (std::uint32_t i = 0; i < kTotal; ++i) {
    ASSERT_THAT(text,
                HasSubstr(fmt::format("({}:22) ok 0.52s\n{}\n", tasks_[i].address, output_of(i))));
  }
}

TEST_F(RecorderTest, AScratchStoreIsGivenOnlyWhatMemoryHasNoRoomFor) {
  constexpr std::uint32_t kTotal = 1500;
  recording().held_bytes = 10'000;
  recording().scratch_store = true;
  start(kTotal);
  read_output();
  for (std::uint32_t i = kTotal; i-- > 0;) {
    if (i == kTotal - 2) {
      ASSERT_NO_FATAL_FAILURE(wait_until_stored(1));
    }
    offer(ok_result(i, "show", output_of(i)));
  }
  const RecordingReport end = finish();
  EXPECT_FALSE(end.store_error || end.output_error);
  EXPECT_EQ(hosts_in(output()), hosts_until(kTotal));
  EXPECT_EQ(stored_.size(), kTotal) << "each is acknowledged, wherever it is";
  EXPECT_FALSE(*store_->result(sweep_.number, kTotal - 1)) << "the first one: memory had room";
  EXPECT_TRUE(*store_->result(sweep_.number, 1));
}

TEST_F(RecorderTest, AScratchStoreIsGivenWhatTheFormatReadsBack) {
  recording().format = OutputFormat::kGrouped;
  recording().scratch_store = true;
  start(2);
  read_output();
  for (const std::uint32_t index : {0u, 1u}) offer(ok_result(index, "show", "the same\n"));
  const RecordingReport end = finish();
  EXPECT_FALSE(end.store_error || end.output_error);
  EXPECT_THAT(output(), HasSubstr("the same\n"));
}

TEST_F(RecorderTest, CompletionOrderIsTheOrderOfArrival) {
  recording().order = OutputOrder::kCompletion;
  start(3);
  read_output();
  for (const std::uint32_t index : {2u, 0u, 1u}) offer(ok_result(index));
  finish();
  EXPECT_THAT(hosts_in(output()), ElementsAre("edge-2", "edge-0", "edge-1"));
}

TEST_F(RecorderTest, ResultsBehindAGapAreShownAtTheEnd) {
  start(5);
  read_output();
  offer(ok_result(4));
  offer(ok_result(2));
  offer(ok_result(0));
  const RecordingReport end = finish();
  EXPECT_EQ(end.summary.by_outcome[0], 3u);
  EXPECT_THAT(hosts_in(output()), ElementsAre("edge-0", "edge-2", "edge-4"));
}

TEST_F(RecorderTest, CountsOutcomesAndKeepsTheFirstFailuresOfTheInventory) {
  recording().format = OutputFormat::kSummary;
  start(100);
  read_output();
  for (std::uint32_t i = 100; i-- > 0;) {
    if (i % 2 == 0) {
      offer(failed_result(i, Outcome::kUnreachable, fmt::format("why {}", i)));
    } else {
      offer(ok_result(i));
    }
  }
  const RecordingReport end = finish();
  EXPECT_EQ(end.summary.by_outcome[static_cast<int>(Outcome::kUnreachable)], 50u);
  ASSERT_EQ(end.failed.size(), kFailedHostsShown);
  for (std::uint32_t i = 0; i < kFailedHostsShown; ++i) {
    EXPECT_EQ(end.failed[i].host, fmt::format("edge-{}", 2 * i));
    EXPECT_EQ(end.failed[i].error, fmt::format("why {}", 2 * i));
  }
  EXPECT_THAT(output(), HasSubstr("\n100 hosts: 50 ok, 50 unreachable in 1.2 s\n"));
}

TEST_F(RecorderTest, WritesOneFileAHostAtOnce) {
  const TemporaryDirectory directory;
  recording().output_directory = OutputDirectory::open(directory / "out").value();
  start(3);
  offer(ok_result(2, "show", "two"));
  wait_until_stored(1);
  offer(ok_result(1, "show", "one"));
  wait_until_stored(2);  // so that the one before has been shown, as far as it may be
  EXPECT_EQ(file_content(directory / "out/edge-2.txt"), "two");
  finish();
  EXPECT_EQ(file_content(directory / "out/edge-1.txt"), "one");
}

TEST_F(RecorderTest, TellsBeforeItWrites) {
  std::string seen;
  recording().before_output = [&] {
    pollfd readable{pipe_[0], POLLIN, 0};
    seen += poll(&readable, 1, 0) == 0 ? "nothing written; " : "something written; ";
  };
  start(1);
  offer(ok_result(0));
  finish();
  EXPECT_EQ(seen, "nothing written; ");
}

// The parts of two results in turn, and one result without any between them.
TEST_F(RecorderTest, PutsPartsTogether) {
  start(3);
  read_output();
  std::vector<std::shared_ptr<Assembly>> assemblies = {std::make_shared<Assembly>(),
                                                       std::make_shared<Assembly>()};
  std::vector<std::string> outputs(2);
  for (std::uint32_t i = 0; i < 24; ++i) {
    Delivery part;
    part.assembly = assemblies[i % 2];
    part.command = 1;
    part.part = noise(200'000, i) + "\n";
    outputs[i % 2] += part.part;
    offer(std::move(part));
  }
  offer(ok_result(2));
  for (std::uint32_t index = 0; index < 2; ++index) {
    TaskResult result = ok_result(index, "show", "short");
    result.commands.push_back({.command = "show tech", .output = {}});
    offer({std::move(result), assemblies[index]});
  }
  finish();
  for (std::uint32_t index = 0; index < 2; ++index) {
    const TaskResult stored = store_->result(sweep_.number, index).value().value();
    ASSERT_EQ(stored.commands.size(), 2u);
    EXPECT_EQ(stored.commands[0].output, "short");
    EXPECT_EQ(stored.commands[1].output, outputs[index]);
  }
  EXPECT_THAT(hosts_in(output()), ElementsAre("edge-0", "edge-1", "edge-2"));
}

TEST_F(RecorderTest, RefusesWhenTheReaderIsStuckAndGoesOnWhenItReads) {
  options_.queue_results = 10;
  constexpr std::uint32_t kTotal = 2000;
  start(kTotal);
  std::uint32_t next = 0;
  bool refused = false;
  // Nobody reads: the pipe fills, then the queue.
  for (; next < kTotal && !refused; ++next) {
    Delivery delivery = ok_result(next, "show", noise(10'000, next));
    const TaskResult before = delivery.result;
    while (!recorder_->offer(std::move(delivery))) {
      EXPECT_EQ(delivery.result, before);
      if (stored_.size() + 10 == next) {  // all but a full queue
        refused = true;
        break;
      }
      ASSERT_NO_FATAL_FAILURE(wait_for_news());
    }
    recorder_->submit();
  }
  ASSERT_TRUE(refused);
  ASSERT_LT(next, kTotal);
  read_output();
  for (--next; next < kTotal; ++next) offer(ok_result(next, "show", noise(10'000, next)));
  finish();
  EXPECT_EQ(stored_.size(), kTotal);
  EXPECT_EQ(hosts_in(output()), hosts_until(kTotal));
}

TEST_F(RecorderTest, GrantsAreSafeEvenWhileTheReaderIsStuck) {
  start(10);
  offer(ok_result(0, "show", noise(1'000'000, 0)));
  ASSERT_NO_FATAL_FAILURE(wait_until_stored(1));
  // Nobody reads: the thread is stuck, or will be in a moment.
  for (std::uint32_t i = 1; i < 10; ++i) {
    recorder_->journal({.index = i, .attempt = 1, .owner = 7});
    recorder_->submit();
    while (journaled_ < i) ASSERT_NO_FATAL_FAILURE(wait_for_news());
  }
  read_output();
  for (std::uint32_t i = 1; i < 10; ++i) offer(ok_result(i));
  finish();
  const auto states = store_->task_states(sweep_.number).value();
  ASSERT_EQ(states.size(), 10u);
  for (const TaskState& state : states) {
    EXPECT_EQ(state.grant.owner, state.grant.index == 0 ? 0u : 7u);
  }
  EXPECT_EQ(hosts_in(output()), hosts_until(10));
}

TEST_F(RecorderTest, QueueIsBoundedByBytesButTakesOneLargeResult) {
  options_.queue_bytes = 1000;
  constexpr std::uint32_t kTotal = 50;
  start(kTotal);
  read_output();
  for (std::uint32_t i = 0; i < kTotal; ++i) offer(ok_result(i, "show", noise(5000, i)));
  finish();
  EXPECT_EQ(hosts_in(output()), hosts_until(kTotal));
}

TEST_F(RecorderTest, AbandonFreesAStuckWriteAndStoringGoesOn) {
  options_.queue_results = 10;
  constexpr std::uint32_t kTotal = 500;
  start(kTotal);
  // More than the pipe holds: the thread is stuck, or will be.
  for (std::uint32_t i = 0; i < 10; ++i) offer(ok_result(i, "show", noise(100'000, i)));
  recorder_->abandon();
  for (std::uint32_t i = 10; i < kTotal; ++i) offer(ok_result(i, "show", noise(1000, i)));
  const RecordingReport end = finish();
  EXPECT_FALSE(end.store_error || end.output_error);
  EXPECT_EQ(end.summary.by_outcome[0], kTotal);
  EXPECT_EQ(stored_.size(), kTotal);
  EXPECT_TRUE(store_->result(sweep_.number, kTotal - 1).value());
}

TEST_F(RecorderTest, AbandonAfterTheEndFreesAStuckWrite) {
  start(10);
  for (std::uint32_t i = 0; i < 10; ++i) offer(ok_result(i, "show", noise(100'000, i)));
  wait_until_stored(1);
  recorder_->end(Milliseconds(1));
  take();
  EXPECT_FALSE(ended_);  // nobody reads
  recorder_->abandon();
  EXPECT_EQ(finish().summary.by_outcome[0], 10u);
}

TEST_F(RecorderTest, DestructorDoesNotWaitForAStuckReader) {
  start(10);
  for (std::uint32_t i = 0; i < 10; ++i) offer(ok_result(i, "show", noise(100'000, i)));
  recorder_.reset();
  EXPECT_TRUE(store_->result(sweep_.number, 9).value());
}

TEST_F(RecorderTest, AReaderThatLeavesStopsNothing) {
  constexpr std::uint32_t kTotal = 500;
  start(kTotal);
  close_reader();
  for (std::uint32_t i = 0; i < kTotal; ++i) offer(ok_result(i, "show", noise(1000, i)));
  const RecordingReport end = finish();
  EXPECT_TRUE(end.reader_left);
  EXPECT_FALSE(end.store_error || end.output_error);
  EXPECT_EQ(stored_.size(), kTotal);
  EXPECT_TRUE(store_->result(sweep_.number, kTotal - 1).value());
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(RecorderTest, FullStandardOutputIsToldOnceAndStoringGoesOn) {
  recording().output_fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(recording().output_fd, 0);
  constexpr std::uint32_t kTotal = 500;
  start(kTotal);
  for (std::uint32_t i = 0; i < kTotal; ++i) offer(ok_result(i, "show", noise(1000, i)));
  const RecordingReport end = finish();
  close(recording().output_fd);
  ASSERT_TRUE(end.output_error);
  EXPECT_THAT(end.output_error->message, HasSubstr("standard output: No space left on device"));
  EXPECT_THAT(told_, ElementsAre(end.output_error->message));
  EXPECT_EQ(stored_.size(), kTotal);
  EXPECT_TRUE(store_->result(sweep_.number, kTotal - 1).value());
}

// Sets up a store on a disk that then has no room left.
class RecorderOnAFullDisk : public RecorderTest {
 protected:
  void start_full(std::uint32_t total) {
    ASSERT_TRUE(disk_.mounted()) << "needs root to mount a tmpfs";
    start(total, Store::open(disk_ / "store.db").value());
    disk_.fill("other");
  }
  SmallDisk disk_{1024};
};

TEST_F(RecorderOnAFullDisk, EverythingIsStillShownInOrderAndToldOnce) {
  constexpr std::uint32_t kTotal = 300;
  start_full(kTotal);
  read_output();
  for (std::uint32_t i = kTotal; i-- > 0;) offer(ok_result(i, "show", noise(1000, i)));
  const RecordingReport end = finish();
  ASSERT_TRUE(end.store_error);
  EXPECT_THAT(end.store_error->message, HasSubstr("the disk is full"));
  EXPECT_THAT(told_, ElementsAre(HasSubstr("not stored any more")));
  EXPECT_EQ(stored_.size(), kTotal);
  EXPECT_EQ(hosts_in(output()), hosts_until(kTotal));
}

TEST_F(RecorderOnAFullDisk, OrderIsGivenUpRatherThanMemoryOrResults) {
  constexpr std::uint32_t kTotal = 300;
  recording().held_bytes = 50'000;
  start_full(kTotal);
  read_output();
  for (std::uint32_t i = kTotal; i-- > 0;) offer(ok_result(i, "show", noise(1000, i)));
  finish();
  std::vector<std::string> shown = hosts_in(output());
  std::vector<std::string> expected = hosts_until(kTotal);
  EXPECT_NE(shown, expected);
  std::ranges::sort(shown);
  std::ranges::sort(expected);
  EXPECT_EQ(shown, expected);
}

TEST_F(RecorderOnAFullDisk, FilesFailToldOnceAndTheRestGoesOn) {
  ASSERT_TRUE(disk_.mounted()) << "needs root to mount a tmpfs";
  recording().output_directory = OutputDirectory::open(disk_ / "out").value();
  disk_.fill("other");
  start(3);
  read_output();
  for (std::uint32_t i = 0; i < 3; ++i) offer(ok_result(i, "show", "text"));
  const RecordingReport end = finish();
  ASSERT_TRUE(end.output_error);
  EXPECT_THAT(end.output_error->message, HasSubstr("out/"));
  EXPECT_THAT(told_, ElementsAre(end.output_error->message));
  EXPECT_EQ(hosts_in(output()), hosts_until(3));
  EXPECT_TRUE(store_->result(sweep_.number, 2).value());
}

}  // namespace
}  // namespace netfleet

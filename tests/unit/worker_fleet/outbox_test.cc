// Results until they are acknowledged: what is in memory, what on disk, and what a disk that is
// full or broken does to them.
#include "worker/fleet/outbox.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <vector>

#include "tests/unit/disk.h"

namespace netfleet {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kKiB = 1024;

TaskKey task(std::uint32_t index) { return {1, index}; }

std::string output_of(std::uint32_t index, std::size_t bytes) {
  std::string output(bytes, 'a');
  output.front() = static_cast<char>('A' + index % 26);
  return output;
}

PackedResult result_of(std::uint32_t index, const std::vector<std::size_t>& sizes,
                       std::uint32_t attempt = 1) {
  TaskResult result;
  result.index = index;
  result.attempt = attempt;
  result.outcome = Outcome::kOk;
  for (const std::size_t size : sizes) {
    result.commands.push_back({.command = "show tech", .output = output_of(index, size)});
  }
  return pack(std::move(result), 1);
}
PackedResult result_of(std::uint32_t index, std::size_t bytes, std::uint32_t attempt = 1) {
  return result_of(index, std::vector{bytes}, attempt);
}

v1::ResultFrame header() {
  v1::ResultFrame frame;
  frame.set_incarnation(1);
  return frame;
}

// Everything that waits to be sent, as the sink would read it, outputs that come in parts too.
std::vector<TaskResult> sent(Outbox& outbox) {
  std::vector<TaskResult> results;
  std::map<std::uint32_t, std::map<std::uint32_t, std::string>> parts;
  while (auto frame = outbox.next_frame(header())) {
    EXPECT_LE(frame->bytes.size(), 600 * kKiB);
    auto read = decode_results(frame->bytes);
    EXPECT_TRUE(read) << read.error().message;
    if (!read) break;
    if (read->has_part()) {
      auto& task_parts = parts[read->part().task().index()];
      if (read->part().first()) task_parts.clear();
      std::string& output = task_parts[read->part().command()];
      EXPECT_EQ(read->part().offset(), output.size());
      output += read->part().output();
    }
    for (auto& message : *read->mutable_results()) {
      TaskResult& result = results.emplace_back(from_wire(message));
      for (int i = 0; i < message.commands_size(); ++i) {
        if (message.commands(i).parted_size() == 0) continue;
        auto& output = parts[result.index][static_cast<std::uint32_t>(i)];
        EXPECT_EQ(output.size(), message.commands(i).parted_size());
        result.commands[static_cast<std::size_t>(i)].output = std::move(output);
      }
    }
  }
  return results;
}

// The files without a name that this process has open in `directory`, as paths to reach them by.
std::vector<std::string> nameless_files(const std::string& directory) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::string target = std::filesystem::read_symlink(entry.path(), gone);
    if (target.starts_with(directory)) files.push_back(entry.path());
  }
  return files;
}

off_t blocks_of(const std::string& file) {
  struct stat status{};
  return stat(file.c_str(), &status) == 0 ? status.st_blocks : -1;
}

TEST(Outbox, SendsWhatWasPutAndKeepsItUntilItIsErased) {
  TemporaryDirectory directory;
  Outbox outbox({.spool = Spool::make(directory / ""), .memory = 64 * kKiB});
  outbox.put(task(3), result_of(3, 100));
  EXPECT_FALSE(outbox.next_frame(header())) << "nobody asked for it to be sent";
  for (int times = 0; times < 2; ++times) {
    outbox.queue(task(3));
    outbox.queue(task(3));
    const auto results = sent(outbox);
    ASSERT_EQ(results.size(), 1u);
    EXPECT_EQ(results[0].index, 3u);
    EXPECT_EQ(results[0].commands[0].output, "D" + std::string(99, 'a'));
  }
  outbox.queue(task(3));
  outbox.erase(task(3));
  outbox.queue(task(3));
  EXPECT_TRUE(sent(outbox).empty());
  EXPECT_EQ(outbox.size(), 0u);
  EXPECT_TRUE(nameless_files(directory / "").empty()) << "no file before one is needed";
}

TEST(Outbox, DoesNotSendAgainWhatIsStillUnderWay) {
  TemporaryDirectory directory;
  Outbox outbox({.spool = Spool::make(directory / ""), .memory = 64 * kKiB});
  outbox.put(task(1), result_of(1, 100));
  outbox.queue(task(1));
  auto frame = outbox.next_frame(header());
  ASSERT_TRUE(frame);
  outbox.queue(task(1));
  EXPECT_FALSE(outbox.has_queued());
  frame.reset();
  outbox.queue(task(1));
  EXPECT_EQ(sent(outbox).size(), 1u);
}

TEST(Outbox, ClosesAFrameThatIsLargeEnough) {
  TemporaryDirectory directory;
  Outbox outbox({.spool = Spool::make(directory / "")});
  for (std::uint32_t i = 0; i < 100; ++i) {
    outbox.put(task(i), result_of(i, i < 50 ? 10 : 100 * kKiB));
    outbox.queue(task(i));
  }
  std::vector<int> sizes;
  while (auto frame = outbox.next_frame(header())) {
    sizes.push_back(decode_results(frame->bytes)->results_size());
  }
  // 50 small ones with the first three large ones, then three at a time.
  EXPECT_EQ(sizes.front(), 53);
  EXPECT_EQ(sizes[1], 3);
  EXPECT_EQ(sizes.size(), 17u);
}

TEST(Outbox, SpillsTheOldestAndReadsThemBack) {
  TemporaryDirectory directory;
  Outbox outbox({.spool = Spool::make(directory / ""), .memory = 64 * kKiB});
  for (std::uint32_t i = 0; i < 20; ++i) outbox.put(task(i), result_of(i, 10 * kKiB));
  EXPECT_FALSE(outbox.full());
  const auto files = nameless_files(directory / "");
  ASSERT_EQ(files.size(), 1u);
  EXPECT_TRUE(std::filesystem::is_empty(directory / "")) << "the spool has a name";
  struct stat status{};
  ASSERT_EQ(stat(files[0].c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(status.st_size / static_cast<off_t>(10 * kKiB), 14) << "6 of 20 fit into memory";

  for (std::uint32_t i = 0; i < 20; ++i) outbox.queue(task(i));
  const auto results = sent(outbox);
  ASSERT_EQ(results.size(), 20u);
  for (std::uint32_t i = 0; i < 20; ++i) {
    EXPECT_EQ(results[i].commands[0].output,
              std::string(1, static_cast<char>('A' + i)) + std::string(10 * kKiB - 1, 'a'));
  }
  const off_t before = blocks_of(files[0]);
  for (std::uint32_t i = 0; i < 13; ++i) outbox.erase(task(i));
  EXPECT_LT(blocks_of(files[0]), before / 2) << "the room of erased ones is given back";
  outbox.erase(task(13));
  EXPECT_EQ(blocks_of(files[0]), 0);
}

TEST(Outbox, AResultLargerThanMemoryMayBeGoesThroughTheDisk) {
  TemporaryDirectory directory;
  Outbox outbox({.spool = Spool::make(directory / ""), .memory = 64 * kKiB});
  outbox.put(task(0), result_of(0, 3000 * kKiB));
  EXPECT_FALSE(outbox.full());
  outbox.queue(task(0));
  const auto results = sent(outbox);
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].commands[0].output.size(), 3000 * kKiB);
}

TEST(Outbox, LosesNothingOnAFullDiskAndGoesOnWhenThereIsRoom) {
  SmallDisk disk(128);
  ASSERT_TRUE(disk.mounted()) << "needs root to mount a tmpfs";
  Outbox outbox({.spool = Spool::make(disk / ""), .memory = 64 * kKiB});
  std::uint32_t put = 0;
  for (; !outbox.full() && put < 100; ++put) outbox.put(task(put), result_of(put, 10 * kKiB));
  ASSERT_TRUE(outbox.full());
  EXPECT_GT(put, 15u);
  ASSERT_TRUE(outbox.trouble());
  EXPECT_THAT(outbox.trouble()->message, HasSubstr("the disk is full"));
  EXPECT_THAT(outbox.trouble()->message, HasSubstr(disk / ""));
  outbox.put(task(put), result_of(put, 10 * kKiB));  // a session that ran already
  ++put;

  for (std::uint32_t i = 0; i < put; ++i) outbox.queue(task(i));
  EXPECT_EQ(sent(outbox).size(), put);
  outbox.spill();
  EXPECT_TRUE(outbox.full()) << "the disk is still full";
  outbox.erase(task(0));  // it lay on the disk, as the oldest one
  outbox.erase(task(1));
  outbox.erase(task(2));
  outbox.spill();
  EXPECT_FALSE(outbox.full());
  EXPECT_FALSE(outbox.trouble());
  for (std::uint32_t i = 3; i < put; ++i) outbox.queue(task(i));
  EXPECT_EQ(sent(outbox).size(), put - 3);
}

TEST(Outbox, AFileSizeLimitIsAFullDisk) {
  TemporaryDirectory directory;
  ASSERT_NE(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{100 * kKiB, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  Outbox outbox({.spool = Spool::make(directory / ""), .memory = 64 * kKiB});
  for (std::uint32_t i = 0; i < 30; ++i) outbox.put(task(i), result_of(i, 10 * kKiB));
  EXPECT_TRUE(outbox.full());
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  outbox.spill();
  EXPECT_FALSE(outbox.full());
  for (std::uint32_t i = 0; i < 30; ++i) outbox.queue(task(i));
  EXPECT_EQ(sent(outbox).size(), 30u);
}

TEST(Outbox, ADirectoryThatIsNotThereKeepsResultsInMemory) {
  TemporaryDirectory directory;
  Outbox outbox({.spool = Spool::make(directory / "missing"), .memory = kKiB});
  outbox.put(task(0), result_of(0, 2 * kKiB));
  EXPECT_TRUE(outbox.full());
  ASSERT_TRUE(outbox.trouble());
  EXPECT_THAT(outbox.trouble()->message, HasSubstr("No such file"));
  outbox.queue(task(0));
  EXPECT_EQ(sent(outbox).size(), 1u);
}

TEST(Outbox, AResultThatTheDiskLostIsReportedAsSuch) {
  TemporaryDirectory directory;
  Outbox outbox({.spool = Spool::make(directory / ""), .memory = 64 * kKiB});
  outbox.put(task(0), result_of(0, 100 * kKiB));
  outbox.put(task(1), result_of(1, 100 * kKiB, 2));
  const auto files = nameless_files(directory / "");
  ASSERT_EQ(files.size(), 1u);
  ASSERT_EQ(truncate(files[0].c_str(), 150 * kKiB), 0);  // behind its back

  outbox.queue(task(0));
  outbox.queue(task(1));
  const auto results = sent(outbox);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].outcome, Outcome::kOk);
  EXPECT_EQ(results[1].index, 1u);
  EXPECT_EQ(results[1].attempt, 2u);
  EXPECT_EQ(results[1].outcome, Outcome::kInternal);
  EXPECT_TRUE(results[1].command_sent);
  EXPECT_THAT(results[1].error, HasSubstr("its result was lost: spool"));
  outbox.queue(task(1));
  EXPECT_EQ(sent(outbox).at(0).error, results[1].error);
  outbox.erase(task(0));
  outbox.erase(task(1));
  EXPECT_EQ(outbox.size(), 0u);
}

// Inside the result go the first outputs that fit, the others before it, in pieces.
TEST(Outbox, LargeOutputsTravelInParts) {
  TemporaryDirectory directory;
  Outbox outbox({.spool = Spool::make(directory / "")});
  const std::vector<std::size_t> sizes = {100 * kKiB, 1000 * kKiB, 50 * kKiB, 300 * kKiB};
  outbox.put(task(5), result_of(5, sizes));
  outbox.put(task(6), result_of(6, 10));
  for (int times = 0; times < 2; ++times) {
    outbox.queue(task(5));
    outbox.queue(task(6));
    const auto results = sent(outbox);
    ASSERT_EQ(results.size(), 2u);
    ASSERT_EQ(results[0].commands.size(), 4u);
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(results[0].commands[i].output, output_of(5, sizes[i])) << i;
    }
    EXPECT_EQ(results[1].index, 6u);
  }
}

// One that is asked for again while its parts are on their way is not begun anew before the end.
TEST(Outbox, IsNotQueuedAgainBetweenItsParts) {
  TemporaryDirectory directory;
  Outbox outbox({.spool = Spool::make(directory / "")});
  outbox.put(task(1), result_of(1, 1000 * kKiB));
  outbox.queue(task(1));
  int firsts = 0;
  while (auto frame = outbox.next_frame(header())) {
    firsts += decode_results(frame->bytes)->part().first() ? 1 : 0;
    outbox.queue(task(1));
    if (firsts > 1) break;
  }
  EXPECT_EQ(firsts, 1);
}

// Acknowledged, and put anew as another attempt, in the midst of its parts.
TEST(Outbox, PartsOfAnErasedResultEnd) {
  TemporaryDirectory directory;
  Outbox outbox({.spool = Spool::make(directory / ""), .memory = 64 * kKiB});
  outbox.put(task(1), result_of(1, 1000 * kKiB));
  outbox.queue(task(1));
  ASSERT_TRUE(outbox.next_frame(header()));
  outbox.erase(task(1));
  EXPECT_FALSE(outbox.next_frame(header()));
  outbox.put(task(1), result_of(1, 700 * kKiB, 2));
  outbox.queue(task(1));
  const auto results = sent(outbox);
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].attempt, 2u);
  EXPECT_EQ(results[0].commands[0].output, output_of(1, 700 * kKiB));
}

}  // namespace
}  // namespace netfleet

// Backups in repositories on a disk; test_git.py reads them with git itself.
#include "dispatcher/history/git_backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/unit/store/test_support.h"

namespace netfleet {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class Backup : public ::testing::Test {
 protected:
  Expected<GitBackup> open() { return GitBackup::open(options_); }

  // One sweep of these results; what it reports.
  std::string sweep(const std::vector<TaskResult>& results) {
    auto backup = open();
    EXPECT_TRUE(backup) << backup.error().message;
    if (!backup) return {};
    for (const TaskResult& result : results) {
      const auto written = backup->write(some_task(result.index), result);
      EXPECT_TRUE(written) << written.error().message;
    }
    const auto done = backup->commit("20261122-191548-3fa9", wall(1'795'374'948'123));
    EXPECT_TRUE(done) << done.error().message;
    return backup->report();
  }

  std::string refusal() {
    const auto backup = open();
    EXPECT_FALSE(backup);
    return backup ? "" : backup.error().message;
  }

  std::string content(const std::string& name) { return file_content(repository_ + "/" + name); }
  void put(const std::string& name, const std::string& text) {
    std::ofstream(repository_ + "/" + name, std::ios::binary) << text;
  }

  TemporaryDirectory directory_;
  std::string repository_ = directory_ / "new/backup";
  GitBackupOptions options_{.directory = repository_, .mask = {}, .groups = {}};
};

TEST_F(Backup, MakesARepositoryAndCommitsOnlyWhatChanged) {
  EXPECT_THAT(
      sweep({ok_result(1, "show run", "a\n"), ok_result(2, "show run", "b\n")}),
      MatchesRegex("git .*/new/backup: 2 files changed \\(commit [0-9a-f]{10}\\), 0 did not"));
  EXPECT_EQ(content("edge-1.txt"), "a\n");
  EXPECT_EQ(fs::status(repository_).permissions(), fs::perms::owner_all);
  EXPECT_THAT(sweep({ok_result(1, "show run", "a\n"), ok_result(2, "show run", "B\n")}),
              HasSubstr(": 1 file changed (commit "));
  EXPECT_EQ(content("edge-2.txt"), "B\n");
  EXPECT_THAT(sweep({ok_result(1, "show run", "a\n"), ok_result(2, "show run", "B\n")}),
              HasSubstr(": 0 files changed, 2 did not"));
}

TEST_F(Backup, KeepsBytesAndWritesSeveralCommandsAsTheOutputDirectoryDoes) {
  const std::string bytes("\r\n\0\xff\x1b[1m no end", 15);
  TaskResult two = ok_result(2, "show run", "a");
  two.commands.push_back(some_output("show vlan", ""));
  sweep({ok_result(1, "show run", bytes), two});
  EXPECT_EQ(content("edge-1.txt"), bytes);
  EXPECT_EQ(content("edge-2.txt"), "--- show run\na\n--- show vlan\n");
}

TEST_F(Backup, NeverReplacesAGoodFileByABadOne) {
  TaskResult cut = ok_result(2, "show run", "hal");
  cut.commands[0].truncated = true;
  TaskResult failed = ok_result(3, "show run", "% Invalid\n");
  failed.outcome = failed.commands[0].outcome = Outcome::kCommandFailed;
  std::vector<TaskResult> good;
  for (std::uint32_t i = 1; i < 6; ++i) good.push_back(ok_result(i, "show run", "good\n"));
  sweep(good);
  EXPECT_THAT(sweep({ok_result(1, "show run", " \r\n\n"), cut, failed,
                     failed_result(4, Outcome::kUnreachable, "x"), ok_result(5)}),
              HasSubstr("0 files changed, 0 did not, 5 kept (failed, cut or empty)"));
  for (std::uint32_t i = 1; i < 6; ++i) {
    EXPECT_EQ(content(fmt::format("edge-{}.txt", i)), "good\n");
  }
}

TEST_F(Backup, WhatChangesByItselfIsNoReasonForACommit) {
  options_.mask = [](std::string_view platform, std::string_view text) {
    EXPECT_EQ(platform, "cisco_ios");
    return std::string(text.substr(text.find('\n')));
  };
  sweep({ok_result(1, "show run", "clock 1\na\n")});
  EXPECT_THAT(sweep({ok_result(1, "show run", "clock 2\na\n")}), HasSubstr("0 files changed"));
  EXPECT_EQ(content("edge-1.txt"), "clock 1\na\n");
  EXPECT_THAT(sweep({ok_result(1, "show run", "clock 3\nb\n")}), HasSubstr("1 file changed"));
  EXPECT_EQ(content("edge-1.txt"), "clock 3\nb\n");
}

TEST_F(Backup, NamesFilesSafelyInTheirShards) {
  TaskSpec task = some_task(0);
  task.region = "../eu";
  const auto path = [&](GitBackupOptions::Shard shard, const std::string& host) {
    options_.shard = shard;
    options_.groups = {"-core"};
    task.host = host;
    return open()->path_of(task);
  };
  using Shard = GitBackupOptions::Shard;
  EXPECT_EQ(path(Shard::kNone, "../../etc/passwd"), "%2E.%2F..%2Fetc%2Fpasswd.txt");
  EXPECT_EQ(path(Shard::kNone, "-rf"), "%2Drf.txt");
  EXPECT_EQ(path(Shard::kNone, ".git"), "%2Egit.txt");
  EXPECT_EQ(path(Shard::kRegion, "a"), "%2E.%2Feu/a.txt");
  EXPECT_EQ(path(Shard::kGroup, "a"), "%2Dcore/a.txt");
  task.region = {};
  task.index = 1;
  EXPECT_EQ(path(Shard::kRegion, "a"), "default/a.txt");
  EXPECT_EQ(path(Shard::kGroup, "a"), "ungrouped/a.txt");
}

TEST_F(Backup, TakesNamesThatOnlyDifferInTheirCase) {
  auto backup = open();
  ASSERT_TRUE(backup);
  TaskSpec task = some_task(1);
  for (const char* host : {"SW1", "sw1"}) {
    task.host = host;
    ASSERT_TRUE(backup->write(task, ok_result(1, "show run", host)));
  }
  ASSERT_TRUE(backup->commit("s", wall(0)));
  EXPECT_EQ(content("SW1.txt"), "SW1");
  EXPECT_EQ(content("sw1.txt"), "sw1");
}

TEST_F(Backup, RefusesForeignDirectoriesAndRepositories) {
  fs::create_directories(repository_);
  put("notes", "mine");
  EXPECT_THAT(refusal(), HasSubstr("not empty, and no git repository"));
  fs::remove(repository_ + "/notes");
  sweep({ok_result(1, "show run", "a\n")});
  const std::string config = repository_ + "/.git/config";
  std::string text = file_content(config);
  text.replace(text.find("backup = true"), 13, "backup = no  ");
  std::ofstream(config) << text;
  EXPECT_THAT(refusal(), HasSubstr("not made by netfleet; if it shall be used, say: git -C "));
}

TEST_F(Backup, RefusesWhatIsNotCommitted) {
  sweep({ok_result(1, "show run", "a\n"), ok_result(2, "show run", "b\n")});
  put("edge-1.txt", "edited\n");
  put("new", "x");
  EXPECT_THAT(refusal(), HasSubstr("changes that are not committed: edge-1.txt, new"));
  EXPECT_EQ(content("edge-1.txt"), "edited\n");
  put("edge-1.txt", "a\n");
  fs::remove(repository_ + "/new");
  EXPECT_THAT(sweep({ok_result(1, "show run", "A\n")}), HasSubstr("1 file changed"));
}

TEST_F(Backup, IsForOneAtATime) {
  const auto first = open();
  ASSERT_TRUE(first);
  EXPECT_THAT(refusal(), HasSubstr("another netfleet is at work there"));
}

// A process that died after it had moved the branch, in the middle of writing a file.
TEST_F(Backup, DoesFirstWhatAnotherLeftHalfDone) {
  sweep({ok_result(1, "show run", "a\n"), ok_result(2, "show run", "b\n")});
  const std::string before = content(".git/index");
  sweep({ok_result(1, "show run", "AAA\n"), ok_result(2, "show run", "BBB\n")});
  put(".git/index", before);
  put("edge-1.txt", "AA");
  put("edge-2.txt", "b\n");
  put(".git/netfleet.lock", "committing\n");
  put(".git/index.lock", "");
  put(".git/refs/heads/main.lock", "");
  EXPECT_THAT(sweep({ok_result(1, "show run", "AAA\n"), ok_result(2, "show run", "new\n")}),
              HasSubstr("1 file changed"));
  EXPECT_EQ(content("edge-1.txt"), "AAA\n");
  EXPECT_EQ(content("edge-2.txt"), "new\n");
}

TEST_F(Backup, ARepositoryThatWasBegunIsBegunAgain) {
  fs::create_directories(repository_ + "/.netfleet-new-1/.git/objects");
  EXPECT_THAT(sweep({ok_result(1, "show run", "a\n")}), HasSubstr("1 file changed"));
  EXPECT_FALSE(fs::exists(repository_ + "/.netfleet-new-1"));
}

TEST_F(Backup, LargeOutputsGoThroughFiles) {
  const std::string large = noise(65u << 20, 1);
  sweep({ok_result(1, "show tech", large)});
  EXPECT_EQ(content("edge-1.txt"), large);
  EXPECT_THAT(sweep({ok_result(1, "show tech", large)}), HasSubstr("0 files changed, 1 did not"));
}

TEST_F(Backup, AFullDiskIsSaidAndTheNextSweepCommits) {
  SmallDisk disk(2048);
  ASSERT_TRUE(disk.mounted()) << "needs root to mount a tmpfs";
  options_.directory = repository_ = disk / "backup";
  sweep({ok_result(1, "show run", "a\n")});
  disk.fill("ballast");
  {
    auto backup = open();
    ASSERT_TRUE(backup) << backup.error().message;
    const auto written = backup->write(some_task(2), ok_result(2, "show run", noise(100'000, 2)));
    ASSERT_FALSE(written);
    EXPECT_THAT(written.error().message, HasSubstr("No space left on device"));
    ASSERT_TRUE(backup->commit("s", wall(0)));
  }
  EXPECT_EQ(content("edge-1.txt"), "a\n");
  fs::remove(disk / "ballast");
  EXPECT_THAT(sweep({ok_result(1, "show run", "a\n"), ok_result(2, "show run", "b\n")}),
              HasSubstr("1 file changed"));
}

}  // namespace
}  // namespace netfleet

#include "dispatcher/api/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "dispatcher/api/refusals.h"
#include "tests/unit/disk.h"

namespace netfleet {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

struct StoppedClock final : Clock {
  TimePoint now() const override { return {}; }
  WallTime wall() const override { return WallTime(Milliseconds(1'795'374'948'123)); }
};

class AuditLog : public testing::Test {
 protected:
  std::vector<std::string> lines(const std::string& name = "audit") const {
    std::ifstream file(directory_ / name);
    std::vector<std::string> found;
    for (std::string line; std::getline(file, line);) found.push_back(line);
    return found;
  }
  std::unique_ptr<Audit> open() {
    auto opened = Audit::open(path_, clock_);
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? *std::move(opened) : nullptr;
  }

  TemporaryDirectory directory_;
  StoppedClock clock_;
  std::string path_ = directory_ / "audit";
};

TEST_F(AuditLog, WritesOneObjectALine) {
  const auto audit = open();
  ASSERT_TRUE(
      audit->write({"api:night", "127.0.0.1:40312", "submit", "backup", "done", "sweep x"}));
  EXPECT_EQ(lines(), std::vector<std::string>{
                         R"({"time":"2026-11-22T19:15:48.123Z","who":"api:night",)"
                         R"("from":"127.0.0.1:40312","action":"submit","object":"backup",)"
                         R"("outcome":"done","detail":"sweep x"})"});
  struct stat status{};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(AuditLog, EscapesAndBoundsWhatOthersChose) {
  const auto audit = open();
  const std::string odd = "a\"\\\n\x1b[2J\x7f\xff\xc2\x9b\u00e9\U0001F600";
  ASSERT_TRUE(audit->write({odd, "", "", std::string(100'000, 'x'), "", ""}));
  const auto all = lines();
  ASSERT_EQ(all.size(), 1);
  for (const char c : all[0]) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << static_cast<int>(c);
  const Json line = Json::parse(all[0]);
  EXPECT_EQ(line["who"], "a\"\\\n\x1b[2J\x7f\uFFFD\u009b\u00e9\U0001F600");
  EXPECT_EQ(line["object"], std::string(512, 'x') + "...");
}

TEST_F(AuditLog, GoesOnInANewFileWhenItsOwnWasMovedOrRemoved) {
  const auto audit = open();
  ASSERT_TRUE(audit->write({.who = "a"}));
  std::filesystem::rename(path_, directory_ / "audit.1");
  ASSERT_TRUE(audit->write({.who = "b"}));
  EXPECT_EQ(lines("audit.1").size(), 1);
  EXPECT_EQ(lines().size(), 1);
  std::filesystem::remove(path_);
  ASSERT_TRUE(audit->write({.who = "c"}));
  EXPECT_EQ(lines().size(), 1);
}

TEST_F(AuditLog, AppendsToWhatIsThereAndEndsALineThatWasCut) {
  std::ofstream(path_) << R"({"who":"cut)";
  std::filesystem::permissions(path_, std::filesystem::perms(0600));
  const auto audit = open();
  ASSERT_TRUE(audit->write({.who = "a"}));
  ASSERT_EQ(lines().size(), 2);
  EXPECT_EQ(Json::parse(lines()[1])["who"], "a");
}

TEST_F(AuditLog, RefusesFilesThatOthersMayWriteAndOddOnes) {
  std::ofstream(path_) << "";
  std::filesystem::permissions(path_, std::filesystem::perms(0622));
  EXPECT_THAT(Audit::open(path_, clock_).error().message, HasSubstr("others may write it"));
  std::filesystem::remove(path_);
  std::filesystem::create_symlink("elsewhere", path_);
  EXPECT_FALSE(Audit::open(path_, clock_));
  EXPECT_FALSE(Audit::open("/dev/full", clock_));
  EXPECT_FALSE(Audit::open(directory_ / "missing/audit", clock_));
}

TEST_F(AuditLog, FullDiskIsAnErrorAndSpoilsNoLaterLine) {
  SmallDisk disk(64);
  ASSERT_TRUE(disk.mounted()) << "needs root";
  const auto audit = *Audit::open(disk / "audit", clock_);
  ASSERT_TRUE(audit->write({.who = "a"}));
  disk.fill("filler");
  bool failed = false;
  for (int i = 0; i < 100 && !failed; ++i) {
    failed = !audit->write({.who = "b", .detail = std::string(500, 'x')});
  }
  ASSERT_TRUE(failed);
  EXPECT_THAT(audit->problem(), HasSubstr("No space left"));
  std::filesystem::remove(disk / "filler");
  ASSERT_TRUE(audit->write({.who = "c"}));
  EXPECT_EQ(audit->problem(), "");
  std::ifstream file(disk / "audit");
  std::string last;
  for (std::string line; std::getline(file, line);) last = line;
  EXPECT_EQ(Json::parse(last)["who"], "c");
}

TEST_F(AuditLog, TakesLinesOfManyThreads) {
  const auto audit = open();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int k = 0; k < 25; ++k) EXPECT_TRUE(audit->write({.who = std::to_string(i)}));
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto all = lines();
  EXPECT_EQ(all.size(), 100);
  for (const std::string& line : all) EXPECT_TRUE(Json::parse(line).is_object());
}

TEST_F(AuditLog, CountsRefusalsThatItLeavesOut) {
  const auto audit = open();
  RefusalNotes notes(*audit, 0);
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(notes.write({.who = "stranger"}));
  EXPECT_EQ(lines().size(), 0);
  RefusalNotes few(*audit, 1'000'000);
  ASSERT_TRUE(few.write({.who = "stranger", .detail = "401"}));
  EXPECT_EQ(Json::parse(lines()[0])["detail"], "401");
}

}  // namespace
}  // namespace netfleet

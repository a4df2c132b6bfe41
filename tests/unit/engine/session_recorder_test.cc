#include "worker/engine/session_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "worker/device/session_log.h"

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SessionRecorderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/netfleet-test-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    directory_ = name;
    job_.sweep = "20260101-000000-abcd";
    task_.host = "../edge/7";
    task_.platform = "cisco_ios";
    auto logs = SessionLogs::open(directory_ / "logs",
                                  [this](const std::string& line) { said_.push_back(line); });
    ASSERT_TRUE(logs) << logs.error().message;
    logs_ = std::move(*logs);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<SessionRecorder> recorder(std::uint32_t attempt) {
    return std::make_unique<SessionRecorder>(*logs_, job_, task_, attempt, BootClock::now());
  }
  std::filesystem::path file(std::uint32_t attempt) const {
    return directory_ / "logs" /
           ("%2E.%2Fedge%2F7.20260101-000000-abcd." + std::to_string(attempt) + ".log");
  }
  SessionLog read(std::uint32_t attempt) const {
    std::ifstream in(file(attempt), std::ios::binary);
    auto log = parse_session_log(std::string((std::istreambuf_iterator<char>(in)), {}));
    EXPECT_TRUE(log) << log.error().message;
    return log ? std::move(*log) : SessionLog{};
  }

  std::filesystem::path directory_;
  JobSpec job_;
  TaskSpec task_;
  std::vector<std::string> said_;
  std::unique_ptr<SessionLogs> logs_;
};

TEST_F(SessionRecorderTest, WritesOneFileAnAttemptForItsOwnerAlone) {
  std::ofstream(file(1)) << "an old one";
  std::filesystem::permissions(file(1), std::filesystem::perms::all);
  for (const std::uint32_t attempt : {1u, 2u}) {
    auto one = recorder(attempt);
    one->begin({});
    one->received("R1#");
    one->typed("show clock\n", false);
    one->closed();
    one->ended(Outcome::kDisconnected, "closed");
  }
  for (const std::uint32_t attempt : {1u, 2u}) {
    struct stat status{};
    ASSERT_EQ(stat(file(attempt).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    const SessionLog log = read(attempt);
    EXPECT_EQ(log.host, "../edge/7");
    EXPECT_EQ(log.platform, "cisco_ios");
    EXPECT_EQ(log.ended, "disconnected closed");
    ASSERT_EQ(log.steps.size(), 3u);
    EXPECT_EQ(log.steps[1].bytes, "show clock\n");
  }
  EXPECT_TRUE(said_.empty());
}

TEST_F(SessionRecorderTest, DoesNotFollowALink) {
  std::filesystem::create_symlink(directory_ / "elsewhere", file(1));
  recorder(1)->ended(Outcome::kOk, "");
  EXPECT_FALSE(std::filesystem::exists(directory_ / "elsewhere"));
  EXPECT_EQ(said_.size(), 1u);
}

TEST_F(SessionRecorderTest, AFullDiskIsSaidOnceAndLeavesWholeLines) {
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit limit = before;
  limit.rlim_cur = 100'000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  for (const std::uint32_t attempt : {1u, 2u}) {
    auto one = recorder(attempt);
    one->begin({});
    for (int i = 0; i < 100; ++i) one->received(std::string(9'000, 'x') + "\r\n");
    one->ended(Outcome::kOk, "");
  }
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_THAT(said_, ElementsAre(HasSubstr("sessions go on")));
  const SessionLog log = read(2);
  EXPECT_EQ(log.ended, "");
  EXPECT_GT(log.steps.size(), 5u);
  for (const SessionLog::Step& step : log.steps) EXPECT_EQ(step.bytes.size(), 9'002u);
}

TEST(SessionLogs, SaysWhyADirectoryIsNone) {
  const auto file = SessionLogs::open("/dev/null", {});
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().message, HasSubstr("/dev/null: Not a directory"));
  const auto missing = SessionLogs::open("/nonexistent/logs", {});
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("No such file"));
}

}  // namespace
}  // namespace netfleet

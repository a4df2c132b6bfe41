// Commands are run for real; webhooks are in tests/integration.
#include "dispatcher/notify/notifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/unit/store/test_support.h"

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class NotifierTest : public ::testing::Test {
 protected:
  Notice notice(Notice::Event event = Notice::Event::kEnded) {
    Notice told;
    told.event = event;
    told.summary.sweep = "s";
    return told;
  }
  void run(NotifierOptions options, const std::vector<Notice>& notices) {
    options.say = [this](const std::string& line) { said_.push_back(line); };
    Notifier notifier(std::move(options));
    for (const Notice& told : notices) notifier.tell(told);
    notifier.finish();
  }

  TemporaryDirectory directory_;
  std::vector<std::string> said_;
};

TEST_F(NotifierTest, ACommandGetsOneNoticeAfterAnother) {
  const std::string file = directory_ / "told";
  run({.command = "echo $NETFLEET_EVENT >>" + file + "; cat >>" + file},
      {notice(Notice::Event::kFailures), notice()});
  EXPECT_EQ(file_content(file), "failures\n" + notice_json(notice(Notice::Event::kFailures)) +
                                    "ended\n" + notice_json(notice()));
  EXPECT_THAT(said_, IsEmpty());
}

TEST_F(NotifierTest, SecretsAreNotInItsEnvironment) {
  setenv("NETFLEET_TEST_SECRET", "hidden", 1);
  const std::string file = directory_ / "told";
  run({.command = "env >" + file, .secrets = {"NETFLEET_TEST_SECRET"}}, {notice()});
  EXPECT_THAT(file_content(file), HasSubstr("NETFLEET_EVENT=ended\n"));
  EXPECT_EQ(file_content(file).find("hidden"), std::string::npos);
}

TEST_F(NotifierTest, AFailureIsSaidOnce) {
  run({.command = "exit 3"}, {notice(), notice()});
  EXPECT_THAT(said_, ElementsAre("--notify-command: nobody was told: it ended with status 3"));
}

TEST_F(NotifierTest, WhoTakesTooLongIsEnded) {
  const std::string file = directory_ / "pid";
  run({.command = "echo $$ >" + file + "; exec sleep 1000", .patience = Milliseconds(200)},
      {notice(), notice()});
  EXPECT_THAT(said_, ElementsAre("--notify-command: nobody was told: it took too long"));
}

TEST_F(NotifierTest, ACommandThatReadsNothingIsFine) {
  run({.command = "exec <&-; exit 0"}, {notice()});
  EXPECT_THAT(said_, IsEmpty());
}

TEST_F(NotifierTest, AnUnreachableWebhookIsSaidWithoutItsPath) {
  run({.webhook = "http://127.0.0.1:1/secret-token"}, {notice()});
  ASSERT_EQ(said_.size(), 1u);
  EXPECT_THAT(said_[0], HasSubstr("--notify-webhook: nobody was told: curl: (7)"));
  EXPECT_EQ(said_[0].find("secret-token"), std::string::npos);
}

}  // namespace
}  // namespace netfleet

#include "dispatcher/fleet/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <set>

namespace netfleet {
namespace {

using ::testing::HasSubstr;

v1::ToDispatcher hello(std::uint64_t incarnation, const std::string& name) {
  v1::ToDispatcher message;
  message.set_incarnation(incarnation);
  message.mutable_hello()->set_name(name);
  return message;
}

v1::ToDispatcher heartbeat(std::uint64_t incarnation) {
  v1::ToDispatcher message;
  message.set_incarnation(incarnation);
  message.mutable_heartbeat();
  return message;
}

class AdmissionTest : public ::testing::Test {
 protected:
  AdmissionTest() : root_(::testing::TempDir() + "netfleet-admission-XXXXXX") {
    EXPECT_NE(mkdtemp(root_.data()), nullptr);
    make(curve::Role::kDispatcher, "dispatcher");
    first_ = make(curve::Role::kWorker, "eu-1");
    second_ = make(curve::Role::kWorker, "eu-2");
    anna_ = make(curve::Role::kOperator, "anna");
    admission_.emplace(*Admission::open(
        context_, *curve::read_dispatcher_keys(root_),
        [this](const std::string& line) { log_ += line + "\n"; },
        [this](std::uint64_t incarnation) { return known_.contains(incarnation); }));
  }
  ~AdmissionTest() override { std::filesystem::remove_all(root_); }

  // Its public key.
  std::string make(curve::Role role, const std::string& name) {
    const auto pair = curve::make_key_pair({role, name});
    EXPECT_TRUE(curve::write_key_pair(root_, *pair, true));
    return pair->public_key;
  }
  bool believed(const std::string& user, const v1::ToDispatcher& message) {
    return admission_->judge(user, message).believed;
  }

  std::string root_, first_, second_, anna_, log_;
  std::set<std::uint64_t> known_;
  wire::Context context_;
  std::optional<Admission> admission_;
};

TEST_F(AdmissionTest, AKeySpeaksForItsOwnIncarnationsAlone) {
  EXPECT_TRUE(believed(first_, hello(11, "eu-1")));
  EXPECT_TRUE(believed(first_, hello(12, "eu-1")));  // two processes may share a key
  EXPECT_TRUE(believed(first_, heartbeat(11)));
  EXPECT_FALSE(believed(second_, heartbeat(11)));
  EXPECT_FALSE(believed(second_, hello(11, "eu-2")));
  EXPECT_FALSE(believed("", heartbeat(11)));
  EXPECT_TRUE(believed(second_, heartbeat(99))) << "it will be asked for a Hello";
}

TEST_F(AdmissionTest, AHelloByAnotherNameIsRefusedWithTheReason) {
  const auto judged = admission_->judge(second_, hello(21, "eu-1"));
  EXPECT_FALSE(judged.believed);
  ASSERT_TRUE(judged.refusal);
  EXPECT_EQ(judged.refusal->refused().reason(),
            "it says that it is worker eu-1, but its key is that of worker eu-2");
  EXPECT_THAT(log_, HasSubstr("eu-1"));
  EXPECT_TRUE(believed(first_, hello(21, "eu-1"))) << "nothing is bound by a refused Hello";
  log_.clear();
  admission_->answer(TimePoint(std::chrono::seconds(60)));
  admission_->judge(second_,
                    hello(23, "\x1b[2Jeu\nnetfleet: all is well" + std::string(5000, 'x')));
  EXPECT_THAT(log_, HasSubstr("worker ^[[2Jeu netfleet: all is well"));
  EXPECT_LT(log_.size(), 250u);
  const auto person = admission_->judge(anna_, hello(22, "anna"));
  ASSERT_TRUE(person.refusal);
  EXPECT_THAT(person.refusal->refused().reason(), HasSubstr("operator anna"));
  for (int i = 0; i < 1000; ++i) admission_->judge(second_, hello(21, "eu-1"));
  EXPECT_EQ(std::ranges::count(log_, '\n'), 1) << "a flood of them is no flood of lines";
}

TEST_F(AdmissionTest, OperatorsAskAndWorkersDoNot) {
  v1::ToDispatcher question;
  question.set_incarnation(77);
  question.mutable_ask_workers();
  EXPECT_TRUE(believed(anna_, question));
  EXPECT_FALSE(believed(first_, question));
}

TEST_F(AdmissionTest, ResultsComeFromTheOwner) {
  EXPECT_FALSE(admission_->may_deliver(first_, 11)) << "it has not said Hello";
  ASSERT_TRUE(believed(first_, hello(11, "eu-1")));
  EXPECT_TRUE(admission_->may_deliver(first_, 11));
  EXPECT_FALSE(admission_->may_deliver(second_, 11));
  EXPECT_FALSE(admission_->may_deliver("", 11));
}

TEST_F(AdmissionTest, TheListIsReadAgain) {
  TimePoint now = BootClock::now();
  admission_->answer(now);
  ASSERT_TRUE(believed(first_, hello(11, "eu-1")));
  const std::string late = make(curve::Role::kWorker, "eu-3");
  std::filesystem::remove(root_ + "/workers/eu-1.pub");
  admission_->answer(now += std::chrono::seconds(2));
  EXPECT_TRUE(believed(late, hello(31, "eu-3")));
  EXPECT_FALSE(believed(first_, heartbeat(11))) << "it was taken off the list";
  EXPECT_FALSE(admission_->may_deliver(first_, 11));
  EXPECT_EQ(admission_->holder(late), (curve::Holder{curve::Role::kWorker, "eu-3"}));
  EXPECT_FALSE(admission_->holder(first_));
}

TEST_F(AdmissionTest, ALineThatIsTakenOutOfAFileCounts) {
  TimePoint now = BootClock::now();
  const auto other = curve::make_key_pair({curve::Role::kWorker, "eu-9"});
  const std::string line = "netfleet-public worker eu-9 " + other->public_key + "\n";
  const std::string file = root_ + "/workers/eu-1.pub";
  std::ofstream(file, std::ios::app) << line;
  admission_->answer(now += std::chrono::seconds(2));
  ASSERT_TRUE(believed(first_, hello(11, "eu-1")));
  std::ofstream(file) << line;
  admission_->answer(now += std::chrono::seconds(2));
  EXPECT_FALSE(believed(first_, heartbeat(11)));
  EXPECT_TRUE(believed(second_, hello(12, "eu-2")));
}

TEST_F(AdmissionTest, TheLastKeyCanBeTakenAway) {
  TimePoint now = BootClock::now();
  ASSERT_TRUE(believed(first_, hello(11, "eu-1")));
  std::filesystem::remove_all(root_ + "/workers");
  admission_->answer(now += std::chrono::seconds(2));
  EXPECT_FALSE(believed(first_, heartbeat(11)));
  EXPECT_FALSE(believed(second_, hello(12, "eu-2")));
}

TEST_F(AdmissionTest, AListThatCannotBeReadChangesNothing) {
  std::filesystem::permissions(root_ + "/workers", std::filesystem::perms(0777));
  make(curve::Role::kWorker, "eu-3");
  TimePoint now = BootClock::now();
  for (int i = 0; i < 5; ++i) admission_->answer(now += std::chrono::seconds(2));
  EXPECT_TRUE(believed(first_, hello(11, "eu-1")));
  EXPECT_THAT(log_, HasSubstr("the list of keys stays as it was"));
  EXPECT_EQ(std::ranges::count(log_, '\n'), 1);
}

TEST_F(AdmissionTest, IncarnationsThatMeanNothingAreForgotten) {
  known_ = {1};
  ASSERT_TRUE(believed(first_, hello(1, "eu-1")));
  for (std::uint64_t i = 2; i < 2000; ++i) ASSERT_TRUE(believed(first_, hello(i, "eu-1")));
  EXPECT_FALSE(believed(second_, hello(1, "eu-2"))) << "that one is known still";
  EXPECT_TRUE(believed(second_, hello(2, "eu-2"))) << "that one was forgotten";
}

}  // namespace
}  // namespace netfleet

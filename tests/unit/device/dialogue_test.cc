// What transcripts cannot say: options, order of states, the limits. The rest is in tests/replay.
#include "worker/device/dialogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace netfleet {
namespace {

using Phase = Dialogue::Phase;
using testing::HasSubstr;

Dialogue::Options commands(std::vector<std::string> list) {
  Dialogue::Options options;
  options.commands = std::move(list);
  return options;
}

class DialogueTest : public testing::Test {
 protected:
  void begin(const std::string& platform, Dialogue::Options options) {
    dialogue_ = std::make_unique<Dialogue>(PlatformSet::builtin(), platform, std::move(options));
  }
  // What is sent in answer.
  std::string hears(std::string_view bytes) {
    dialogue_->receive(bytes);
    return dialogue_->take_outgoing().bytes;
  }
  void log_in() {
    ASSERT_EQ(hears("R1#"), "terminal length 0\n");
    hears("terminal length 0\r\nR1#");
  }
  std::unique_ptr<Dialogue> dialogue_;
};

TEST_F(DialogueTest, GoesThroughItsPhases) {
  begin("ios", commands({"show a", "show b"}));
  EXPECT_EQ(dialogue_->platform_name(), "cisco_ios");
  EXPECT_EQ(dialogue_->phase(), Phase::kLogin);
  EXPECT_EQ(dialogue_->take_outgoing().bytes, "");
  EXPECT_EQ(hears("\r\nbanner\r\n"), "");
  EXPECT_EQ(dialogue_->phase(), Phase::kLogin);
  EXPECT_EQ(hears("R1#"), "terminal length 0\n");
  EXPECT_EQ(dialogue_->phase(), Phase::kPrepare);
  EXPECT_EQ(hears("terminal length 0\r\nR1#"), "show a\n");
  EXPECT_EQ(dialogue_->phase(), Phase::kCommand);
  EXPECT_EQ(dialogue_->command_index(), 0u);
  EXPECT_EQ(hears("show a\r\na\r\nR1#"), "show b\n");
  EXPECT_EQ(dialogue_->command_index(), 1u);
  EXPECT_EQ(hears("show b\r\nb\r\nR1#"), "exit\n");
  EXPECT_EQ(dialogue_->phase(), Phase::kDone);
  EXPECT_FALSE(dialogue_->failure().has_value());
  ASSERT_EQ(dialogue_->outputs().size(), 2u);
  EXPECT_EQ(dialogue_->outputs()[1].text, "b\n");
}

TEST_F(DialogueTest, IsDeafWhenDone) {
  begin("ios", commands({}));
  hears("R1#");
  EXPECT_EQ(hears("terminal length 0\r\nR1#"), "exit\n");
  EXPECT_EQ(hears("R1#--More--"), "");
  dialogue_->closed();
  EXPECT_FALSE(dialogue_->failure().has_value());
}

TEST_F(DialogueTest, SaysWhenThePlatformIsUnknown) {
  begin("nonesuch", commands({"show a"}));
  EXPECT_EQ(dialogue_->phase(), Phase::kDone);
  ASSERT_TRUE(dialogue_->failure().has_value());
  EXPECT_THAT(dialogue_->failure()->reason, HasSubstr("nonesuch"));
  EXPECT_EQ(hears("R1#"), "");
}

TEST_F(DialogueTest, GoesOnAfterARefusalUnlessToldOtherwise) {
  begin("ios", commands({"shwo", "show b"}));
  log_in();
  EXPECT_EQ(hears("shwo\r\n% Invalid input detected at '^' marker.\r\nR1#"), "show b\n");
  EXPECT_TRUE(dialogue_->outputs()[0].failed);
  EXPECT_EQ(dialogue_->outputs()[0].error, "% Invalid input detected at '^' marker.");
}

TEST_F(DialogueTest, ShowsTheLastLineSafely) {
  begin("ios", commands({"show a"}));
  hears("one\r\n\r\n");
  EXPECT_EQ(dialogue_->last_line(), "one");
  hears("Pass\x1b[1mword\xff: ");
  EXPECT_EQ(dialogue_->last_line(), "Password\xef\xbf\xbd:");
  hears("\r\n" + std::string(500, 'x') + "\r\n");
  EXPECT_EQ(dialogue_->last_line(), std::string(80, 'x'));
}

TEST_F(DialogueTest, HandsOutWhatAnEndlessCommandPrinted) {
  begin("ios", commands({"show a"}));
  log_in();
  hears("show a\r\none\r\ntwo\r\n--wait--");
  EXPECT_EQ(dialogue_->take_partial_output().text, "one\ntwo\n");
}

TEST_F(DialogueTest, KeepsMemoryBounded) {
  Dialogue::Options options = commands({"show a", "show b"});
  options.max_output = 100;
  begin("ios", std::move(options));
  log_in();
  hears("show a\r\n");
  for (int i = 0; i < 1000; ++i) hears("0123456789\r\n");
  EXPECT_EQ(hears("R1#"), "show b\n");
  EXPECT_TRUE(dialogue_->outputs()[0].truncated);
  EXPECT_EQ(dialogue_->outputs()[0].text.size(), 100u);
  EXPECT_LE(dialogue_->outputs()[0].text.capacity(), 1000u);
}

// The beginning of a large output may be moved out while it comes; what is decided by it is not
// forgotten, nor is what its end may still lose.
TEST_F(DialogueTest, HandsOutALargeOutputWhileItComes) {
  for (const std::size_t most : {std::size_t{10'000'000}, std::size_t{1'000'000}}) {
    Dialogue::Options options = commands({"show a", "show b"});
    options.max_output = most;
    begin("cisco_ios", std::move(options));
    log_in();
    std::string expected = "% Invalid input detected\n";
    hears("show a\r\n% Invalid input detected\r\n");
    std::string got;
    std::size_t largest = 0;
    for (int i = 0; i < 150'000; ++i) {
      const std::string line = "GigabitEthernet" + std::to_string(i);
      expected += line + "\n";
      hears(line + "\r\n");
      const std::string taken = dialogue_->take_settled();
      largest = std::max(largest, taken.size());
      got += taken;
    }
    expected.resize(std::min(most, expected.size()));
    hears("R1#");
    EXPECT_EQ(dialogue_->take_settled(), "") << "the next command's";
    const Dialogue::Output& output = dialogue_->outputs().at(0);
    EXPECT_EQ(output.taken, got.size());
    EXPECT_EQ(got + output.text, expected);
    EXPECT_GT(got.size(), most / 5);
    EXPECT_LE(output.text.size() + largest, 700'000u);
    EXPECT_EQ(output.truncated, most < 2'000'000);
    EXPECT_TRUE(output.failed);
    EXPECT_EQ(output.error, "% Invalid input detected");
  }
}

TEST_F(DialogueTest, TakesALineOfAnyLength) {
  begin("ios", commands({"show a"}));
  log_in();
  hears("show a\r\n");
  const std::string part(100'000, 'x');
  for (int i = 0; i < 25; ++i) hears(part);
  EXPECT_EQ(hears("\r\nR1#"), "exit\n");
  EXPECT_EQ(dialogue_->outputs()[0].text.size(), 2'500'001u);
}

TEST_F(DialogueTest, NeverTypesAtAPassword) {
  for (const char* question : {"Password: ", "Enter passphrase: ", "Passcode> ", "PIN? ",
                               "router password for admin: ", "Token:"}) {
    for (const char* platform : {"auto", "generic", "linux", "cisco_ios"}) {
      begin(platform, commands({"show a"}));
      EXPECT_EQ(hears(question), "") << platform << ": " << question;
    }
  }
}

TEST_F(DialogueTest, BelievesAWeakPromptWhenItComesTwice) {
  begin("generic", commands({"show a"}));
  // A banner that looks like a prompt; the Enter waits for the true one.
  EXPECT_EQ(hears("Welcome to >"), "\n");
  EXPECT_EQ(hears("> the lab\r\n\r\nthe box> "), "");
  EXPECT_EQ(hears("\r\nthe box> "), "show a\n");
}

TEST_F(DialogueTest, GivesLinesBackToTheCommandThatSeemedOver) {
  begin("ios", commands({"more log", "show b"}));
  log_in();
  EXPECT_EQ(hears("more log\r\none\r\nR1#"), "show b\n");  // cut just behind "R1#" in the log
  EXPECT_EQ(dialogue_->command_index(), 1u);
  EXPECT_EQ(hears("show clock\r\ntwo\r\n"), "");
  EXPECT_EQ(hears("R1#show b\r\nb\r\nR1#"), "exit\n");
  EXPECT_EQ(dialogue_->outputs()[0].text, "one\nR1#show clock\ntwo\n");
  EXPECT_EQ(dialogue_->outputs()[1].text, "b\n");
}

TEST_F(DialogueTest, CannotTellAfterTheLastCommand) {
  // The weakness that the header documents.
  begin("ios", commands({"more log"}));
  log_in();
  EXPECT_EQ(hears("more log\r\none\r\nR1#"), "exit\n");
  EXPECT_EQ(dialogue_->phase(), Phase::kDone);
}

TEST_F(DialogueTest, DropsThePromptOfAnEnterThatWasNotNeeded) {
  begin("ios", commands({"more log", "show b", "show c"}));
  log_in();
  hears("more log\r\none\r\nR1#");
  // A second line like the prompt: is it over now? The Enter waits behind "show b".
  EXPECT_EQ(hears("show clock\r\nR1#"), "\n");
  EXPECT_EQ(hears("x\r\nR1#show b\r\nb\r\nR1#"), "show c\n");
  EXPECT_EQ(hears("\r\nR1#show c\r\nc\r\nR1#"), "exit\n");
  EXPECT_EQ(dialogue_->outputs()[0].text, "one\nR1#show clock\nR1#x\n");
  EXPECT_EQ(dialogue_->outputs()[1].text, "b\n");
  EXPECT_EQ(dialogue_->outputs()[2].text, "c\n");
}

TEST_F(DialogueTest, DetectsThePlatformFromThePrompt) {
  begin("auto", commands({}));
  EXPECT_EQ(dialogue_->platform_name(), "generic");
  EXPECT_THAT(hears("user@host:~$ "), HasSubstr("PS1="));
  EXPECT_EQ(dialogue_->platform_name(), "linux");
}

}  // namespace
}  // namespace netfleet

// How the dialogue goes from mode to mode, and to whom it gives secrets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/device/scenario.h"

namespace netfleet {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kIos = R"(
name: box
modes:
  - {name: config, prompt: '^[\w.\-]{1,64}\([\w\-]+\)#\s?$'}
  - {name: privileged, prompt: '^[\w.\-]{1,64}#\s?$'}
  - {name: user, prompt: '^[\w.\-]{1,64}>\s?$'}
prepare:
  - {command: terminal length 0}
  - {command: terminal width 511, mode: privileged}
moves:
  - from: user
    to: privileged
    command: enable
    answers:
      - {prompt: '^Password:\s*$', send: enable_password}
  - {from: privileged, to: config, command: configure terminal}
  - {from: config, to: privileged, command: end}
errors: ['^% ?(?:Invalid|Bad secrets|Error)']
logout: exit
)";

class ModesTest : public testing::Test {
 protected:
  Scenario ios(std::vector<Scenario::Step> steps) {
    Scenario scenario{kIos, {}, {{"R1>", "terminal length 0\n"}}};
    scenario.options.mode = "privileged";
    scenario.options.commands = {"show run"};
    scenario.options.enable_password = &secret_;
    scenario.steps.insert(scenario.steps.end(), steps.begin(), steps.end());
    return scenario;
  }
  static void expect_failure(const Dialogue& dialogue, Outcome outcome, const std::string& part) {
    ASSERT_TRUE(dialogue.failure().has_value());
    EXPECT_EQ(dialogue.failure()->outcome, outcome);
    EXPECT_THAT(dialogue.failure()->reason, HasSubstr(part));
    EXPECT_THAT(dialogue.failure()->reason, Not(HasSubstr("s3cret")));
    EXPECT_THAT(dialogue.last_line(), Not(HasSubstr("s3cret")));
  }
  const Secret secret_{"s3cret"};
};

TEST_F(ModesTest, IsEnabledBeforeTheFirstCommand) {
  ios({{"terminal length 0\r\nR1>", "enable\n"},
       {"enable\r\nPassword: ", "s3cret\n"},
       {"\r\nR1#", "terminal width 511\n"},
       {"terminal width 511\r\nR1#", "show run\n"},
       {"show run\r\nhostname R1\r\nR1#", "exit\n"}})
      .run_in_pieces([](Dialogue& dialogue) {
        ASSERT_FALSE(dialogue.failure().has_value()) << dialogue.failure()->reason;
        ASSERT_EQ(dialogue.outputs().size(), 1u);
        EXPECT_EQ(dialogue.outputs()[0].command, "show run");
        EXPECT_EQ(dialogue.outputs()[0].text, "hostname R1\n");
      });
}

TEST_F(ModesTest, NeedsNoSecretWhereNoneIsAsked) {
  Scenario scenario = ios({{"terminal length 0\r\nR1>", "enable\n"},
                           {"enable\r\nR1#", "terminal width 511\n"},
                           {"terminal width 511\r\nR1#", "configure terminal\n"},
                           {"configure terminal\r\nEnter commands.\r\nR1(config)#", "show run\n"},
                           {"show run\r\n% Invalid input\r\nR1(config)#", "exit\n"}});
  scenario.options.mode = "config";
  scenario.options.enable_password = nullptr;
  scenario.run_in_pieces([](Dialogue& dialogue) {
    EXPECT_FALSE(dialogue.failure().has_value());
    EXPECT_EQ(dialogue.outputs()[0].error, "% Invalid input");
  });
}

TEST_F(ModesTest, ASecretThatIsAskedAgainWasRefused) {
  ios({{"terminal length 0\r\nR1>", "enable\n"},
       {"enable\r\nPassword: ", "s3cret\n"},
       {"\r\nPassword: ", ""}})
      .run_in_pieces([](Dialogue& dialogue) {
        expect_failure(dialogue, Outcome::kAuthFailed,
                       "enable refused: it asked \"Password:\" again");
      });
}

TEST_F(ModesTest, ASecretIsRefusedWithWords) {
  ios({{"terminal length 0\r\nR1>", "enable\n"},
       {"enable\r\nPassword: ", "s3cret\n"},
       {"\r\n% Bad secrets\r\n\r\nR1>", ""}})
      .run_in_pieces([](Dialogue& dialogue) {
        expect_failure(dialogue, Outcome::kAuthFailed, "enable refused: % Bad secrets");
      });
}

TEST_F(ModesTest, TheEchoOfASecretIsShownNowhere) {
  ios({{"terminal length 0\r\nR1>", "enable\n"},
       {"enable\r\nPassword: ", "s3cret\n"},
       {"s3cret", ""}})
      .run_in_pieces([](Dialogue& dialogue) {
        EXPECT_EQ(dialogue.last_line(), "Password:");
        EXPECT_THAT(dialogue.take_partial_output().text, Not(HasSubstr("s3c")));
      });
  ios({{"terminal length 0\r\nR1>", "enable\n"},
       {"enable\r\nPassword: ", "s3cret\n"},
       {"s3cret\r\n", ""}})
      .run_in_pieces([](Dialogue& dialogue) {
        EXPECT_EQ(dialogue.last_line(), "Password:");
        dialogue.receive("no: s3cret\r\nR1>");
        expect_failure(dialogue, Outcome::kAuthFailed, "enable refused: no: ***");
      });
}

TEST_F(ModesTest, WithoutASecretNothingIsTyped) {
  Scenario scenario = ios({{"terminal length 0\r\nR1>", "enable\n"}, {"enable\r\nPassword: ", ""}});
  scenario.options.enable_password = nullptr;
  scenario.run_in_pieces([](Dialogue& dialogue) {
    expect_failure(dialogue, Outcome::kAuthFailed, "--enable-password-env");
    EXPECT_EQ(dialogue.phase(), Dialogue::Phase::kDone);
  });
}

TEST_F(ModesTest, ASecretIsMarkedToBeWiped) {
  const Scenario scenario = ios({{"terminal length 0\r\nR1>", "enable\n"}});
  const auto dialogue = scenario.run(1000);
  dialogue->receive("enable\r\nPassword: ");
  const Dialogue::Outgoing outgoing = dialogue->take_outgoing();
  EXPECT_TRUE(outgoing.secret);
  EXPECT_EQ(outgoing.bytes, "s3cret\n");
  EXPECT_FALSE(dialogue->take_outgoing().secret);
}

TEST_F(ModesTest, NoSecretGoesToTextThatLooksLikeItsQuestion) {
  // Before our command, in a banner, as a whole line, or with more behind it.
  ios({{"terminal length 0\r\nPassword: \r\nPassword: none\r\nR1>", "enable\n"},
       {"enable\r\nPassword: is asked below\r\nYour Password: ", ""}})
      .run(1000);
}

TEST_F(ModesTest, AMoveThatIsRefusedSaysSo) {
  Scenario scenario = ios({{"terminal length 0\r\nR1>", "enable\n"},
                           {"enable\r\nR1#", "terminal width 511\n"},
                           {"terminal width 511\r\nR1#", "configure terminal\n"},
                           {"configure terminal\r\nLocked by ann.\r\nR1#", ""}});
  scenario.options.mode = "config";
  scenario.run_in_pieces([](Dialogue& dialogue) {
    expect_failure(dialogue, Outcome::kCommandFailed, "configure terminal refused: Locked by ann.");
  });
}

TEST_F(ModesTest, NothingIsTypedWithoutAWay) {
  Scenario scenario = ios({{"terminal length 0\r\nR1>", ""}});
  scenario.options.mode = "root";
  scenario.run_in_pieces([](Dialogue& dialogue) {
    expect_failure(dialogue, Outcome::kCommandFailed, "has no mode \"root\"");
  });
}

TEST_F(ModesTest, ADeviceWithoutEchoIsEnabledToo) {
  ios({{"\r\nR1>", "enable\n"},
       {"\r\nPassword: ", "s3cret\n"},
       {"\r\nR1#", "terminal width 511\n"},
       {"\r\nR1#", "show run\n"},
       {"\r\nhostname R1\r\nR1#", "exit\n"}})
      .run_in_pieces(
          [](Dialogue& dialogue) { EXPECT_EQ(dialogue.outputs().at(0).text, "\nhostname R1\n"); });
}

constexpr const char* kUnix = R"(
name: box
modes:
  - {name: root, prompt: '^[^\r\n]{0,200}#\s?$'}
  - {name: user, prompt: '^[^\r\n]{0,200}\$\s?$'}
confirm_prompt: true
prompt_after_text: true
prepare:
  - {command: "PS1='netfleet\\$'", new_prompt: '^netfleet[$#]$'}
  - {command: "PS1='netfleet\\#'", mode: root, new_prompt: '^netfleet[$#]$', when_prompt: '@'}
moves:
  - from: user
    to: root
    command: sudo -s
    answers: [{prompt: '^\[sudo\] password for \S+: $', send: password}]
logout: exit
)";

TEST_F(ModesTest, APromptThatIsNewIsBelievedWhenItComesTwice) {
  Scenario scenario{kUnix, {}, {}};
  scenario.options.mode = "root";
  scenario.options.password = &secret_;
  scenario.options.commands = {"id"};
  scenario.steps = {{"user@host:~$ ", "PS1='netfleet\\$'\n"},
                    {"PS1='netfleet\\$'\r\nnetfleet$", "sudo -s\n"},
                    {"sudo -s\r\n[sudo] password for user: ", "s3cret\n"},
                    {"\r\nroot@host:~#", "\n"},
                    {" \r\nroot@host:~# ", "PS1='netfleet\\#'\n"},
                    {"PS1='netfleet\\#'\r\nnetfleet#", "id\n"},
                    {"id\r\nuid=0\r\nnetfleet#", "exit\n"}};
  scenario.run_in_pieces([](Dialogue& dialogue) {
    ASSERT_FALSE(dialogue.failure().has_value()) << dialogue.failure()->reason;
    EXPECT_EQ(dialogue.outputs().at(0).text, "uid=0\n");
  });
}

constexpr const char* kJunos = R"(
name: box
modes:
  - {name: config, prompt: '^\w+@\w+#\s?$', above: '^\[edit.*\]$'}
  - {name: user, prompt: '^\w+@\w+>\s?$'}
context_lines: ['^\[edit.*\]\s*$', '^\{\w+\}$']
moves:
  - {from: user, to: config, command: configure}
  - {from: config, to: user, command: exit}
prepare: [{command: set cli screen-length 0}]
logout: exit
)";

TEST_F(ModesTest, TheLinesAboveAPromptTellTheModeAndAreNoOutput) {
  Scenario scenario{kJunos, {}, {}};
  scenario.options.mode = "config";
  scenario.options.commands = {"edit system", "show"};
  scenario.steps = {
      {"{master}\r\nann@mx1> ", "set cli screen-length 0\n"},
      {"set cli screen-length 0\r\n\r\n{master}\r\nann@mx1> ", "configure\n"},
      {"configure\r\nEntering configuration mode\r\n\r\n{master}\r\n[edit]\r\n"
       "ann@mx1# ",
       "edit system\n"},
      {"edit system\r\n\r\n{master}\r\n[edit system]\r\nann@mx1# ", "show\n"},
      {"show\r\nhost-name mx1;\r\n[edit of x]y\r\n\r\n[edit system]\r\nann@mx1# ", "exit\n"}};
  scenario.run_in_pieces([](Dialogue& dialogue) {
    ASSERT_FALSE(dialogue.failure().has_value()) << dialogue.failure()->reason;
    EXPECT_EQ(dialogue.outputs().at(0).text, "\n");
    EXPECT_EQ(dialogue.outputs().at(1).text, "host-name mx1;\n[edit of x]y\n\n");
  });
}

constexpr const char* kLoginInside = R"(
name: box
modes: [{name: user, prompt: '^\w+>\s?$'}]
prepare: [{command: terminal length 0}]
confirmations: [{prompt: 'Proceed\? \[confirm\]\s*$', reply: ''}]
login:
  - {prompt: 'Enter Ctrl-Y to begin\.\s*$', reply: "\x19", bare: true}
  - {prompt: '^User Name:\s*$', send: user}
  - {prompt: '^Password:\s*$', send: password}
  - {prompt: 'licence\? \[y/n\]\s*$', reply: n}
logout: logout
logout_answers: [{prompt: 'save\? \(y/n\)\s*$', reply: n, bare: true}]
)";

Scenario login_inside(std::vector<Scenario::Step> steps) {
  static const Secret secret("s3cret");
  Scenario scenario{kLoginInside, {}, std::move(steps)};
  scenario.options.user = "ann";
  scenario.options.password = &secret;
  return scenario;
}

TEST_F(ModesTest, LogsInInsideTheShellAndOutOfIt) {
  login_inside({{"\r\n** Enter Ctrl-Y to begin. ", "\x19"},
                {"\r\nWelcome\r\nUser Name:", "ann\n"},
                {"ann\r\nPassword:", "s3cret\n"},
                {"******\r\nRead the licence? [y/n] ", "n\n"},
                {"n\r\nsw>", "terminal length 0\n"},
                {"terminal length 0\r\nsw>", "logout\n"},
                {"logout\r\nWould you like to save? (y/n) ", "n"},
                {"n\r\nsw>", ""}})
      .run_in_pieces([](Dialogue& dialogue) {
        EXPECT_EQ(dialogue.phase(), Dialogue::Phase::kLogout);
        dialogue.closed();
        EXPECT_EQ(dialogue.phase(), Dialogue::Phase::kDone);
        EXPECT_FALSE(dialogue.failure().has_value());
      });
}

TEST_F(ModesTest, PressesTheKeyThatABannerWants) {
  login_inside({{"\r\n######\r\n##  Enter Ctrl-Y to begin.\r\n######\r\n", "\x19"},
                {"\r\nsw>", "terminal length 0\n"}})
      .run_in_pieces([](Dialogue& dialogue) { EXPECT_FALSE(dialogue.failure().has_value()); });
}

TEST_F(ModesTest, AUserWhoIsAskedAgainWasRefused) {
  login_inside({{"\r\nUser Name:", "ann\n"},
                {"ann\r\nPassword:", "s3cret\n"},
                {"\r\nauthentication failed\r\nUser Name:", ""}})
      .run_in_pieces([](Dialogue& dialogue) {
        expect_failure(dialogue, Outcome::kAuthFailed,
                       "refused inside the shell: it asked \"User Name:\" again");
      });
}

TEST_F(ModesTest, APasswordThatIsNotThereIsNotTyped) {
  Scenario scenario = login_inside({{"\r\nUser Name:", "ann\n"}, {"ann\r\nPassword:", ""}});
  scenario.options.password = nullptr;
  scenario.run_in_pieces(
      [](Dialogue& dialogue) { expect_failure(dialogue, Outcome::kAuthFailed, "--password-env"); });
}

TEST_F(ModesTest, AForcedPasswordChangeIsAnError) {
  for (const char* question : {"New Password:", "Enter old password:", "new password> "}) {
    login_inside({{"\r\nUser Name:", "ann\n"},
                  {"ann\r\nYour password has expired.\r\n" + std::string(question), ""}})
        .run_in_pieces([](Dialogue& dialogue) {
          expect_failure(dialogue, Outcome::kAuthFailed, "demands a new password");
        });
  }
}

TEST_F(ModesTest, AnEnterThatAnAnswerDidNotNeedLeavesNothingBehind) {
  Scenario scenario = login_inside({{"\r\nsw>", "terminal length 0\n"},
                                    {"terminal length 0\r\nsw>", "clear a\n"},
                                    {"clear a\r\nProceed? [confirm]", "\n"},
                                    {"\r\nsw>", "show b\n"},
                                    {"\r\nsw>show b\r\nb\r\nsw>", "logout\n"}});
  scenario.options.commands = {"clear a", "show b"};
  scenario.run_in_pieces([](Dialogue& dialogue) {
    ASSERT_EQ(dialogue.outputs().size(), 2u);
    EXPECT_EQ(dialogue.outputs()[0].text, "Proceed? [confirm]\n");
    EXPECT_EQ(dialogue.outputs()[1].text, "b\n");
  });
  scenario.steps.resize(3);
  scenario.steps.push_back({"\r\nsw>\r\nsw>", "show b\n"});
  scenario.steps.push_back({"show b\r\nb\r\nsw>", "logout\n"});
  const auto dialogue = scenario.run(1000);
  EXPECT_EQ(dialogue->outputs().at(0).text, "Proceed? [confirm]\n");
}

TEST_F(ModesTest, TheJobsAnswersComeFirst) {
  Scenario scenario = login_inside({{"\r\nsw>", "terminal length 0\n"},
                                    {"terminal length 0\r\nsw>", "clear a\n"},
                                    {"clear a\r\nProceed? [confirm]", "no\n"},
                                    {"no\r\nPassword: ", ""},
                                    {"\r\nMore? (y/n)", ""}});
  scenario.options.commands = {"clear a"};
  scenario.options.answers = {{*Pattern::compile("Proceed"), "no"},
                              {*Pattern::compile("Password"), "x"}};
  // The first answer is typed when "Proceed" is there: the pattern asks for no more.
  const auto dialogue = scenario.run(1000);
  EXPECT_EQ(dialogue->last_line(), "More? (y/n)");
  EXPECT_TRUE(dialogue->asks());
  dialogue->receive("\r\nworking");
  EXPECT_FALSE(dialogue->asks());
}

}  // namespace
}  // namespace netfleet

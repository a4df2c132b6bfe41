// How the dialogue configures, on devices that take lines at once and on those that commit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/device/scenario.h"

namespace netfleet {
namespace {

using Kind = Dialogue::Output::Kind;
using testing::HasSubstr;

constexpr const char* kIos = R"(
name: box
modes:
  - {name: config, prompt: '^[\w.\-]{1,64}\([\w\-]+\)#\s?$'}
  - {name: privileged, prompt: '^[\w.\-]{1,64}#\s?$'}
  - {name: user, prompt: '^[\w.\-]{1,64}>\s?$'}
prepare: [{command: terminal length 0}]
moves:
  - from: user
    to: privileged
    command: enable
    answers: [{prompt: '^Password:\s*$', send: enable_password}]
  - {from: privileged, to: user, command: disable}
  - {from: privileged, to: config, command: configure terminal}
  - {from: config, to: privileged, command: end}
configure:
  mode: config
  blocks:
    - begin: '^\s*banner \w+ (\S)'
    - {begin: '^ certificate ', end: '^\s*quit$'}
save:
  command: write memory
  mode: privileged
  answers: [{prompt: '\[confirm\]\s*$', reply: y, bare: true}]
  success: '\[OK\]'
errors: ['^% ?(?:Invalid|Incomplete|Error)']
logout: exit
)";

Scenario ios(std::vector<std::string> lines, std::vector<Scenario::Step> steps) {
  Scenario scenario{kIos, {}, {{"R1#", "terminal length 0\n"}}};
  scenario.options.configuration.lines = std::move(lines);
  scenario.steps.insert(scenario.steps.end(), steps.begin(), steps.end());
  return scenario;
}

// "configure 'text' | write memory failed: why | ..."
std::string outputs(Dialogue& dialogue) {
  if (dialogue.failure()) return "failure: " + dialogue.failure()->reason;
  if (dialogue.phase() != Dialogue::Phase::kDone) return "not done";
  std::string result;
  for (const Dialogue::Output& output : dialogue.outputs()) {
    if (!result.empty()) result += " | ";
    result += output.command;
    result += output.failed ? " failed: " + output.error : " '" + output.text + "'";
  }
  return result;
}

TEST(Configure, TypesLineByLineSavesAndGoesBack) {
  Scenario scenario =
      ios({"interface Lo0", "", " description x"},
          {{"terminal length 0\r\nR1#", "configure terminal\n"},
           {"configure terminal\r\nEnter commands.\r\nR1(config)#", "interface Lo0\n"},
           {"interface Lo0\r\nR1(config-if)#", " description x\n"},
           {" description x\r\nR1(config-if)#", "end\n"},
           {"end\r\nR1#", "write memory\n"},
           {"write memory\r\nOverwrite? [confirm]", "y"},
           {"y\r\nBuilding...\r\n[OK]\r\nR1#", "show run\n"},
           {"show run\r\nx\r\nR1#", "exit\n"}});
  scenario.options.configuration.save = true;
  scenario.options.commands = {"show run"};
  scenario.run_in_pieces([](Dialogue& dialogue) {
    EXPECT_EQ(outputs(dialogue),
              "configure 'R1(config)#interface Lo0\nR1(config-if)# description x\n' | "
              "write memory 'Overwrite? [confirm]y\nBuilding...\n[OK]\n' | show run 'x\n'");
    EXPECT_EQ(dialogue.outputs()[0].kind, Kind::kConfiguration);
    EXPECT_EQ(dialogue.outputs()[1].kind, Kind::kSave);
  });
}

TEST(Configure, StopsAtTheFirstRefusedLineAndLeavesTheMode) {
  Scenario scenario =
      ios({"ip adress 1.1.1.1", "no shutdown"},
          {{"terminal length 0\r\nR1#", "configure terminal\n"},
           {"configure terminal\r\nR1(config)#", "ip adress 1.1.1.1\n"},
           {"ip adress 1.1.1.1\r\n         ^\r\n% Invalid input\r\n\r\nR1(config)#", "end\n"},
           {"end\r\nR1#", "exit\n"}});
  scenario.options.configuration.save = true;
  scenario.options.commands = {"show run"};
  scenario.run_in_pieces([](Dialogue& dialogue) {
    EXPECT_EQ(outputs(dialogue),
              "configure failed: line 1 of 2 'ip adress 1.1.1.1': refused: % Invalid input");
    EXPECT_EQ(dialogue.outputs()[0].text,
              "R1(config)#ip adress 1.1.1.1\n         ^\n% Invalid input\n\n");
  });
}

TEST(Configure, FollowsANewHostName) {
  ios({"hostname a-very-long-host-name-of-35-chars", "no shutdown"},
      {{"terminal length 0\r\nR1#", "configure terminal\n"},
       {"configure terminal\r\nR1(config)#", "hostname a-very-long-host-name-of-35-chars\n"},
       {"hostname a-very-long-host-name-of-35-chars\r\na-very-long-host-nam(config)#",
        "no shutdown\n"},
       {"no shutdown\r\na-very-long-host-nam(config)#", "end\n"},
       {"end\r\na-very-long-host-name-of-35-chars#", "exit\n"}})
      .run_in_pieces([](Dialogue& dialogue) {
        EXPECT_THAT(outputs(dialogue), HasSubstr("host-nam(config)#no shutdown\n"));
      });
}

TEST(Configure, GoesBackToTheModeThatALineHasLeft) {
  ios({"interface Lo0", "end", "ip routing"},
      {{"terminal length 0\r\nR1#", "configure terminal\n"},
       {"configure terminal\r\nR1(config)#", "interface Lo0\n"},
       {"interface Lo0\r\nR1(config-if)#", "end\n"},
       {"end\r\nR1#", "configure terminal\n"},
       {"configure terminal\r\nR1(config)#", "ip routing\n"},
       {"ip routing\r\nR1(config)#", "end\n"},
       {"end\r\nR1#", "exit\n"}})
      .run_in_pieces([](Dialogue& dialogue) {
        EXPECT_EQ(outputs(dialogue),
                  "configure 'R1(config)#interface Lo0\nR1(config-if)#end\nR1(config)#ip "
                  "routing\n'");
      });
}

TEST(Configure, ABlockIsTypedAtOnce) {
  ios({"banner motd ^", "R1(config)#", "", "% Invalid access^", "ip routing"},
      {{"terminal length 0\r\nR1#", "configure terminal\n"},
       {"configure terminal\r\nR1(config)#", "banner motd ^\n"},
       {"banner motd ^\r\n", "R1(config)#\n\n% Invalid access^\n"},
       {"Enter TEXT message.  End with the character '^'.\r\n", ""},
       {"R1(config)#\r\n\r\n", ""},
       {"% Invalid access^\r\nR1(config)#", "ip routing\n"},
       {"ip routing\r\nR1(config)#", "end\n"},
       {"end\r\nR1#", "exit\n"}})
      .run_in_pieces([](Dialogue& dialogue) {
        EXPECT_EQ(outputs(dialogue),
                  "configure 'R1(config)#banner motd ^\nEnter TEXT message.  End with the "
                  "character '^'.\nR1(config)#\n\n% Invalid access^\nR1(config)#ip routing\n'");
      });
}

TEST(Configure, ABlockWithoutAnEndIsNotBegun) {
  ios({"ip routing", "banner motd #", "text"}, {{"terminal length 0\r\nR1#", "exit\n"}})
      .run_in_pieces([](Dialogue& dialogue) {
        EXPECT_EQ(outputs(dialogue),
                  "configure failed: line 2 of 3 'banner motd #': the block that begins here has "
                  "no end");
      });
}

TEST(Configure, EnablesAndGoesBackToUserMode) {
  static const Secret secret("s3cret");
  Scenario scenario = ios({"ip routing"}, {});
  scenario.options.enable_password = &secret;
  scenario.options.commands = {"show clock"};
  scenario.steps = {{"R1>", "terminal length 0\n"},
                    {"terminal length 0\r\nR1>", "enable\n"},
                    {"enable\r\nPassword: ", "s3cret\n"},
                    {"\r\nR1#", "configure terminal\n"},
                    {"configure terminal\r\nR1(config)#", "ip routing\n"},
                    {"ip routing\r\nR1(config)#", "end\n"},
                    {"end\r\nR1#", "disable\n"},
                    {"disable\r\nR1>", "show clock\n"},
                    {"show clock\r\n12:00\r\nR1>", "exit\n"}};
  scenario.run_in_pieces([](Dialogue& dialogue) {
    EXPECT_EQ(outputs(dialogue), "configure 'R1(config)#ip routing\n' | show clock '12:00\n'");
  });
}

TEST(Configure, RehearsesWithoutTypingWhereNothingCanBeForgotten) {
  Scenario scenario = ios({"ip routing", "end"}, {{"terminal length 0\r\nR1#", "exit\n"}});
  scenario.options.configuration.dry_run = true;
  scenario.run_in_pieces(
      [](Dialogue& dialogue) { EXPECT_EQ(outputs(dialogue), "configure 'ip routing\nend\n'"); });
}

TEST(Configure, ASaveThatDoesNotSaySoHasFailed) {
  Scenario scenario = ios({}, {{"terminal length 0\r\nR1#", "write memory\n"},
                               {"write memory\r\nnvram: no space\r\n\r\nR1#", "exit\n"}});
  scenario.options.configuration.save = true;
  scenario.run_in_pieces([](Dialogue& dialogue) {
    EXPECT_EQ(outputs(dialogue),
              "write memory failed: nothing says that it worked; the last line is \"nvram: no "
              "space\"");
  });
}

TEST(Configure, TellsWhatItIsDoing) {
  const Scenario scenario =
      ios({"ip routing", "no shutdown"}, {{"terminal length 0\r\nR1#", "configure terminal\n"},
                                          {"configure terminal\r\nR1(config)#", "ip routing\n"},
                                          {"ip routing\r\nR1(config)#", "no shutdown\n"}});
  const auto dialogue = scenario.run(1000);
  EXPECT_EQ(dialogue->doing(), "configure line 2 of 2 'no shutdown'");
  EXPECT_EQ(dialogue->stage(), "configuration line 2/2");
  EXPECT_EQ(dialogue->turns(), 4u);
  dialogue->receive("no shutdown\r\nShut what? ");
  const Dialogue::Output partial = dialogue->take_partial_output();
  EXPECT_EQ(partial.command, "configure");
  EXPECT_EQ(partial.text, "R1(config)#ip routing\nR1(config)#no shutdown\n");
  EXPECT_EQ(dialogue->last_line(), "Shut what?");
}

constexpr const char* kJunos = R"(
name: box
modes:
  - {name: config, prompt: '^\w+@\w+#\s?$'}
  - {name: user, prompt: '^\w+@\w+>\s?$'}
context_lines: ['^\[edit.*\]\s*$']
prepare: [{command: set cli screen-length 0}]
moves:
  - {from: user, to: config, command: configure}
  - from: config
    to: user
    command: exit
    answers: [{prompt: 'uncommitted changes\? \[yes,no\]', reply: 'yes'}]
configure:
  mode: config
  commit:
    command: commit
    confirmed: 'commit confirmed {minutes}'
    confirm: commit
    check: commit check
    check_success: '^configuration check succeeds'
    diff: 'show | compare'
    abort: rollback 0
    success: '^commit complete'
    failure: '^error: '
    failure_detail: show errors
errors: ['^syntax error', '^error: ']
logout: exit
)";

const std::string kUser = "\r\nann@mx1> ";
const std::string kConfig = "\r\n[edit]\r\nann@mx1# ";

// Up to the line "set x", which is taken.
Scenario junos(std::vector<Scenario::Step> steps) {
  Scenario scenario{kJunos,
                    {},
                    {{"ann@mx1> ", "set cli screen-length 0\n"},
                     {"set cli screen-length 0\r\n" + kUser, "configure\n"},
                     {"configure\r\nEntering configuration mode\r\n" + kConfig, "set x\n"}}};
  scenario.options.configuration.lines = {"set x"};
  scenario.steps.insert(scenario.steps.end(), steps.begin(), steps.end());
  return scenario;
}

TEST(Commit, ChecksComparesAndCommits) {
  junos({{"set x\r\n" + kConfig, "commit check\n"},
         {"commit check\r\nconfiguration check succeeds\r\n" + kConfig, "show | compare\n"},
         {"show | compare\r\n+ x;\r\n" + kConfig, "commit\n"},
         {"commit\r\ncommit complete\r\n" + kConfig, "exit\n"},
         {"exit\r\nExiting configuration mode\r\n" + kUser, "exit\n"}})
      .run_in_pieces([](Dialogue& dialogue) {
        EXPECT_EQ(
            outputs(dialogue),
            "configure 'ann@mx1# set x\n\n' | commit check 'configuration check succeeds\n\n' "
            "| show | compare '+ x;\n\n' | commit 'commit complete\n\n'");
      });
}

TEST(Commit, ADryRunForgetsWhatWasTyped) {
  Scenario scenario =
      junos({{"set x\r\n" + kConfig, "commit check\n"},
             {"commit check\r\nconfiguration check succeeds\r\n" + kConfig, "show | compare\n"},
             {"show | compare\r\n+ x;\r\n" + kConfig, "rollback 0\n"},
             {"rollback 0\r\nload complete\r\n" + kConfig, "exit\n"},
             {"exit\r\nExiting configuration mode\r\n" + kUser, "exit\n"}});
  scenario.options.configuration.dry_run = true;
  scenario.run_in_pieces([](Dialogue& dialogue) {
    EXPECT_THAT(outputs(dialogue), HasSubstr("| show | compare '+ x;\n\n' | rollback 0 'load"));
  });
}

TEST(Commit, ARefusedLineIsForgottenWithTheOthers) {
  junos({{"set x\r\n        ^\r\nsyntax error.\r\n" + kConfig, "rollback 0\n"},
         {"rollback 0\r\nload complete\r\n" + kConfig, "exit\n"},
         {"exit\r\nThere are uncommitted changes? [yes,no] ", "yes\n"},
         {"yes\r\n" + kUser, "exit\n"}})
      .run_in_pieces([](Dialogue& dialogue) {
        EXPECT_EQ(outputs(dialogue),
                  "configure failed: line 1 of 1 'set x': refused: syntax error. | rollback 0 "
                  "'load complete\n\n'");
      });
}

TEST(Commit, AFailedCheckIsForgotten) {
  junos({{"set x\r\n" + kConfig, "commit check\n"},
         {"commit check\r\n[edit x]\r\n  'y'\r\n    missing\r\nconfiguration check fails\r\n" +
              kConfig,
          "rollback 0\n"},
         {"rollback 0\r\nload complete\r\n" + kConfig, "exit\n"},
         {"exit\r\n" + kUser, "exit\n"}})
      .run_in_pieces([](Dialogue& dialogue) {
        EXPECT_THAT(outputs(dialogue),
                    HasSubstr("commit check failed: nothing says that it worked; "
                              "the last line is \"configuration check fails\""));
      });
}

TEST(Commit, AFailedCommitIsExplainedAndForgotten) {
  junos({{"set x\r\n" + kConfig, "commit check\n"},
         {"commit check\r\nconfiguration check succeeds\r\n" + kConfig, "show | compare\n"},
         {"show | compare\r\n" + kConfig, "commit\n"},
         {"commit\r\nerror: locked\r\n" + kConfig, "show errors\n"},
         {"show errors\r\nby bob\r\n" + kConfig, "rollback 0\n"},
         {"rollback 0\r\nload complete\r\n" + kConfig, "exit\n"},
         {"exit\r\n" + kUser, "exit\n"}})
      .run_in_pieces([](Dialogue& dialogue) {
        EXPECT_THAT(outputs(dialogue), HasSubstr("commit failed: error: locked | show errors 'by "
                                                 "bob\n\n' | rollback 0 'load"));
      });
}

TEST(Commit, ALineMayNotLeaveBeforeTheCommit) {
  Scenario scenario = junos({{"set x\r\n" + kConfig, "exit\n"},
                             {"exit\r\nThere are uncommitted changes? [yes,no] ", "yes\n"},
                             {"yes\r\n" + kUser, "configure\n"},
                             {"configure\r\n" + kConfig, "rollback 0\n"},
                             {"rollback 0\r\nload complete\r\n" + kConfig, "exit\n"},
                             {"exit\r\n" + kUser, "exit\n"}});
  scenario.options.configuration.lines.push_back("exit");
  scenario.run_in_pieces([](Dialogue& dialogue) {
    EXPECT_THAT(outputs(dialogue),
                HasSubstr("line 2 of 2 'exit': it left the configuration before the commit"));
  });
}

Scenario confirmed(std::vector<Scenario::Step> steps) {
  Scenario scenario =
      junos({{"set x\r\n" + kConfig, "commit check\n"},
             {"commit check\r\nconfiguration check succeeds\r\n" + kConfig, "show | compare\n"},
             {"show | compare\r\n+ x;\r\n" + kConfig, "commit confirmed 2\n"},
             {"commit confirmed 2\r\ncommit complete\r\n" + kConfig, "exit\n"},
             {"exit\r\n" + kUser, "show bgp\n"}});
  scenario.options.configuration.confirm_within = Milliseconds(61'000);
  scenario.options.commands = {"show bgp"};
  scenario.steps.insert(scenario.steps.end(), steps.begin(), steps.end());
  return scenario;
}

TEST(Commit, IsConfirmedWhenTheCommandsAreWell) {
  confirmed({{"show bgp\r\nup\r\n" + kUser, "configure\n"},
             {"configure\r\n" + kConfig, "commit\n"},
             {"commit\r\ncommit complete\r\n" + kConfig, "exit\n"},
             {"exit\r\n" + kUser, "exit\n"}})
      .run_in_pieces([](Dialogue& dialogue) {
        EXPECT_THAT(outputs(dialogue), HasSubstr("commit confirmed 2 'commit complete\n\n' | show "
                                                 "bgp 'up\n\n' | commit 'commit complete\n\n'"));
        EXPECT_EQ(dialogue.outputs().back().kind, Kind::kConfirm);
      });
}

TEST(Commit, IsNotConfirmedWhenACommandIsRefused) {
  confirmed({{"show bgp\r\nerror: bgp is not running\r\n" + kUser, "exit\n"}})
      .run_in_pieces([](Dialogue& dialogue) {
        EXPECT_THAT(outputs(dialogue),
                    HasSubstr("commit failed: not confirmed, since 'show bgp' was refused: error: "
                              "bgp is not running; the device takes the configuration back within "
                              "61s"));
      });
}

TEST(Commit, FollowsANewHostName) {
  Scenario scenario =
      junos({{"set x\r\n" + kConfig, "set system host-name mx2\n"},
             {"set system host-name mx2\r\n" + kConfig, "commit check\n"},
             {"commit check\r\nconfiguration check succeeds\r\n" + kConfig, "show | compare\n"},
             {"show | compare\r\n" + kConfig, "commit\n"},
             {"commit\r\ncommit complete\r\n\r\n[edit]\r\nann@mx2# ", "exit\n"},
             {"exit\r\n\r\nann@mx2> ", "exit\n"}});
  scenario.options.configuration.lines.push_back("set system host-name mx2");
  scenario.run_in_pieces([](Dialogue& dialogue) {
    EXPECT_THAT(outputs(dialogue), HasSubstr("commit 'commit complete\n\n'"));
  });
}

TEST(Commit, LeavesTheConfigurationWhereNoWayLeadsBackToTheLogin) {
  std::string platform = kJunos;
  platform.replace(platform.find("context_lines"), 0,
                   "  - {name: shell, prompt: '^\\w+@\\w+%$'}\n");
  platform.replace(platform.find("  - {from: user, to: config"), 0,
                   "  - {from: shell, to: user, command: cli}\n");
  Scenario scenario{
      platform,
      {},
      {{"root@mx1%", "set cli screen-length 0\n"},
       {"set cli screen-length 0\r\nroot@mx1%", "cli\n"},
       {"cli\r\nroot@mx1>", "configure\n"},
       {"configure\r\nroot@mx1#", "set x\n"},
       {"set x\r\nroot@mx1#", "commit check\n"},
       {"commit check\r\nconfiguration check succeeds\r\nroot@mx1#", "show | compare\n"},
       {"show | compare\r\nroot@mx1#", "commit\n"},
       {"commit\r\ncommit complete\r\nroot@mx1#", "exit\n"},
       {"exit\r\nroot@mx1>", "exit\n"}}};
  scenario.options.configuration.lines = {"set x"};
  scenario.run_in_pieces([](Dialogue& dialogue) {
    EXPECT_THAT(outputs(dialogue), HasSubstr("commit 'commit complete\n'"));
  });
}

}  // namespace
}  // namespace netfleet

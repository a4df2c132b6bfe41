#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/devsim/cli.h"
#include "tests/devsim/command_output.h"
#include "tests/devsim/device.h"

namespace netfleet::devsim {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

TEST(Selector, PicksNumbersRangesAndShares) {
  const auto selector = Selector::parse("3,5-7");
  ASSERT_TRUE(selector);
  std::vector<std::size_t> picked;
  for (std::size_t number = 1; number <= 10; ++number) {
    if (selector->matches(number)) picked.push_back(number);
  }
  EXPECT_THAT(picked, ElementsAre(3, 5, 6, 7));
  for (const std::size_t percent : {1u, 10u, 33u, 100u}) {
    const auto share = Selector::parse(std::to_string(percent) + "%");
    ASSERT_TRUE(share);
    std::size_t count = 0;
    for (std::size_t number = 1; number <= 1000; ++number) count += share->matches(number) ? 1 : 0;
    EXPECT_EQ(count, percent * 10);
  }
}

TEST(Selector, RefusesWhatPicksNothing) {
  for (const char* text : {"", "0", "7-5", "0%", "101%", "x", "1,", "-3"}) {
    EXPECT_FALSE(Selector::parse(text)) << text;
  }
}

TEST(FaultRule, NamesTheFaultAndItsDevices) {
  const auto rule = parse_fault_rule("drop-auth:5-7");
  ASSERT_TRUE(rule);
  EXPECT_EQ(rule->fault, Fault::kCloseAtAuth);
  EXPECT_TRUE(rule->selector.matches(6));
  EXPECT_FALSE(parse_fault_rule("silent"));
  EXPECT_THAT(parse_fault_rule("sulent:1").error().message, HasSubstr("silent"));
}

TEST(Endpoints, AreRangesOfAddressesAndPorts) {
  const auto endpoints = parse_endpoints("127.0.1.255-127.0.2.0:22-23");
  ASSERT_TRUE(endpoints);
  std::vector<std::string> texts;
  for (const Endpoint endpoint : *endpoints) texts.push_back(format_endpoint(endpoint));
  EXPECT_THAT(texts,
              ElementsAre("127.0.1.255:22", "127.0.1.255:23", "127.0.2.0:22", "127.0.2.0:23"));
  for (const char* text :
       {"", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "127.0.0.2-127.0.0.1:22",
        "127.0.0.1:23-22", "0.0.0.0-255.255.255.255:1-65535", "name:22"}) {
    EXPECT_FALSE(parse_endpoints(text)) << text;
  }
}

TEST(CommandOutput, IsAsLongAsPromised) {
  const auto lines = [](std::string_view text) { return std::ranges::count(text, '\n'); };
  const std::string version = ios_output("R1", "show version", 3).text;
  EXPECT_EQ(lines(version), 40);
  EXPECT_THAT(version, HasSubstr("Cisco IOS Software"));
  EXPECT_THAT(version, HasSubstr("R1 uptime"));
  EXPECT_EQ(lines(ios_output("R1", "sh run", 3).text), 500);
  EXPECT_EQ(ios_output("R1", "show tech 100", 3).text.size(), 100u * 1024);
  EXPECT_EQ(ios_output("a-name-of-more-than-64-bytes-would-break-the-lines-of-show-tech-n",
                       "show tech 1", 3)
                .text.size(),
            1024u);
}

TEST(CommandOutput, MarksTheWrongWord) {
  EXPECT_THAT(ios_output("R1", "shw version", 3).text, StartsWith("   ^\n% Invalid input"));
  EXPECT_THAT(ios_output("R1", "show vresion", 3).text, StartsWith("        ^\n% Invalid input"));
  EXPECT_FALSE(ios_output("R1", "shw version", 3).known);
  EXPECT_EQ(ios_output("R1", "show", 3).text, "% Incomplete command.\n\n");
}

class CliTest : public testing::Test {
 protected:
  Cli make() { return Cli(device_, options_, columns_, rows_); }

  // Types it and lets every command run at once.
  static std::string say(Cli& cli, std::string_view typed) {
    EXPECT_TRUE(cli.receive(typed));
    std::string output;
    while (true) {
      const std::string some = cli.take(7);
      output += some;
      if (!some.empty()) continue;
      if (!cli.waiting()) return output;
      cli.release();
    }
  }

  void fault(Fault fault) { device_.faults.add(fault); }

  Device device_ = [] {
    Device device;
    device.name = "R1";
    return device;
  }();
  CliOptions options_;
  std::size_t columns_ = 0;
  std::size_t rows_ = 0;
};

TEST_F(CliTest, EchoesRunsAndPrompts) {
  Cli cli = make();
  EXPECT_EQ(say(cli, ""), "R1#");
  EXPECT_EQ(say(cli, "show clock\r\n"), "show clock\r\n*10:25:41.123 UTC Sat Nov 22 2025\r\nR1#");
  EXPECT_EQ(say(cli, "\n  \n"), "\r\nR1#  \r\nR1#");
  EXPECT_EQ(say(cli, "shox\bw\x15\x03"), "shox\b \bw\b \b\b \b\b \b\b \b^C\r\nR1#");
  EXPECT_EQ(say(cli, "exit\n"), "exit\r\n");
  EXPECT_EQ(cli.end(), Cli::End::kLogout);
  EXPECT_THAT(cli.take_commands(), ElementsAre("show clock", "exit"));
}

TEST_F(CliTest, HoldsACommandUntilItIsReleased) {
  Cli cli = make();
  say(cli, "");
  ASSERT_TRUE(cli.receive("show clock\rshow clock\r"));
  EXPECT_EQ(cli.take(1000), "show clock\r\n");
  EXPECT_TRUE(cli.waiting());
  EXPECT_EQ(cli.take(1000), "");
  cli.release();
  EXPECT_THAT(cli.take(1000), EndsWith("R1#show clock\r\n"));
}

TEST_F(CliTest, AsksForTheEnablePasswordWithoutEcho) {
  options_.privilege = 1;
  options_.enable_password = "secret";
  Cli cli = make();
  EXPECT_EQ(say(cli, "enable\rwrong\rsecret\r"), "R1>enable\r\nPassword: \r\nPassword: \r\nR1#");
  EXPECT_EQ(
      say(cli, "disable\ren\ra\rb\rc\r"),
      "disable\r\nR1>en\r\nPassword: \r\nPassword: \r\nPassword: \r\n% Bad secrets\r\n\r\nR1>");
  EXPECT_THAT(cli.take_commands(), ElementsAre("enable", "disable", "en"));
}

TEST_F(CliTest, CutsTheNameInConfigurationMode) {
  device_.name = "a-name-longer-than-20-characters";
  Cli cli = make();
  say(cli, "");
  EXPECT_THAT(say(cli, "conf t\r"), EndsWith("CNTL/Z.\r\na-name-longer-than-2(config)#"));
  EXPECT_THAT(say(cli, "int g0/1\r"), EndsWith("a-name-longer-than-2(config-if)#"));
  EXPECT_THAT(say(cli, "description x\r"), EndsWith("a-name-longer-than-2(config-if)#"));
  EXPECT_THAT(say(cli, "exit\r"), EndsWith("a-name-longer-than-2(config)#"));
  EXPECT_THAT(say(cli, "end\r"), EndsWith("\na-name-longer-than-20-characters#"));
}

TEST_F(CliTest, ShowsPages) {
  rows_ = 24;
  Cli cli = make();
  say(cli, "");
  const std::string first = say(cli, "show version\r");
  EXPECT_THAT(first, EndsWith("\r\n --More-- "));
  EXPECT_EQ(std::ranges::count(first, '\n'), 1 + 23);
  const std::string one_line = say(cli, "\r");
  EXPECT_THAT(one_line, StartsWith("\b\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\b\b"));
  EXPECT_THAT(one_line, EndsWith("\r\n --More-- "));
  EXPECT_EQ(std::ranges::count(one_line, '\n'), 1);
  EXPECT_THAT(say(cli, " "), EndsWith("0xF\r\nR1#"));
  say(cli, "show version\r");
  EXPECT_EQ(say(cli, "q").substr(26), "R1#");
  say(cli, "terminal length 0\r");
  EXPECT_THAT(say(cli, "show running-config\r"), EndsWith("\r\nend\r\nR1#"));
}

TEST_F(CliTest, AsksQuestions) {
  Cli cli = make();
  say(cli, "");
  EXPECT_THAT(say(cli, "copy run start\r"), EndsWith("Destination filename [startup-config]? "));
  EXPECT_THAT(say(cli, "\r"), EndsWith("[OK]\r\nR1#"));
  EXPECT_THAT(say(cli, "clear counters\r"), EndsWith("[confirm]"));
  EXPECT_EQ(say(cli, "y"), "\r\nR1#");
}

TEST_F(CliTest, RedrawsALineThatReachesTheMargin) {
  columns_ = 40;
  Cli cli = make();
  say(cli, "");
  const std::string line = "description " + std::string(60, 'x') + "END";
  const std::string echoed = say(cli, line);
  // Replayed on one row, the cursor never leaves the 40 columns and the line's end is shown.
  std::string row(40, ' ');
  std::size_t column = 3;
  for (const char byte : echoed) {
    if (byte == '\b') {
      ASSERT_GT(column, 3u);
      --column;
    } else {
      ASSERT_LT(column, 40u);
      row[column++] = byte;
    }
  }
  EXPECT_THAT(row.substr(0, column), EndsWith("xEND"));
  EXPECT_EQ(row[3], '$');
}

TEST_F(CliTest, WrapsAsReadlineDoes) {
  device_.platform = Platform::kLinux;
  columns_ = 20;
  Cli cli = make();
  EXPECT_EQ(say(cli, ""), "admin@R1:~$ ");
  EXPECT_EQ(say(cli, "echo 12345\r"), "echo 123 \r45\r\n12345\r\nadmin@R1:~$ ");
}

TEST_F(CliTest, StrikesInTheMiddleOfTheFirstOutput) {
  fault(Fault::kCloseAtCommand);
  Cli cli = make();
  say(cli, "terminal length 0\r");
  const std::string whole = ios_output("R1", "show version", 3).text;
  const std::string part = say(cli, "show version\r");
  EXPECT_GT(part.size(), whole.size() / 2);
  EXPECT_LT(part.size(), whole.size());
  EXPECT_EQ(cli.end(), Cli::End::kDrop);
  EXPECT_EQ(say(cli, "exit\r"), "");
}

TEST_F(CliTest, FloodsForEver) {
  fault(Fault::kFlood);
  Cli cli = make();
  ASSERT_TRUE(cli.receive("show clock\r"));
  cli.take(1000);
  cli.release();
  for (int count = 0; count < 100; ++count) ASSERT_EQ(cli.take(32768).size(), 32768u);
}

TEST_F(CliTest, BoundsWhatIsTypedAhead) {
  Cli cli = make();
  EXPECT_TRUE(cli.receive(std::string(60'000, 'x')));
  EXPECT_FALSE(cli.receive(std::string(60'000, 'x')));
}

TEST_F(CliTest, ColoursTheLinuxPrompt) {
  device_.platform = Platform::kLinux;
  options_.colour = true;
  Cli cli = make();
  EXPECT_THAT(say(cli, ""), StartsWith("\x1B[?2004h\x1B]0;"));
  EXPECT_THAT(say(cli, "hostname\n"), StartsWith("hostname\r\n\x1B[?2004l\rR1\r\n\x1B[?2004h"));
}

TEST_F(CliTest, ABannerIsTypedWithoutPrompts) {
  Cli cli = make();
  say(cli, "configure terminal\r");
  EXPECT_EQ(say(cli, "banner motd ^\r"),
            "banner motd ^\r\nEnter TEXT message.  End with the character '^'.\r\n");
  EXPECT_EQ(say(cli, "exit\r\r"), "exit\r\n\r\n");
  EXPECT_EQ(say(cli, "end ^\r"), "end ^\r\nR1(config)#");
  EXPECT_EQ(say(cli, "hostname R2\r"), "hostname R2\r\nR2(config)#");
}

TEST_F(CliTest, JunosCommitsWhatWasSet) {
  device_.platform = Platform::kJuniperJunos;
  Cli cli = make();
  EXPECT_EQ(say(cli, ""), "admin@R1> ");
  EXPECT_THAT(say(cli, "configure\r"), EndsWith("\r\n[edit]\r\nadmin@R1# "));
  EXPECT_THAT(say(cli, "set system invalid\r"), HasSubstr("syntax error."));
  say(cli, "set system host-name R2\r");
  EXPECT_THAT(say(cli, "show | compare\r"), HasSubstr("+  system host-name R2;"));
  say(cli, "set system missing x\r");
  EXPECT_THAT(say(cli, "commit\r"), HasSubstr("error: configuration check-out failed"));
  EXPECT_THAT(say(cli, "exit\r"), EndsWith("[yes,no] (yes) "));
  EXPECT_THAT(say(cli, "no\r"), EndsWith("[edit]\r\nadmin@R1# "));
  EXPECT_THAT(say(cli, "rollback 0\r"), HasSubstr("load complete"));
  say(cli, "set system host-name R2\r");
  EXPECT_THAT(say(cli, "commit check\r"), HasSubstr("configuration check succeeds"));
  EXPECT_THAT(say(cli, "commit confirmed 5\r"), EndsWith("\r\n[edit]\r\nadmin@R2# "));
  EXPECT_THAT(say(cli, "exit\r"), EndsWith("admin@R2> "));
}

}  // namespace
}  // namespace netfleet::devsim

// `netfleet check` and `netfleet platforms`: what they take, and what check finds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "dispatcher/cli/check_verb.h"
#include "dispatcher/cli/options.h"

namespace netfleet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Expected<CommandLine> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "netfleet");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data(), "me");
}

class Check : public testing::Test {
 protected:
  // A file of this test.
  std::string file(const std::string& name, const std::string& text) {
    std::string path = testing::TempDir() +
                       testing::UnitTest::GetInstance()->current_test_info()->name() + "-" + name;
    std::ofstream(path) << text;
    return path;
  }
  CheckFindings check() {
    WorkerSide side;
    side.check_platforms = [this](const std::string& directory,
                                  const std::vector<std::string>& names) -> Expected<void> {
      if (directory == "broken") return fail("broken/a.yaml:1: x\nbroken/b.yaml:2: y");
      asked_.insert(asked_.end(), names.begin(), names.end());
      for (const std::string& name : names) {
        if (name == "cisco_iox") return fail("no platform is named 'cisco_iox'");
      }
      return {};
    };
    return check_files(options_, side);
  }
  CheckOptions options_;
  std::vector<std::string> asked_;
};

TEST_F(Check, CountsTheHosts) {
  options_.inventories = {file("inventory.csv",
                               "name,platform,region,groups\n"
                               "a,cisco_ios,eu,edge\n"
                               "b,cisco_ios,us,edge;core\n"
                               "c,,,\n")};
  const CheckFindings findings = check();
  EXPECT_THAT(findings.problems, IsEmpty());
  EXPECT_EQ(findings.report,
            "       3  hosts\n"
            "       1  platform auto\n"
            "       2  platform cisco_ios\n"
            "       1  region eu\n"
            "       1  region us\n"
            "       1  group core\n"
            "       2  group edge\n"
            "nothing is wrong\n");
}

TEST_F(Check, CountsTheHostsBehindJumpHostsAndTellsWhatIsWrongWithThem) {
  options_.inventories = {file("jumps.yaml",
                               "hosts:\n  a: {jump: [[x, 'y,z'], y]}\n  b: {jump: none}\n  c:\n"
                               "defaults: {jump: x}\n"
                               "jumps: {x: , y: , z: {sessions: 5}}\n")};
  EXPECT_EQ(check().report,
            "       3  hosts\n       3  platform auto\n"
            "       1  behind x\n       1  behind x or y,z, else y\nnothing is wrong\n");
  options_.inventories = {file("wrong.yaml",
                               "hosts:\n  a: {jump: bastoin}\n"
                               "jumps:\n  bastion: {via: other}\n")};
  EXPECT_THAT(check().problems,
              ElementsAre(AllOf(HasSubstr("wrong.yaml:2: unknown jump host 'bastoin', did you"),
                                HasSubstr("wrong.yaml:4: unknown jump host 'other'"))));
}

TEST_F(Check, CountsTheHostsOfALimit) {
  options_.inventories = {file("hosts.txt", "a cisco_ios\nb linux\n")};
  options_.limits = {"platform:linux"};
  EXPECT_EQ(check().report, "       1  host\n       1  platform linux\nnothing is wrong\n");
  EXPECT_THAT(asked_, ElementsAre("linux"));
}

TEST_F(Check, TellsAllThatIsWrong) {
  const std::string bad = file("bad.txt", "a\nb:99x\nc:0\n");
  const std::string good = file("good.txt", "x cisco_ios\ny cisco_iox\nz cisco_iox\n");
  options_.inventories = {bad, good, "/no/such/file"};
  options_.commands_file = file("commands", "show a\nshow \x01\n");
  options_.config_files = {file("empty.cfg", "\n"), file("ntp.cfg", "ntp server 10.0.0.1\n")};
  const CheckFindings findings = check();
  ASSERT_EQ(findings.problems.size(), 5u);
  EXPECT_THAT(findings.problems[0], HasSubstr(bad + ":2: '99x' is no port"));
  EXPECT_THAT(findings.problems[0], HasSubstr("\n" + bad + ":3: "));
  EXPECT_THAT(findings.problems[1], HasSubstr("/no/such/file"));
  EXPECT_EQ(findings.problems[2], "host y and 1 more: no platform is named 'cisco_iox'");
  EXPECT_THAT(findings.problems[3], HasSubstr("commands:2: "));
  EXPECT_THAT(findings.problems[4], HasSubstr("no configuration in "));
  EXPECT_THAT(findings.report, HasSubstr("       3  hosts\n"));
  EXPECT_THAT(findings.report, HasSubstr("ntp.cfg\n"));
  EXPECT_THAT(findings.report, testing::Not(HasSubstr("nothing is wrong")));
}

// Platforms that cannot be read are no reason to call every host's unknown.
TEST_F(Check, TellsOfBrokenPlatformFilesOnce) {
  options_.platform_dir = "broken";
  options_.inventories = {file("hosts.txt", "a cisco_iox\n")};
  EXPECT_THAT(check().problems, ElementsAre("broken/a.yaml:1: x\nbroken/b.yaml:2: y"));
  EXPECT_THAT(asked_, IsEmpty());
}

TEST_F(Check, TellsOfUndefinedLimits) {
  options_.inventories = {file("hosts.csv", "name,limits\na,slow\n")};
  const CheckFindings findings = check();
  ASSERT_EQ(findings.problems.size(), 1u);
  EXPECT_THAT(findings.problems[0], HasSubstr("slow"));
}

TEST(CheckOptions, AreTaken) {
  const auto parsed = parse({"check", "-i", "a", "-i", "b", "-l", "x", "--commands-file", "c",
                             "--config-file", "d", "--platform-dir", "e"});
  ASSERT_TRUE(parsed) << parsed.error().message;
  const auto& options = std::get<CheckOptions>(*parsed);
  EXPECT_THAT(options.inventories, ElementsAre("a", "b"));
  EXPECT_THAT(options.limits, ElementsAre("x"));
  EXPECT_EQ(options.commands_file, "c");
  EXPECT_THAT(options.config_files, ElementsAre("d"));
  EXPECT_EQ(options.platform_dir, "e");
}

TEST(CheckOptions, NeedSomethingToCheck) {
  EXPECT_THAT(parse({"check"}).error().message, HasSubstr("nothing to check"));
  EXPECT_THAT(parse({"check", "-l", "x", "--commands-file", "c"}).error().message,
              HasSubstr("--limit needs -i"));
  EXPECT_THAT(parse({"check", "-i", "-", "-i", "-"}).error().message, HasSubstr("only once"));
}

TEST(PlatformsOptions, AreTaken) {
  const auto parsed = parse({"platforms", "junos", "-o", "jsonl", "--platform-dir", "d"});
  ASSERT_TRUE(parsed) << parsed.error().message;
  const auto& options = std::get<PlatformsOptions>(*parsed);
  EXPECT_EQ(options.name, "junos");
  EXPECT_TRUE(options.jsonl);
  EXPECT_EQ(options.platform_dir, "d");
  EXPECT_THAT(parse({"platforms", "-o", "xml"}).error().message,
              HasSubstr("'xml' is not one of text, jsonl"));
}

}  // namespace
}  // namespace netfleet

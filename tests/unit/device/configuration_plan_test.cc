#include "worker/device/configuration_plan.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "worker/device/dialogue.h"
#include "worker/device/platform_reader.h"

namespace netfleet {
namespace {

using testing::HasSubstr;

Platform platform(const std::string& more) {
  return *parse_platform("name: box\nmodes: [{name: any, prompt: '#$'}]\n" + more, "box.yaml");
}

const char* const kBlocks = R"(
configure:
  blocks:
    - begin: '^\s*banner \w+ (\S)'
    - {begin: '^ certificate ', end: '^\s*quit$'}
    - {begin: '^banner login$', end: '^EOF$'}
)";

// "0+3 4" for a block of three lines and a line; or the error.
std::string parts(std::vector<std::string> lines) {
  Configuration configuration;
  configuration.lines = std::move(lines);
  const auto plan = plan_configuration(platform(kBlocks), configuration);
  if (!plan) return plan.error().message;
  std::string result;
  for (const auto& part : plan->parts) {
    if (!result.empty()) result += ' ';
    result += part.count == 1 ? fmt::format("{}", part.first)
                              : fmt::format("{}+{}", part.first, part.count);
  }
  return result;
}

TEST(ConfigurationPlan, KnowsBlocksByTheirDelimiterOrTheirEnd) {
  EXPECT_EQ(parts({"a", "", " ", "b"}), "0 3");
  EXPECT_EQ(parts({"banner motd ^", "", "text", "^", "b"}), "0+4 4");
  EXPECT_EQ(parts({"banner motd ^C one", "two ^C", "b"}), "0+2 2");
  EXPECT_EQ(parts({"banner motd #one#", "b"}), "0 1");
  EXPECT_EQ(parts({" certificate self-signed 01", "  0A0B", "  \tquit", "b"}), "0+3 3");
  EXPECT_EQ(parts({"banner login", "EOF?", "EOF"}), "0+3");
  EXPECT_THAT(parts({"a", "banner motd ^", "b"}), HasSubstr("line 2 of 3 'banner motd ^'"));
  EXPECT_THAT(parts({" certificate x", "0A"}), HasSubstr("has no end"));
}

std::string commit(const std::string& confirmed, std::int64_t milliseconds) {
  Configuration configuration;
  configuration.lines = {"x"};
  configuration.confirm_within = Milliseconds(milliseconds);
  const auto plan = plan_configuration(
      platform("configure:\n  commit: {command: commit, abort: abort, confirm: yes, confirmed: '" +
               confirmed + "'}\n"),
      configuration);
  return plan ? plan->commit + "; " + plan->confirm : plan.error().message;
}

TEST(ConfigurationPlan, FillsInTheTimeRoundedUp) {
  EXPECT_EQ(commit("c {minutes}", 60'000), "c 1; yes");
  EXPECT_EQ(commit("c {minutes}", 60'001), "c 2; yes");
  EXPECT_EQ(commit("c {minutes}", 1), "c 1; yes");
  EXPECT_EQ(commit("c {seconds}", 90'500), "c 91; yes");
  EXPECT_EQ(commit("c {hh:mm:ss} x", 3'723'000), "c 01:02:03 x; yes");
  EXPECT_THAT(commit("c {seconds}", 0), HasSubstr("does not fit"));
  EXPECT_THAT(commit("c {seconds}", 1'000'000'000), HasSubstr("does not fit"));
}

TEST(ConfigurationPlan, SaysWhatThePlatformCannotDo) {
  Configuration configuration;
  configuration.save = true;
  EXPECT_THAT(plan_configuration(platform(""), configuration).error().message,
              HasSubstr("nothing to save with"));
  configuration = {};
  configuration.lines = {"x"};
  EXPECT_THAT(plan_configuration(platform(""), configuration).error().message,
              HasSubstr("cannot be configured"));
  configuration.confirm_within = Milliseconds(60'000);
  EXPECT_THAT(plan_configuration(platform("configure: {}"), configuration).error().message,
              HasSubstr("no confirmed commit"));
  // What commits needs no save, and can check without changing anything.
  const Platform commits = platform("configure:\n  commit: {command: commit, abort: abort}\n");
  configuration = {};
  configuration.lines = {"x"};
  configuration.save = configuration.dry_run = true;
  EXPECT_FALSE(plan_configuration(commits, configuration)->rehearsed);
  const Platform saves = platform("configure: {}\nsave: {command: s}");
  EXPECT_TRUE(plan_configuration(saves, configuration)->rehearsed);
  EXPECT_EQ(Dialogue::output_without_device(saves, configuration)->text, "x\ns\n");
}

}  // namespace
}  // namespace netfleet

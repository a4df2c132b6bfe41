#include <gmock/gmock.h>

#include "dispatcher/inventory/glob.h"
#include "dispatcher/inventory/inventory.h"

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Host host(std::string name, std::vector<std::string> groups, std::string region,
          std::string platform, std::map<std::string, std::string> data) {
  Host result;
  result.name = result.address = std::move(name);
  result.groups = std::move(groups);
  result.region = std::move(region);
  result.platform = std::move(platform);
  result.data = std::move(data);
  return result;
}

std::vector<Host> hosts() {
  return {host("edge-1", {"edge", "eu"}, "eu", "cisco_ios", {{"site.city", "Berlin"}}),
          host("edge-2", {"edge"}, "us", "arista_eos", {{"site.city", "New York"}}),
          host("core-1", {"core", "eu"}, "eu", "juniper_junos",
               {{"roles.0", "p"}, {"roles.1", "pe"}, {"roles.1x", "no"}}),
          host("[::1]:22", {}, "", "", {}), host("and", {"not"}, "", "", {{"empty", ""}})};
}

std::vector<std::string> selected(const std::string& expression) {
  const auto result = select_hosts(hosts(), expression);
  EXPECT_TRUE(result) << result.error().message;
  std::vector<std::string> names;
  if (result) {
    for (const Host& one : *result) names.push_back(one.name.str());
  }
  return names;
}

std::string error_of(const std::string& expression) {
  const auto result = select_hosts(hosts(), expression);
  return result ? "no error" : result.error().message;
}

TEST(Select, NamesAndGlobsInInventoryOrder) {
  EXPECT_THAT(selected("edge-1"), ElementsAre("edge-1"));
  EXPECT_THAT(selected("core-1,edge-1"), ElementsAre("edge-1", "core-1"));
  EXPECT_THAT(selected("edge-*"), ElementsAre("edge-1", "edge-2"));
  EXPECT_THAT(selected("*-[12]"), ElementsAre("edge-1", "edge-2", "core-1"));
  EXPECT_THAT(selected("nothing-*"), IsEmpty());
  EXPECT_THAT(selected("[::1]:22"), ElementsAre("[::1]:22"));
}

TEST(Select, GroupsRegionsPlatformsAndData) {
  EXPECT_THAT(selected("group:eu"), ElementsAre("edge-1", "core-1"));
  EXPECT_THAT(selected("group:e*"), ElementsAre("edge-1", "edge-2", "core-1"));
  EXPECT_THAT(selected("region:us"), ElementsAre("edge-2"));
  EXPECT_THAT(selected("region:mars"), IsEmpty());
  EXPECT_THAT(selected("platform:*junos"), ElementsAre("core-1"));
  EXPECT_THAT(selected("data.site.city:Berlin"), ElementsAre("edge-1"));
  EXPECT_THAT(selected("data.site.city:'New York'"), ElementsAre("edge-2"));
  EXPECT_THAT(selected("data.site.city:*"), ElementsAre("edge-1", "edge-2"));
  EXPECT_THAT(selected("data.roles:pe"), ElementsAre("core-1"));
  EXPECT_THAT(selected("data.roles:no"), IsEmpty());
  EXPECT_THAT(selected("data.empty:\"\""), ElementsAre("and"));
}

TEST(Select, AndOrNotAndParentheses) {
  EXPECT_THAT(selected("region:eu and group:edge"), ElementsAre("edge-1"));
  EXPECT_THAT(selected("region:eu and not group:edge"), ElementsAre("core-1"));
  EXPECT_THAT(selected("region:us or region:eu and group:core"), ElementsAre("edge-2", "core-1"));
  EXPECT_THAT(selected("(region:us OR region:eu) AND group:edge"), ElementsAre("edge-1", "edge-2"));
  EXPECT_THAT(selected("edge-1 core-1 edge-* and region:us"),
              ElementsAre("edge-1", "edge-2", "core-1"));
  EXPECT_THAT(selected("not(edge-1,edge-2)and not not group:core"), ElementsAre("core-1"));
}

TEST(Select, QuotesTakeWordsAsTheyAre) {
  EXPECT_THAT(selected("'and'"), ElementsAre("and"));
  EXPECT_THAT(selected("group:'not'"), ElementsAre("and"));
  EXPECT_THAT(error_of("'edge-*'"), HasSubstr("no host is called 'edge-*'"));
  EXPECT_THAT(error_of("'region:eu'"), HasSubstr("no host is called 'region:eu'"));
  EXPECT_THAT(selected("'edge-'*"), ElementsAre("edge-1", "edge-2"));
}

TEST(Select, UnknownNamesAreErrorsWithNearOnes) {
  EXPECT_EQ(error_of("egde-1"), "limit: no host is called 'egde-1'; did you mean 'edge-1'?");
  EXPECT_EQ(error_of("edge-3"),
            "limit: no host is called 'edge-3'; did you mean 'edge-1' or 'edge-2'?");
  EXPECT_EQ(error_of("not group:cor"), "limit: no group is called 'cor'; did you mean 'core'?");
  EXPECT_EQ(error_of("core"),
            "limit: no host is called 'core'; there is a group: write group:core");
  EXPECT_EQ(error_of("xxxxxxxxxx,group:yyyyyyyyy"),
            "limit: no host is called 'xxxxxxxxxx'\nlimit: no group is called 'yyyyyyyyy'");
}

struct Bad {
  const char* expression;
  const char* message;
};
class SelectBad : public ::testing::TestWithParam<Bad> {};

TEST_P(SelectBad, IsRefusedWithTheReason) {
  EXPECT_EQ(error_of(GetParam().expression),
            "limit '" + std::string(GetParam().expression) + "': " + GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Expressions, SelectBad,
    ::testing::Values(
        Bad{"", "it is empty"}, Bad{"  ", "it is empty"}, Bad{"(edge-1", "a '(' is never closed"},
        Bad{"edge-1)", "unexpected ')'"}, Bad{"edge-1 and", "a condition is missing at the end"},
        Bad{"edge-1,", "a condition is missing at the end"},
        Bad{"or edge-1", "a condition is missing before 'or'"},
        Bad{"()", "a condition is missing before ')'"}, Bad{"'edge-1", "a ' is never closed"},
        Bad{"group:", "the value is missing after 'group:'"},
        Bad{"data.:x", "the key is missing after 'data.'"}, Bad{"''", "a host's name is empty"},
        Bad{"edge-*, not edge-1", "before 'not' write 'and' (to leave hosts out) or 'or'"}));

TEST(Select, DepthIsBounded) {
  EXPECT_THAT(error_of(std::string(100'000, '(') + "edge-1"),
              HasSubstr("nested more than 100 deep"));
  std::string nots;
  for (int i = 0; i < 1000; ++i) nots += "not ";
  EXPECT_THAT(error_of(nots + "edge-1"), HasSubstr("nested more than 100 deep"));
}

TEST(Glob, Matches) {
  EXPECT_TRUE(glob_matches("", ""));
  EXPECT_TRUE(glob_matches("*", ""));
  EXPECT_TRUE(glob_matches("a*b*c", "a--b--b-c"));
  EXPECT_FALSE(glob_matches("a*b*c", "a--b--b-"));
  EXPECT_TRUE(glob_matches("?[a-c][!x]", "zby"));
  EXPECT_FALSE(glob_matches("?[a-c][!x]", "zbx"));
  EXPECT_TRUE(glob_matches("[]]", "]"));
  EXPECT_TRUE(glob_matches("[a", "[a"));
  EXPECT_TRUE(glob_matches("\\*", "*"));
  EXPECT_FALSE(glob_matches("\\*", "x"));
  EXPECT_TRUE(glob_matches(glob_escaped("[a]*?\\"), "[a]*?\\"));
  EXPECT_FALSE(glob_matches("a", "ab"));
}

TEST(Glob, ManyStarsDoNotHang) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  EXPECT_FALSE(glob_matches(pattern + "b", std::string(5000, 'a')));
}

}  // namespace
}  // namespace netfleet

#include "worker/device/volatile_mask.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "worker/device/platform.h"

namespace netfleet {
namespace {

std::string masked(std::string_view text, const std::vector<std::string>& expressions) {
  std::vector<Pattern> patterns;
  for (const std::string& expression : expressions) {
    patterns.push_back(*Pattern::compile(expression));
  }
  return mask_volatile(text, patterns);
}

TEST(VolatileMask, PutsAMarkInPlaceOfWhatIsMatched) {
  EXPECT_EQ(masked("sw1 uptime is 3 weeks\nntp clock-period 17\nend\n",
                   {"uptime is .*", "^ntp clock-period \\d+"}),
            "sw1 *\n*\nend\n");
}

TEST(VolatileMask, KeepsLinesAndAMissingLineEnd) {
  EXPECT_EQ(masked("", {"x"}), "");
  EXPECT_EQ(masked("\n\nx", {"x"}), "\n\n*");
  EXPECT_EQ(masked("x\nx\n", {".*\n?.*"}), "*\n*\n");
}

TEST(VolatileMask, TheFirstPatternThatFitsCounts) {
  EXPECT_EQ(masked("a b\n", {"b", "a"}), "a *\n");
  EXPECT_EQ(masked("a b\n", {"", "a"}), "* b\n");  // one that matches nothing masks nothing
}

std::string masked_as(const std::string& platform, std::string_view text) {
  return mask_volatile(text, PlatformSet::builtin().find(platform)->volatile_text);
}

TEST(VolatileMask, KnowsWhatChangesByItselfOnPlatforms) {
  for (const auto& [platform, line] : {
           std::pair("cisco_ios", "! Last configuration change at 07:12:44 UTC Mon Feb 10 2025"),
           std::pair("cisco_ios", "! NVRAM config last updated at 07:12:44 UTC Mon Feb 10 2025"),
           std::pair("cisco_ios", "ntp clock-period 17179869"),
           std::pair("cisco_xe", "Current configuration : 14500 bytes"),
           std::pair("cisco_ios", "*10:25:41.123 UTC Sat Nov 22 2025"),
           std::pair("cisco_nxos", "!Time: Sat Nov 22 10:25:41 2025"),
           std::pair("cisco_xr", "!! Last configuration change at Mon Feb 10 07:12:44 2025 by x"),
           std::pair("juniper_junos", "## Last commit: 2025-11-22 10:25:41 UTC by admin"),
           std::pair("arista_eos", "! Startup-config last modified at Sat Nov 22 10:25:41 2025"),
           std::pair("huawei_vrp", "!Last configuration was saved at 2025-11-22 10:25:41"),
           std::pair("nokia_sros", "# Generated SAT NOV 22 10:25:41 2025 UTC"),
       }) {
    EXPECT_EQ(masked_as(platform, line), "*") << platform << ": " << line;
  }
  EXPECT_EQ(masked_as("cisco_ios", "sw1 uptime is 3 weeks, 2 days"), "sw1*");
  EXPECT_EQ(masked_as("mikrotik_routeros", "# nov/22/2025 10:25:41 by RouterOS 6.48"),
            "* by RouterOS 6.48");
  EXPECT_EQ(masked_as("fortinet", "        set password ENC AK1abc+/="), "        set password *");
  EXPECT_EQ(masked_as("cisco_ios", "interface GigabitEthernet0/1"), "interface GigabitEthernet0/1");
}

}  // namespace
}  // namespace netfleet

#include "worker/device/prompt.h"

#include <gtest/gtest.h>

#include <string>

namespace netfleet {
namespace {

PromptFinder finder(const char* platform, const char* learned = "") {
  PromptFinder result(*PlatformSet::builtin().find(platform));
  result.learn(learned);
  return result;
}

TEST(Prompt, FitsThePlatformsPatterns) {
  const PromptFinder cisco = finder("cisco_ios");
  for (const char* prompt : {"R1>", "R1#", "core-sw.lab>", "R1(config)#", "R1(config-if)#",
                             "R1(ca-trustpoint)#", "R1(tcl)#", "+>", "+>(tcl)#"}) {
    EXPECT_TRUE(cisco.fits(prompt)) << prompt;
  }
  for (const char* line : {"", "####", "a b#", "Password:", "R1", "[OK]", "% Invalid input"}) {
    EXPECT_FALSE(cisco.fits(line)) << line;
  }
  EXPECT_TRUE(finder("linux").fits("user@host:~$ "));
  EXPECT_TRUE(finder("linux").fits("root@host:~# "));
  EXPECT_TRUE(finder("frr_vtysh").fits("frr(config-router)# "));
  EXPECT_FALSE(finder("frr_vtysh").fits("root@host:~# "));
  EXPECT_TRUE(finder("generic").fits("[x@y] #"));
  EXPECT_FALSE(finder("generic").fits("Continue? (y/n)"));
  EXPECT_FALSE(finder("generic").fits(std::string(2000, 'x') + "#"));
}

TEST(Prompt, IsTheLearnedOneOnly) {
  const PromptFinder cisco = finder("cisco_ios", "R1#");
  EXPECT_TRUE(cisco.is_prompt("R1#"));
  for (const char* line : {"R2#", "R1", "R10#", "xR1#", "R1#s", "R1:#", "", "R1##"}) {
    EXPECT_FALSE(cisco.is_prompt(line)) << line;
  }
  EXPECT_FALSE(finder("cisco_ios").is_prompt("R1#"));
}

TEST(Prompt, IsTheSameHostInAnotherMode) {
  const PromptFinder cisco = finder("cisco_ios", "R1#");
  EXPECT_TRUE(cisco.is_prompt("R1>"));
  EXPECT_TRUE(cisco.is_prompt("R1(config)#"));
  EXPECT_TRUE(cisco.is_prompt("R1(config-if)#"));
  EXPECT_FALSE(cisco.is_prompt("R2(config)#"));
  EXPECT_FALSE(cisco.is_prompt("R1(config)# "));
  EXPECT_TRUE(finder("frr_vtysh", "frr# ").is_prompt("frr(config)# "));
  EXPECT_FALSE(finder("frr_vtysh", "frr# ").is_prompt("frr(config)#"));
  EXPECT_TRUE(finder("linux", "user@host:~$ ").is_prompt("user@host:/etc$ "));
  EXPECT_TRUE(finder("linux", "[root@host ~]# ").is_prompt("[root@host etc]# "));
  EXPECT_FALSE(finder("linux", "user@host:~$ ").is_prompt("user@host:/etc cost 5$ "));
}

TEST(Prompt, HasItsHostNameCutInConfigurationMode) {
  const PromptFinder cisco = finder("cisco_ios", "a-very-long-host-name-of-35-chars#");
  EXPECT_TRUE(cisco.is_prompt("a-very-long-host-nam(config)#"));
  EXPECT_FALSE(cisco.is_prompt("a-very-long-host-nam#"));
  EXPECT_FALSE(cisco.is_prompt("a-very(config)#"));
  EXPECT_FALSE(cisco.is_prompt("a-very-long-host-xxx(config)#"));
  // And back, when the session began in configuration mode.
  EXPECT_TRUE(finder("cisco_ios", "a-very-long-host-nam(config)#")
                  .is_prompt("a-very-long-host-name-of-35-chars#"));
}

TEST(Prompt, MayFollowTextWhereThePlatformHasThat) {
  EXPECT_EQ(finder("linux", "netfleet$").find_at_end("abcnetfleet$"), 3u);
  EXPECT_EQ(finder("linux", "netfleet$").find_at_end("netfleet$"), 0u);
  EXPECT_EQ(finder("linux", "$ ").find_at_end("costs 5 $ "), std::nullopt);
  EXPECT_EQ(finder("cisco_ios", "R1#").find_at_end("abcR1#"), std::nullopt);
}

TEST(Prompt, MayHaveLostItsLastBlankWhenItWasLearned) {
  EXPECT_TRUE(finder("generic", "box 1>").is_prompt("box 1> "));
  EXPECT_FALSE(finder("generic", "box 1>").is_prompt("box 1>  "));
  EXPECT_FALSE(finder("generic", "box 1> ").is_prompt("box 1>"));
}

TEST(Prompt, MayCount) {
  PromptFinder extreme = finder("generic", "* sw.9 # ");
  EXPECT_FALSE(extreme.is_prompt("* sw.10 # "));
  extreme.learn_changing_digits();
  EXPECT_TRUE(extreme.is_prompt("* sw.10 # "));
  EXPECT_FALSE(extreme.is_prompt("* sw. # "));
  EXPECT_FALSE(extreme.is_prompt("* sw.10 #"));
}

}  // namespace
}  // namespace netfleet

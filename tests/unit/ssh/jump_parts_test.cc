// The parts of jump hosts that need no server: routes, health.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "worker/ssh/jump_health.h"
#include "worker/ssh/jump_route.h"

namespace netfleet::ssh {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

JumpHosts some_hosts() {
  JumpHosts hosts;
  for (const std::string name : {"a", "b", "core", "loop1", "loop2", "self", "far"}) {
    hosts[name].name = name;
    hosts[name].address = "10.0.0.1";
  }
  hosts["core"].via = "a";
  hosts["loop1"].via = "loop2";
  hosts["loop2"].via = "loop1";
  hosts["self"].via = "self";
  hosts["far"].via = "nowhere";
  std::string previous;
  for (int i = 0; i < 20; ++i) {
    const std::string name = "n" + std::to_string(i);
    hosts[name].name = name;
    hosts[name].via = previous;
    previous = name;
  }
  return hosts;
}

Expected<std::shared_ptr<const JumpRoute>> make(std::string_view text) {
  return make_jump_route(text, some_hosts(), [](const JumpHost&) {
    return Expected<std::shared_ptr<const Identity>>(nullptr);
  });
}

TEST(JumpRoute, HasTiersOfAlternatives) {
  const auto route = make("a|b,core");
  ASSERT_TRUE(route) << route.error().message;
  ASSERT_EQ((*route)->tiers.size(), 2u);
  ASSERT_EQ((*route)->tiers[0].size(), 2u);
  EXPECT_EQ((*route)->tiers[0][1]->chain(), "b");
  EXPECT_EQ((*route)->tiers[1][0]->chain(), "a,core");
  EXPECT_EQ((*route)->tiers[1][0]->via, (*route)->tiers[0][0]);
  EXPECT_NE((*route)->tiers[0][0]->key(), (*route)->tiers[0][1]->key());
}

TEST(JumpRoute, RefusesWhatCannotBe) {
  for (const auto& [text, reason] :
       std::map<std::string, std::string>{{"", "a jump host without a name"},
                                          {"a,,b", "'a,,b': a jump host without a name"},
                                          {"a|", "a jump host without a name"},
                                          {"a|c", "no jump host 'c' is defined"},
                                          {"a>c", "no jump host 'c' is defined"},
                                          {"far", "no jump host 'nowhere'"},
                                          {"self", "jump host 'self': a loop: self -> self"},
                                          {"a>core>a", "a loop: a -> core -> a"},
                                          {"loop1", "a loop: loop1 -> loop2 -> loop1"},
                                          {"n19", "'n19': a chain of more than 16 hops"}}) {
    const auto route = make(text);
    ASSERT_FALSE(route) << text;
    EXPECT_THAT(route.error().message, HasSubstr(reason));
  }
  EXPECT_TRUE(make("n15"));
}

// As with ssh -J: the last ones are reached through those before them, whatever else is their way.
TEST(JumpRoute, AChainGoesBeforeVia) {
  const auto route = make("b>core|core>b,core");
  ASSERT_TRUE(route) << route.error().message;
  EXPECT_EQ((*route)->tiers[0][0]->chain(), "b,core");
  EXPECT_EQ((*route)->tiers[0][1]->chain(), "a,core,b");
  EXPECT_EQ((*route)->tiers[0][1]->via, (*route)->tiers[1][0]);
  EXPECT_NE((*route)->tiers[0][0]->key(), (*route)->tiers[1][0]->key());
}

TEST(JumpRoute, SaysWhichCredentialIsMissing) {
  const auto route = make_jump_route("a", some_hosts(), [](const JumpHost&) {
    return Expected<std::shared_ptr<const Identity>>(fail("no credential 'x'"));
  });
  ASSERT_FALSE(route);
  EXPECT_EQ(route.error().message, "jump host 'a': no credential 'x'");
}

using State = JumpHealth::State;

class JumpHealthTest : public ::testing::Test {
 protected:
  const TimePoint start{1000s};
  JumpLimits limits;
  JumpHealth health{limits};
};

TEST_F(JumpHealthTest, DoublesItsPauses) {
  EXPECT_EQ(health.state(start), State::kUp);
  TimePoint now = start;
  for (const auto pause : {500ms, 1000ms, 2000ms, 4000ms}) {
    EXPECT_FALSE(health.hopeless());
    health.failed(now, 0s, "refused");
    EXPECT_EQ(health.retry_at(), now + pause);
    now = health.retry_at();
  }
  EXPECT_TRUE(health.hopeless());
  for (int i = 0; i < 100; ++i) health.failed(now, 0s, "refused");
  EXPECT_EQ(health.retry_at(), now + limits.longest_pause);
}

TEST_F(JumpHealthTest, IsTrustedAgainAfterItsProof) {
  health.failed(start, 5s, "shown out");
  EXPECT_EQ(health.state(start + 5s), State::kDown);
  EXPECT_EQ(health.retry_at(), start + 5s);
  health.worked(start + 5s);
  EXPECT_EQ(health.state(start + 5s), State::kProving);
  EXPECT_EQ(health.state(start + 5s + limits.proof), State::kUp);
  // Long ago: what comes now is the first failure.
  health.failed(start + 60s, 0s, "lost");
  EXPECT_EQ(health.retry_at(), start + 60s + limits.first_pause);
}

TEST_F(JumpHealthTest, DoesNotForgetWhileItFlaps) {
  health.failed(start, 0s, "lost");
  health.worked(start + 1s);
  health.failed(start + 2s, 0s, "lost");
  EXPECT_EQ(health.retry_at(), start + 2s + 2 * limits.first_pause);
}

TEST_F(JumpHealthTest, NeverComesBackFromARefusal) {
  health.refused("wrong password");
  health.worked(start);
  EXPECT_EQ(health.state(start + 1000s), State::kBarred);
  EXPECT_TRUE(health.hopeless());
}

}  // namespace
}  // namespace netfleet::ssh

#include "worker/device/mode_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "worker/device/platform_reader.h"

namespace netfleet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kPlatform = R"(
name: box
modes:
  - {name: config, prompt: '^A:\S+#$', above: '^\[edit\]$'}
  - {name: privileged, prompt: '^A:\S+#$'}
  - {name: user, prompt: '^A:\S+>$'}
  - {name: shell, prompt: '^\$ $'}
  - {name: island, prompt: '^island$'}
moves:
  - {from: user, to: privileged, command: enable}
  - {from: privileged, to: user, command: disable}
  - {from: privileged, to: config, command: configure}
  - {from: config, to: privileged, command: end}
  - {from: user, to: shell, command: start shell}
  - {from: shell, to: user, command: exit}
  - {from: island, to: user, command: swim}
)";

std::vector<std::string> commands(const std::string& from, const std::string& to) {
  static const Platform platform = *parse_platform(kPlatform, "box.yaml");
  const auto way = find_way(platform, from, to);
  if (!way) return {way.error().message};
  std::vector<std::string> result;
  for (const Platform::Move* move : *way) result.push_back(move->command);
  return result;
}

TEST(ModeGraph, FindsTheShortestWay) {
  EXPECT_THAT(commands("user", "user"), ElementsAre());
  EXPECT_THAT(commands("user", "config"), ElementsAre("enable", "configure"));
  EXPECT_THAT(commands("config", "shell"), ElementsAre("end", "disable", "start shell"));
  EXPECT_THAT(commands("island", "privileged"), ElementsAre("swim", "enable"));
}

TEST(ModeGraph, SaysWhichModesThereAre) {
  EXPECT_THAT(commands("user", "admin"),
              ElementsAre("platform box has no mode \"admin\", only config, privileged, user, "
                          "shell, island"));
  EXPECT_THAT(commands("user", "island"),
              ElementsAre(HasSubstr("no way from mode \"user\" to \"island\"")));
}

TEST(ModeGraph, TellsTheModeByThePromptAndTheLineAbove) {
  const Platform platform = *parse_platform(kPlatform, "box.yaml");
  EXPECT_EQ(find_mode(platform, "A:r1#", "[edit]")->name, "config");
  EXPECT_EQ(find_mode(platform, "A:r1#", "")->name, "privileged");
  EXPECT_EQ(find_mode(platform, "A:r1>", "[edit]")->name, "user");
  EXPECT_EQ(find_mode(platform, "r1>", ""), nullptr);
}

}  // namespace
}  // namespace netfleet

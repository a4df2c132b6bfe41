// The platform files that are built in: their prompts, modes and names hold together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include "tests/unit/device/platform_samples.h"
#include "worker/device/embedded_platforms.h"
#include "worker/device/platform.h"
#include "worker/device/question.h"

namespace netfleet {
namespace {

using testing::AnyOf;
using testing::Contains;
using testing::SizeIs;

std::vector<const Platform*> all() {
  std::vector<const Platform*> platforms;
  for (const std::string& name : PlatformSet::builtin().names()) {
    platforms.push_back(PlatformSet::builtin().find(name));
  }
  return platforms;
}

std::string first_mode(const Platform& platform, const PromptSample& sample) {
  for (const Platform::Mode& mode : platform.modes) {
    if (mode.prompt.matches(sample.prompt) && (!mode.above || mode.above->matches(sample.above))) {
      return mode.name;
    }
  }
  return "none";
}

// The modes that `from` leads to, itself included.
std::set<std::string> reachable(const Platform& platform, const std::string& from) {
  std::set<std::string> modes{from};
  for (bool grew = true; grew;) {
    grew = false;
    for (const Platform::Move& move : platform.moves) {
      grew |= modes.contains(move.from) && modes.insert(move.to).second;
    }
  }
  return modes;
}

// Where a session can begin. The other modes are entered on purpose only.
std::set<std::string> login_modes(const Platform& platform) {
  static const std::map<std::string, std::set<std::string>> kOthers = {
      {"juniper_junos", {"user", "root_shell"}},
      {"nokia_sros", {"md_exec", "classic_exec"}},
      {"nokia_srl", {"running"}},
      {"f5_tmsh", {"tmsh", "bash"}},
      {"generic", {"any"}},
      {"sonic", {"linux", "privileged"}},
  };
  if (const auto found = kOthers.find(platform.name); found != kOthers.end()) return found->second;
  std::set<std::string> modes;
  for (const Platform::Mode& mode : platform.modes) {
    if (mode.name == "user" || mode.name == "privileged") modes.insert(mode.name);
  }
  return modes;
}

std::vector<Platform::Answer> answers_of(const Platform& platform) {
  std::vector<Platform::Answer> all = platform.login;
  const auto add = [&all](const std::vector<Platform::Answer>& some) {
    all.insert(all.end(), some.begin(), some.end());
  };
  add(platform.confirmations);
  add(platform.logout_answers);
  for (const Platform::Move& move : platform.moves) add(move.answers);
  if (platform.save) add(platform.save->answers);
  if (platform.configure && platform.configure->commit) add(platform.configure->commit->answers);
  return all;
}

TEST(PlatformFiles, AreSixtyTwo) {
  EXPECT_THAT(all(), SizeIs(62));
  for (const Platform* platform : all()) EXPECT_NE(platform->title, platform->name);
}

// The build knows these names without reading the images.
TEST(PlatformFiles, AreFoundByTheirNames) {
  const PlatformSet& set = PlatformSet::builtin();
  std::size_t names = 0;
  for (const std::string& name : set.names()) {
    const Platform* const platform = set.find(name);
    EXPECT_EQ(platform->name, name);
    for (const std::string& alias : platform->aliases) {
      EXPECT_EQ(set.find(alias), platform) << alias;
    }
    names += 1 + platform->aliases.size();
  }
  std::size_t embedded = 0;
  for (const EmbeddedPlatform& one : embedded_platforms()) {
    embedded += 1 + static_cast<std::size_t>(std::ranges::count(one.aliases, ' ')) +
                (one.aliases.empty() ? 0 : 1);
  }
  EXPECT_EQ(names, embedded);
}

TEST(PlatformFiles, AreFoundByTheirTransport) {
  const PlatformSet& set = PlatformSet::builtin();
  EXPECT_EQ(set.find("cisco_ios_telnet"), set.find("cisco_ios"));
  EXPECT_EQ(set.find("cisco_ios_serial"), set.find("cisco_ios"));
  EXPECT_EQ(set.find("nxos_ssh"), set.find("cisco_nxos"));
  EXPECT_EQ(set.find("_ssh"), nullptr);
  EXPECT_EQ(set.find("nxos_http"), nullptr);
}

// Sessions ask for platforms from several threads at once.
TEST(PlatformFiles, AreReadOnce) {
  const PlatformSet copy = PlatformSet::builtin();
  const Platform* found[4] = {};
  {
    std::vector<std::jthread> threads;
    for (const Platform*& one : found) {
      threads.emplace_back([&] { one = copy.find("huawei_smartax"); });
    }
  }
  for (const Platform* one : found) EXPECT_EQ(one, PlatformSet::builtin().find("huawei_smartax"));
}

TEST(PlatformFiles, EveryPromptIsItsModes) {
  for (const PromptSample& sample : kPromptSamples) {
    const Platform* const platform = PlatformSet::builtin().find(sample.platform);
    ASSERT_NE(platform, nullptr) << sample.platform;
    EXPECT_EQ(first_mode(*platform, sample), sample.mode)
        << sample.platform << ": " << sample.above << " " << sample.prompt;
  }
}

TEST(PlatformFiles, EveryModeHasASample) {
  for (const Platform* platform : all()) {
    for (const Platform::Mode& mode : platform->modes) {
      EXPECT_THAT(kPromptSamples, Contains(testing::ResultOf(
                                      [&](const PromptSample& sample) {
                                        return sample.platform == platform->name &&
                                               sample.mode == mode.name;
                                      },
                                      true)))
          << platform->name << ": " << mode.name;
    }
  }
}

TEST(PlatformFiles, EveryModeIsReachedWhereThereAreMoves) {
  for (const Platform* platform : all()) {
    if (platform->moves.empty()) continue;
    std::set<std::string> reached;
    for (const std::string& mode : login_modes(*platform)) {
      reached.merge(reachable(*platform, mode));
    }
    EXPECT_THAT(reached, SizeIs(platform->modes.size())) << platform->name;
  }
}

TEST(PlatformFiles, ConfigurationAndSaveAreReachedFromTheLogin) {
  for (const Platform* platform : all()) {
    std::set<std::string> reached;
    for (const std::string& mode : login_modes(*platform)) {
      reached.merge(reachable(*platform, mode));
    }
    if (platform->configure && !platform->configure->mode.empty()) {
      EXPECT_THAT(reached, Contains(platform->configure->mode)) << platform->name;
    }
    if (!platform->save || platform->save->mode.empty()) continue;
    EXPECT_THAT(reached, Contains(platform->save->mode)) << platform->name;
    if (platform->configure && !platform->configure->mode.empty()) {
      EXPECT_THAT(reachable(*platform, platform->configure->mode), Contains(platform->save->mode))
          << platform->name << ": what was configured can be saved";
    }
  }
}

// A secret is typed at a question for one only, and nothing else is typed there but a control key.
TEST(PlatformFiles, SecretsGoToQuestionsForThem) {
  const std::vector<std::string> questions = {"Password:",
                                              "password: ",
                                              "Enter expert password:",
                                              "Enable Password:",
                                              "[sudo] password for admin: ",
                                              "Password for admin:"};
  for (const Platform* platform : all()) {
    for (const Platform::Answer& answer : answers_of(*platform)) {
      const bool takes_one =
          std::any_of(questions.begin(), questions.end(), [&](const std::string& question) {
            return asks_for_secret(question) && answer.prompt.matches(question);
          });
      const bool secret = answer.what == Platform::Answer::What::kPassword ||
                          answer.what == Platform::Answer::What::kEnablePassword;
      EXPECT_EQ(takes_one, secret) << platform->name << ": " << answer.prompt.expression();
      if (!secret) continue;
      for (const char* other :
           {"Username:", "login:", "R1#", "R1>", "Continue? [Y/N]:", "--More--"}) {
        EXPECT_FALSE(answer.prompt.matches(other)) << platform->name << ": " << other;
      }
    }
  }
}

// A pager's mark is no prompt, and a prompt is no pager's mark.
TEST(PlatformFiles, PromptsAreNoPagesMarks) {
  for (const PromptSample& sample : kPromptSamples) {
    const Platform* const platform = PlatformSet::builtin().find(sample.platform);
    EXPECT_FALSE(platform->pager && platform->pager->matches(sample.prompt)) << sample.platform;
  }
}

TEST(PlatformFiles, TakeTheNamesOfOthers) {
  const std::map<std::string, std::string> names = {
      {"ios", "cisco_ios"},
      {"iosxe", "cisco_xe"},
      {"cisco_iosxe", "cisco_xe"},
      {"iosxr", "cisco_xr"},
      {"iosxr_netconf", "cisco_xr"},
      {"nxos", "cisco_nxos"},
      {"asa", "cisco_asa"},
      {"aireos", "cisco_wlc"},
      {"cisco_s200", "cisco_s300"},
      {"junos", "juniper_junos"},
      {"eos", "arista_eos"},
      {"huawei", "huawei_vrp"},
      {"ce", "huawei_vrpv8"},
      {"aruba_osswitch", "hp_procurve"},
      {"aoscx", "aruba_aoscx"},
      {"sros", "nokia_sros"},
      {"alcatel_sros", "nokia_sros"},
      {"srl", "nokia_srl"},
      {"ros", "mikrotik_routeros"},
      {"routeros", "mikrotik_routeros"},
      {"fortios", "fortinet"},
      {"panos", "paloalto_panos"},
      {"dell_force10", "dell_os9"},
      {"brocade_vdx", "brocade_nos"},
      {"extreme", "extreme_exos"},
      {"voss", "extreme_vsp"},
      {"vyatta_vyos", "vyatta"},
      {"netscaler", "citrix_netscaler"},
      {"generic_termserver", "generic"},
  };
  for (const auto& [name, expected] : names) {
    const Platform* const platform = PlatformSet::builtin().find(name);
    ASSERT_NE(platform, nullptr) << name;
    EXPECT_EQ(platform->name, expected);
  }
}

}  // namespace
}  // namespace netfleet

#include <gmock/gmock.h>

#include <set>

#include "dispatcher/inventory/parsers.h"

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Inventory parsed(std::string_view text) {
  auto inventory = parse_yaml_inventory({"f.yaml", text});
  EXPECT_TRUE(inventory) << inventory.error().message;
  return inventory ? *std::move(inventory) : Inventory{};
}

Inventory resolved(Inventory inventory) {
  const auto done = resolve_limits(inventory);
  EXPECT_TRUE(done) << done.error().message;
  return inventory;
}

std::string error_of(std::string_view text) {
  auto inventory = parse_yaml_inventory({"f.yaml", text});
  if (!inventory) return inventory.error().message;
  const auto done = resolve_limits(*inventory);
  return done ? "no error" : done.error().message;
}

// The names of the limits that a host is under.
std::set<std::string> limits_of(const Inventory& inventory, std::string_view host) {
  std::set<std::string> names;
  for (const Host& one : inventory.hosts) {
    if (one.name != host) continue;
    for (const std::uint16_t i : inventory.limit_lists.at(one.limits)) {
      names.insert(inventory.limits.at(i).name);
    }
  }
  return names;
}

constexpr std::string_view kAllKinds = R"(
hosts:
  a: {groups: [core], limits: [tacacs-eu, extra]}
  b: {region: eu, jump: [bastion, inner]}
  c: {groups: [edge], limits: extra}
  d:
groups:
  core: {region: eu, groups: [all]}
  edge: {limits: [tacacs-eu]}
  all:
defaults: {limits: [everyone]}
limits:
  tacacs-eu:  {logins_per_second: 5, burst: 10}
  extra:      {sessions: 7}
  everyone:   {logins_per_second: 0.5}
  core-group: {group: core, sessions: 20}
  all-group:  {group: all, sessions: 30}
  eu:         {region: eu, sessions: 200, logins_per_second: 100}
  hop:        {jump: inner, sessions: 3}
)";

TEST(Limits, AHostIsUnderAllThatItItsGroupsAndTheDefaultsNameAndThoseItBelongsTo) {
  const Inventory inventory = resolved(parsed(kAllKinds));
  using Names = std::set<std::string>;
  EXPECT_EQ(limits_of(inventory, "a"),
            (Names{"tacacs-eu", "extra", "everyone", "core-group", "all-group", "eu"}));
  EXPECT_EQ(limits_of(inventory, "b"), (Names{"everyone", "eu"})) << "jump hosts come later";
  EXPECT_EQ(limits_of(inventory, "c"), (Names{"tacacs-eu", "extra", "everyone"}));
  EXPECT_EQ(limits_of(inventory, "d"), (Names{"everyone"}));
  EXPECT_THAT(inventory.warnings, IsEmpty());
}

TEST(Limits, Figures) {
  const Inventory inventory = parsed(kAllKinds);
  ASSERT_THAT(inventory.limits, SizeIs(7));
  EXPECT_EQ(inventory.limits[0].logins_per_second, 5);
  EXPECT_EQ(inventory.limits[0].burst, 10u);
  EXPECT_EQ(inventory.limits[0].sessions, 0u);
  EXPECT_EQ(inventory.limits[1].sessions, 7u);
  EXPECT_EQ(inventory.limits[1].logins_per_second, 0);
  EXPECT_EQ(inventory.limits[2].logins_per_second, 0.5);
  EXPECT_EQ(inventory.limits[2].burst, 1u) << "never less than one";
  EXPECT_EQ(inventory.limits[5].burst, 10u) << "what a tenth of a second brings";
  EXPECT_EQ(inventory.limits[5].place, "f.yaml:18");
}

TEST(Limits, InAFileOfTheirOwn) {
  const auto directory =
      parse_yaml_inventory({"hosts.yaml", "a: {limits: [x]}\nlimits: {}\n"},
                           {.limits = NamedText{"limits.yaml", "x: {sessions: 1}\n"}});
  ASSERT_TRUE(directory) << directory.error().message;
  EXPECT_EQ(limits_of(resolved(*directory), "a"), std::set<std::string>{"x"});
  ASSERT_THAT(directory->hosts, SizeIs(2));
  EXPECT_EQ(directory->hosts[1].name, "limits") << "in such a file it is a host";
}

TEST(Limits, OfOneInventoryHoldForTheHostsOfOthers) {
  Inventory all;
  merge_inventory(all, *parse_csv_inventory("name,region,groups,limits,jump\n"
                                            "a,eu,,x;y,\nb,,core,y ; x,hop\nc,,,,\n",
                                            "f.csv"));
  merge_inventory(all,
                  parsed("limits:\n  x: {sessions: 1}\n  y: {sessions: 2}\n"
                         "  eu: {region: eu, sessions: 3}\n  core: {group: core, sessions: 4}\n"
                         "  hop: {jump: hop, sessions: 5}\n"));
  merge_inventory(all, parsed("hosts: {d: {limits: [y]}, e: {limits: z}}\n"
                              "limits: {z: {sessions: 9}, y: {sessions: 8}}\n"));
  EXPECT_EQ(all.hosts[0].limits, all.hosts[1].limits) << "the same list in another order";
  all = resolved(std::move(all));
  using Names = std::set<std::string>;
  EXPECT_EQ(limits_of(all, "a"), (Names{"x", "y", "eu"}));
  EXPECT_EQ(limits_of(all, "b"), (Names{"x", "y", "core"}));
  EXPECT_EQ(limits_of(all, "c"), Names{});
  EXPECT_EQ(limits_of(all, "d"), (Names{"y"}));
  EXPECT_EQ(limits_of(all, "e"), (Names{"z"}));
  EXPECT_EQ(all.limits[1].sessions, 2u);
  EXPECT_THAT(all.warnings,
              ElementsAre("f.yaml:2: limit 'y' was given before (f.yaml:3); ignored"));
}

TEST(Limits, ForEverybody) {
  Inventory inventory = parsed("hosts: {a: , b: }\n");
  NamedLimit limit;
  limit.name = "all";
  limit.everybody = true;
  limit.sessions = 1;
  inventory.limits.push_back(limit);
  inventory = resolved(std::move(inventory));
  EXPECT_EQ(limits_of(inventory, "a"), std::set<std::string>{"all"});
  EXPECT_EQ(inventory.hosts[0].limits, inventory.hosts[1].limits);
}

TEST(Limits, AMillionHostsShareFewLists) {
  std::string text = "hosts:\n";
  for (int i = 0; i < 1000; ++i) text += "  h" + std::to_string(i) + ": {limits: [x, y]}\n";
  const Inventory inventory =
      resolved(parsed(text + "limits: {x: {sessions: 1}, y: {sessions: 1}}\n"));
  EXPECT_THAT(inventory.limit_lists, SizeIs(2));
}

TEST(Limits, UnknownOnesAreErrorsWithThePlace) {
  EXPECT_EQ(error_of("hosts:\n  a:\n    limits:\n    - tacacs-ue\nlimits:\n"
                     "  tacacs-eu: {sessions: 1}\n"),
            "f.yaml:4: unknown limit 'tacacs-ue', did you mean 'tacacs-eu'?");
  EXPECT_THAT(error_of("hosts: {a: }\ndefaults: {limits: x}\n"),
              HasSubstr("f.yaml:2: unknown limit 'x' (no limits are given"));
  Inventory csv = *parse_csv_inventory("name,limits\na,\nb,x\n", "f.csv");
  EXPECT_THAT(resolve_limits(csv).error().message, HasSubstr("f.csv:3: unknown limit 'x'"));
}

TEST(Limits, WhatIsWrongNamesTheLine) {
  const std::string message = error_of(R"(hosts: {a: }
limits:
  nothing: {group: g}
  zero: {sessions: 0}
  negative: {sessions: -1}
  slow: {logins_per_second: 0}
  slower: {logins_per_second: -0.1}
  words: {logins_per_second: 5/s}
  part: {sessions: 1.5}
  key: {session: 5}
  list: [5]
  burst: {sessions: 1, burst: 5}
  two: {sessions: 1, group: g, region: r}
  nested: {sessions: [1]}
  huge: {sessions: 99999999999999999999}
  empty: {sessions: 1, region: ""}
  none:
)");
  for (const char* expected :
       {"f.yaml:3: limit 'nothing' limits nothing: give sessions, logins_per_second or both",
        "f.yaml:4: '0' is no value for 'sessions': expected 1 to 1000000",
        "f.yaml:5: '-1' is no value for 'sessions'",
        "f.yaml:6: '0' is no number of logins per second: expected one above 0",
        "f.yaml:7: '-0.1' is no number of logins per second",
        "f.yaml:8: '5/s' is no number of logins per second",
        "f.yaml:9: '1.5' is no value for 'sessions'",
        "f.yaml:10: unknown key 'session', did you mean 'sessions'?",
        "f.yaml:11: a limit takes a map",
        "f.yaml:12: limit 'burst': burst goes with logins_per_second",
        "f.yaml:13: limit 'two': give one of group, region and jump",
        "f.yaml:14: 'sessions' takes one value",
        "f.yaml:15: '99999999999999999999' is no value for 'sessions'",
        "f.yaml:16: the region is empty", "f.yaml:17: a limit takes a map"}) {
    EXPECT_THAT(message, HasSubstr(expected));
  }
  EXPECT_EQ(error_of("hosts: {a: }\nlimits:\n  x: {sessions: 1}\n  x: {sessions: 2}\n"),
            "f.yaml:4: the key 'x' was given before (line 3)");
  EXPECT_EQ(error_of("hosts: {a: }\nlimits: [x]\n"), "f.yaml:2: expected a map of limits by name");
  EXPECT_EQ(error_of("hosts:\n  a: {limits: {x: y}}\n"),
            "f.yaml:2: 'limits' takes a name or a list of names");
}

TEST(Limits, OneThatNobodyIsUnderIsAWarning) {
  const Inventory inventory =
      resolved(parsed("hosts: {a: }\nlimits:\n  x: {group: croe, sessions: 1}\n"));
  EXPECT_THAT(inventory.warnings, ElementsAre("f.yaml:3: no host is under limit 'x'"));
}

TEST(Limits, AreBounded) {
  std::string text = "hosts: {a: }\nlimits:\n";
  for (int i = 0; i < 1001; ++i) text += "  l" + std::to_string(i) + ": {sessions: 1}\n";
  EXPECT_EQ(error_of(text), "f.yaml:1003: more than 1000 limits");
  std::string many = "hosts: {a: {limits: [";
  for (int i = 0; i < 101; ++i) many += "l" + std::to_string(i) + ", ";
  EXPECT_EQ(error_of(many + "]}}\n"), "f.yaml:1: more than 100 limits");
}

}  // namespace
}  // namespace netfleet

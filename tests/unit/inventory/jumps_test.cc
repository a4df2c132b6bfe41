// Jump hosts in inventories: what defines them, what names them, whose limits count.
#include "dispatcher/inventory/jumps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

std::string error_of(std::string_view text) {
  auto inventory = parse_yaml_inventory({"f.yaml", text});
  if (!inventory) return inventory.error().message;
  const auto resolved = resolve_jumps(*inventory, false);
  return resolved ? "no error" : resolved.error().message;
}

std::string route_of(std::string_view jump) {
  const std::string text = "hosts:\n  a: {jump: " + std::string(jump) + "}\n";
  const auto inventory = parse_yaml_inventory({"f.yaml", text});
  return inventory ? inventory->hosts.front().jump.str() : inventory.error().message;
}

TEST(Jumps, ATextIsAChainAndAListHasTiers) {
  EXPECT_EQ(route_of("bastion"), "bastion");
  EXPECT_EQ(route_of("'a, b'"), "a>b");
  EXPECT_EQ(route_of("[a, b]"), "a,b");
  EXPECT_EQ(route_of("[[a, b], [c]]"), "a|b,c");
  EXPECT_EQ(route_of("[[a, 'x,b'], c]"), "a|x>b,c");
  EXPECT_EQ(route_of("none"), "none");
  EXPECT_EQ(route_of(""), "");
  for (const std::string_view wrong : {"[[a, [b]]]", "{a: b}", "[]", "[[]]", "[{a: b}]"}) {
    EXPECT_EQ(route_of(wrong),
              "f.yaml:2: 'jump' takes a name, or a list of names and of lists of names");
  }
  EXPECT_EQ(route_of("'a,,b'"), "f.yaml:2: a jump host without a name");
  EXPECT_EQ(route_of("[a, none]"),
            "f.yaml:2: 'none' means no jump host and cannot be the name of one");
  EXPECT_THAT(route_of("'a|b'"), HasSubstr("holds ',', '|', '>' or a control character"));
  EXPECT_THAT(route_of("'1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17'"),
              HasSubstr("a chain of more than 16 hops"));
}

TEST(Jumps, HostsInheritAWayLikeTheRest) {
  const Inventory inventory = parsed(R"(
hosts:
  a: {groups: [g], jump: x}
  b: {groups: [g]}
  c:
  d: {groups: [g], jump: none}
groups: {g: {jump: [[x, y]]}}
defaults: {jump: y}
jumps: {x: , y: {address: 10.0.0.2}}
)");
  EXPECT_EQ(inventory.hosts[0].jump, "x");
  EXPECT_EQ(inventory.hosts[1].jump, "x|y");
  EXPECT_EQ(inventory.hosts[2].jump, "y");
  EXPECT_EQ(inventory.hosts[3].jump, "none");
  ASSERT_THAT(inventory.jumps, SizeIs(2));
  EXPECT_EQ(inventory.jumps[0].host.address, "x") << "a name may be an address";
}

TEST(Jumps, ADefinitionSaysAllThatALoginNeeds) {
  const Inventory inventory = parsed(R"(
hosts: {a: }
jumps:
  bastion:
    address: 192.0.2.1
    port: 2222
    user: jump
    key: ~/.ssh/bastion
    password: pw
    weight: 3
    max_connections: 2
    max_channels: 50
    host_key_policy: strict
    legacy_algorithms: true
    kex: +diffie-hellman-group14-sha1
    sessions: 500
    logins_per_second: 20
  core: {via: 'outer, bastion', credential: tacacs}
)");
  ASSERT_THAT(inventory.jumps, SizeIs(2));
  const JumpDefinition& bastion = inventory.jumps[0];
  EXPECT_EQ(bastion.host, (JumpHost{.name = "bastion",
                                    .address = "192.0.2.1",
                                    .port = 2222,
                                    .user = "jump",
                                    .credential = "jump:bastion",
                                    .weight = 3,
                                    .max_connections = 2,
                                    .max_channels = 50,
                                    .legacy_algorithms = true,
                                    .ssh_options = "kex +diffie-hellman-group14-sha1\n"}));
  EXPECT_EQ(bastion.host_key_policy, HostKeyPolicy::kStrict);
  EXPECT_EQ(bastion.key, "~/.ssh/bastion");
  EXPECT_EQ(bastion.password->reveal(), "pw");
  EXPECT_EQ(bastion.place, "f.yaml:4");
  EXPECT_EQ(inventory.jumps[1].host.via, "outer>bastion");
  EXPECT_EQ(inventory.jumps[1].host.port, 0) << "not said";
  EXPECT_FALSE(inventory.jumps[1].has_secret());
  ASSERT_THAT(inventory.limits, SizeIs(1));
  EXPECT_EQ(inventory.limits[0].name, "jump bastion");
  EXPECT_EQ(inventory.limits[0].jump, "bastion");
  EXPECT_EQ(inventory.limits[0].sessions, 500u);
  EXPECT_EQ(inventory.limits[0].burst, 2u);
}

TEST(Jumps, WhatIsWrongWithADefinitionNamesItsLine) {
  const std::string message = error_of(R"(hosts: {a: }
jumps:
  a: {adress: x}
  b: {address: 'x y'}
  c: {port: 70000}
  d: {user: 'a:b'}
  e: {via: 'a,,b'}
  f: {weight: 0}
  g: {max_channels: 10001}
  h: {host_key_policy: maybe}
  i: {legacy_algorithms: 1}
  j: {sessions: many}
  k: {burst: 3}
  l: {credential: x, password: y}
  m: {credential: 'jump:a'}
  n: 7
  'o,p': {address: x}
  none: {address: x}
  'two words': {user: x}
  q: {kex: x}
  r: {user: [x]}
)");
  for (const std::string_view expected :
       {"f.yaml:3: unknown key 'adress', did you mean 'address'? (known: address, port, user, ",
        "f.yaml:4: 'x y' is no host name", "f.yaml:5: '70000' is no port",
        "f.yaml:6: a user name cannot hold ':'", "f.yaml:7: a jump host without a name",
        "f.yaml:8: '0' is no value for 'weight': expected 1 to 1000",
        "f.yaml:9: '10001' is no value for 'max_channels'",
        "f.yaml:10: 'host_key_policy' is strict, accept-new or off",
        "f.yaml:11: 'legacy_algorithms' is true or false",
        "f.yaml:12: 'many' is no value for 'sessions'",
        "f.yaml:13: burst goes with logins_per_second",
        "f.yaml:14: give a credential, or a password and key",
        "f.yaml:15: the credential name 'jump:a' is reserved",
        "f.yaml:16: a jump host takes a map of address, user, via and the like",
        "f.yaml:17: the name of a jump host holds ','", "f.yaml:18: 'none' means no jump host",
        "f.yaml:19: 'two words' is no host name: ' ' is not allowed in one; give the jump host an",
        "f.yaml:20: ", "f.yaml:21: 'user' takes one value"}) {
    EXPECT_THAT(message, HasSubstr(expected));
  }
  EXPECT_EQ(error_of("hosts: {a: }\njumps: [x]\n"),
            "f.yaml:2: expected a map of jump hosts by name");
}

TEST(Jumps, UnknownNamesAndLoopsAreErrors) {
  EXPECT_EQ(error_of("hosts:\n  a: {jump: bastoin}\n  b: {jump: [[bastion, other]]}\n"
                     "jumps:\n  bastion:\n  inner: {via: outer}\n"),
            "f.yaml:2: unknown jump host 'bastoin', did you mean 'bastion'?\n"
            "f.yaml:3: unknown jump host 'other'\n"
            "f.yaml:6: unknown jump host 'outer'");
  EXPECT_EQ(
      error_of("hosts:\n  a: {jump: x}\n"),
      "f.yaml:2: unknown jump host 'x' (no jump hosts are defined: 'jumps:' beside 'hosts:')");
  EXPECT_EQ(error_of("hosts: {a: }\njumps:\n  a: {via: b}\n  b: {via: c}\n  c: {via: a}\n"),
            "f.yaml:3: jump host 'a': a loop: a -> b -> c -> a\n"
            "f.yaml:4: jump host 'b': a loop: b -> c -> a -> b\n"
            "f.yaml:5: jump host 'c': a loop: c -> a -> b -> c");
  Inventory inventory = parsed("hosts: {a: {jump: x}}\n");
  EXPECT_TRUE(resolve_jumps(inventory, true));
  EXPECT_THAT(inventory.warnings,
              ElementsAre("f.yaml:1: jump host 'x' is not defined here: workers need it in a file "
                          "of their own (--jumps)"));
}

TEST(Jumps, OfOneInventoryServeTheHostsOfOthers) {
  Inventory all;
  merge_inventory(
      all, *parse_csv_inventory("name,jump\na,x\nb,\"x, y\"\nc,x|y;z\nd,\ne,none\n", "f.csv"));
  merge_inventory(all, parsed("jumps:\n  x: {user: first}\n  y:\n  z:\n"));
  merge_inventory(all, parsed("jumps: {x: {user: second, sessions: 5}}\n"));
  EXPECT_TRUE(resolve_jumps(all, false));
  ASSERT_THAT(all.hosts, SizeIs(5));
  EXPECT_EQ(all.hosts[1].jump, "x>y");
  EXPECT_EQ(all.hosts[2].jump, "x|y,z");
  EXPECT_EQ(all.hosts[4].jump, "none");
  EXPECT_EQ(all.jumps[0].host.user, "first");
  EXPECT_THAT(all.warnings,
              ElementsAre("f.yaml:1: jump host 'x' was given before (f.yaml:2); ignored"));
  const auto wrong = parse_csv_inventory("name,jump\na,x||y\n", "f.csv");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "f.csv:2: a jump host without a name");
}

TEST(Jumps, OneNameForTwoDevicesIsAnError) {
  const auto error = [](std::string_view text) {
    const auto inventory = parse_csv_inventory(text, "f.csv");
    return inventory ? "no error" : inventory.error().message;
  };
  EXPECT_EQ(
      error("address,jump\n10.0.0.1,x\n10.0.0.2,x\n10.0.0.1,y\n"),
      "f.csv:4: host 10.0.0.1 was given before (line 2) with another way over jump hosts: two "
      "devices need two names (column 'name')");
  EXPECT_THAT(error("address,region\n10.0.0.1,eu\n10.0.0.1,us\n"),
              HasSubstr("with another region: two devices need two names"));
  EXPECT_EQ(error("address,jump\n10.0.0.1,x\n10.0.0.1,x\n"), "no error") << "one device, a warning";
}

// The names of the limits that the host at `position` is under.
std::set<std::string> limits_of(const Inventory& inventory, std::size_t position) {
  std::set<std::string> names;
  for (const std::uint16_t i : inventory.limit_lists.at(inventory.hosts[position].limits)) {
    names.insert(inventory.limits.at(i).name);
  }
  return names;
}

TEST(Jumps, ATaskCountsForEveryJumpHostThatItMayGoOver) {
  Inventory inventory = parsed(R"(
hosts:
  a: {jump: [[x, y]], limits: [aaa]}
  b: {jump: inner, limits: [aaa]}
  c: {limits: [aaa]}
  d: {jump: "y,inner"}
limits:
  aaa: {sessions: 1}
  outer: {jump: x, sessions: 2}
  unused: {jump: nobody, sessions: 3}
jumps:
  x: {sessions: 10}
  y: {sessions: 20}
  inner: {via: x, sessions: 30}
)");
  ASSERT_TRUE(resolve_limits(inventory));
  EXPECT_THAT(inventory.warnings, IsEmpty());
  ASSERT_TRUE(limit_jumps(inventory, hosts_of(inventory.jumps), inventory.hosts, true));
  using Names = std::set<std::string>;
  EXPECT_EQ(limits_of(inventory, 0), (Names{"aaa", "outer", "jump x", "jump y"}));
  EXPECT_EQ(limits_of(inventory, 1), (Names{"aaa", "outer", "jump x", "jump inner"}));
  EXPECT_EQ(limits_of(inventory, 2), (Names{"aaa"}));
  EXPECT_EQ(limits_of(inventory, 3), (Names{"jump y", "jump inner"})) << "a chain, not the via";
  EXPECT_THAT(inventory.warnings, ElementsAre(HasSubstr("no host is under limit 'unused'")));
}

}  // namespace
}  // namespace netfleet

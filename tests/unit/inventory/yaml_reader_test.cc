#include <gmock/gmock.h>

#include "dispatcher/inventory/parsers.h"

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

Inventory parsed(std::string_view text) {
  auto inventory = parse_yaml_inventory({"f.yaml", text});
  EXPECT_TRUE(inventory) << inventory.error().message;
  return inventory ? *std::move(inventory) : Inventory{};
}

std::string error_of(std::string_view text) {
  const auto inventory = parse_yaml_inventory({"f.yaml", text});
  return inventory ? "no error" : inventory.error().message;
}

TEST(YamlReader, TakesHostsGroupsAndDefaults) {
  const Inventory inventory = parsed(R"(
hosts:
  edge-1:
    hostname: 10.0.0.1
    port: 2222
    groups: [edge, eu]
    data: {site: {city: Berlin, racks: [a, b]}, role: access}
  "10":
  core:
    hostname: fe80::1%eth0
    username: ann
    platform: cisco_ios
    credential: tacacs
    jump: bastion
    connection_options: {netmiko: {extras: {}}}
groups:
  eu: {region: eu, platform: junos}
  edge: {platform: arista_eos, groups: [all], data: {role: none, vlan: 5}}
  all: {username: root, data: {vlan: 1, ntp: true}}
defaults:
  username: nobody
  port: 22
  data: {site: none, domain: ~}
)");
  ASSERT_EQ(inventory.hosts.size(), 3u);
  const Host& edge = inventory.hosts[0];
  EXPECT_EQ(edge.name, "edge-1");
  EXPECT_EQ(edge.address, "10.0.0.1");
  EXPECT_EQ(edge.port, 2222);
  EXPECT_EQ(edge.platform, "arista_eos");
  EXPECT_EQ(edge.user, "root");
  EXPECT_EQ(edge.region, "eu");
  EXPECT_THAT(edge.groups, ElementsAre("edge", "all", "eu"));
  EXPECT_THAT(edge.data,
              ElementsAre(Pair("domain", ""), Pair("ntp", "true"), Pair("role", "access"),
                          Pair("site.city", "Berlin"), Pair("site.racks.0", "a"),
                          Pair("site.racks.1", "b"), Pair("vlan", "5")));
  EXPECT_EQ(inventory.hosts[1].address, "10");
  EXPECT_EQ(inventory.hosts[1].user, "nobody");
  EXPECT_EQ(inventory.hosts[1].port, 22);
  EXPECT_EQ(inventory.hosts[1].data->at("site"), "none");
  EXPECT_EQ(inventory.hosts[2].credential, "tacacs");
  EXPECT_EQ(inventory.hosts[2].address, "fe80::1%eth0");
}

TEST(YamlReader, ParentsGoBeforeTheNextGroup) {
  const Inventory inventory = parsed(R"(
hosts: {h: {groups: [a, b]}}
groups:
  a: {groups: [parent]}
  b: {region: from-b, username: from-b}
  parent: {region: from-parent}
)");
  EXPECT_EQ(inventory.hosts[0].region, "from-parent");
  EXPECT_EQ(inventory.hosts[0].user, "from-b");
  EXPECT_THAT(inventory.hosts[0].groups, ElementsAre("a", "parent", "b"));
}

TEST(YamlReader, TakesThreeFilesOrHostsAlone) {
  const auto three =
      parse_yaml_inventory({"hosts.yaml", "h: {groups: [g]}"},
                           {.groups = NamedText{"groups.yaml", "g: {port: 23}"},
                            .defaults = NamedText{"defaults.yaml", "username: ann"}});
  ASSERT_TRUE(three) << three.error().message;
  EXPECT_EQ(three->hosts[0].port, 23);
  EXPECT_EQ(three->hosts[0].user, "ann");
  EXPECT_EQ(parsed("---\nedge-1: {}\nedge-2:\n").hosts.size(), 2u);
  EXPECT_THAT(parsed("").hosts, IsEmpty());
  EXPECT_THAT(parsed("hosts:\n").hosts, IsEmpty());
  const auto bad = parse_yaml_inventory({"hosts.yaml", "h: {groups: [g]}\n"},
                                        {.groups = NamedText{"groups.yaml", "\ng: {port: 0}"},
                                         .defaults = NamedText{"defaults.yaml", "groups: [g]"}});
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().message, HasSubstr("groups.yaml:2: '0' is no port"));
  EXPECT_THAT(bad.error().message, HasSubstr("defaults.yaml:1: unknown key 'groups'"));
}

TEST(YamlReader, PasswordsBecomeOneCredentialEach) {
  const Inventory inventory = parsed(R"(
hosts:
  a: {groups: [g]}
  b: {password: one}
  c: {groups: [g], credential: tacacs}
  d: {password: mine, groups: [vault]}
  e: {}
groups:
  g: {password: one}
  vault: {credential: vault}
defaults: {password: last}
)");
  const auto password = [&](int i) {
    return inventory.passwords.at(inventory.hosts[i].credential.str())->reveal();
  };
  EXPECT_EQ(password(0), "one");
  EXPECT_EQ(inventory.hosts[0].credential, inventory.hosts[1].credential);
  EXPECT_EQ(inventory.hosts[2].credential, "tacacs");
  EXPECT_EQ(password(3), "mine");
  EXPECT_EQ(password(4), "last");
  EXPECT_EQ(inventory.passwords.size(), 3u);
}

TEST(YamlReader, ResolvesAnchorsAndMergeKeys) {
  const Inventory inventory = parsed(R"(
hosts:
  a: &base {port: 23, username: ann, data: &d {x: 1}}
  b: {<<: *base, port: 24}
  c:
    data: *d
    <<: [{port: 25}, *base]
)");
  ASSERT_EQ(inventory.hosts.size(), 3u);
  EXPECT_EQ(inventory.hosts[1].port, 24);
  EXPECT_EQ(inventory.hosts[1].user, "ann");
  EXPECT_EQ(inventory.hosts[1].data->at("x"), "1");
  EXPECT_EQ(inventory.hosts[2].port, 25);
  EXPECT_EQ(inventory.hosts[2].user, "ann");
}

TEST(YamlReader, UnknownKeysAreErrorsThatListTheKnown) {
  const std::string message = error_of("hosts:\n  a:\n    hostnme: x\n");
  EXPECT_THAT(message,
              HasSubstr("f.yaml:3: unknown key 'hostnme', did you mean 'hostname'? (known: "
                        "hostname, port, username, password, platform, groups, data, region, "
                        "credential, jump, limits, kex, ciphers, macs, host_key_algorithms, "
                        "public_key_algorithms"));
  EXPECT_EQ(error_of("hosts: {}\ngroup: {}\n"),
            "f.yaml:2: unknown key 'group' (known: hosts, groups, defaults, limits, jumps)");
}

TEST(YamlReader, ADuplicateKeyIsAnErrorWithBothLines) {
  EXPECT_EQ(error_of("hosts:\n  a: {}\n  b: {}\n  a: {}\n"),
            "f.yaml:4: the key 'a' was given before (line 2)");
}

TEST(YamlReader, WrongTypesAndValuesNameTheLine) {
  const std::string message = error_of(R"(hosts:
  a: {port: 70000}
  b: {port: abc}
  c: {port: [22]}
  d: {hostname: {x: y}}
  e: [x]
  f: {groups: x}
  g: {groups: [[x]]}
  h: {data: 5}
  i: {hostname: 10.0.0.1:22}
  j: {credential: "inventory:1"}
  k: {username: "a:b"}
  Core Switch:
)");
  EXPECT_THAT(message, HasSubstr("f.yaml:2: '70000' is no port"));
  EXPECT_THAT(message, HasSubstr("f.yaml:3: 'abc' is no port"));
  EXPECT_THAT(message, HasSubstr("f.yaml:4: 'port' takes one value, not a list"));
  EXPECT_THAT(message, HasSubstr("f.yaml:5: 'hostname' takes one value, not a map"));
  EXPECT_THAT(message, HasSubstr("f.yaml:6: expected a map of hostname"));
  EXPECT_THAT(message, HasSubstr("f.yaml:7: 'groups' takes a list of names"));
  EXPECT_THAT(message, HasSubstr("f.yaml:8: 'groups' takes a list of names"));
  EXPECT_THAT(message, HasSubstr("f.yaml:9: 'data' takes a map"));
  EXPECT_THAT(message, HasSubstr("f.yaml:10: '10.0.0.1:22' is no IPv6 address"));
  EXPECT_THAT(message, HasSubstr("f.yaml:11: the credential name 'inventory:1' is reserved"));
  EXPECT_THAT(message, HasSubstr("f.yaml:12: a user name cannot hold ':'"));
  EXPECT_THAT(message, HasSubstr("f.yaml:13: 'Core Switch' is no host name"));
  EXPECT_THAT(error_of("- a\n- b\n"), HasSubstr("f.yaml:1: expected a map of hosts by name"));
  EXPECT_THAT(error_of("hosts: [a]\n"), HasSubstr("f.yaml:1: expected a map of hosts by name"));
  EXPECT_THAT(error_of("? [a]\n: b\n"), HasSubstr("f.yaml:1: a key must be a word"));
}

TEST(YamlReader, GroupsThatAreUnknownOrGoInCirclesAreErrors) {
  const std::string message = error_of(R"(hosts:
  h: {groups: [edg]}
groups:
  edge: {groups: [b]}
  b: {groups: [edge]}
  c: {groups: [nowhere]}
)");
  EXPECT_THAT(message, HasSubstr("f.yaml:2: unknown group 'edg', did you mean 'edge'?"));
  EXPECT_THAT(message, HasSubstr("f.yaml:5: the groups 'b' and 'edge' are each other's parents"));
  EXPECT_THAT(message, HasSubstr("f.yaml:6: unknown group 'nowhere'"));
}

TEST(YamlReader, SyntaxErrorsNameTheLine) {
  EXPECT_THAT(error_of("hosts:\n  a: {port: 22\n"), HasSubstr("f.yaml:"));
  EXPECT_EQ(error_of("hosts:\n\ta: {}\n"),
            "f.yaml:2: a tab in the indentation: YAML takes blanks only");
  EXPECT_THAT(error_of("a: {}\n---\nb: {}\n"), HasSubstr("a second document"));
  EXPECT_THAT(error_of("a: !vault x\n"), HasSubstr("f.yaml:1: the tag '!vault' is not supported"));
  EXPECT_THAT(error_of("a: *nowhere\n"), HasSubstr("f.yaml:1:"));
  EXPECT_THAT(error_of("a: &x [*x]\n"), HasSubstr("f.yaml:1: an alias within what it stands for"));
  EXPECT_THAT(error_of(std::string_view("a: \0", 4)), HasSubstr("NUL byte"));
}

TEST(YamlReader, BombsAndDepthAreBounded) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += (j ? ", *a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  EXPECT_THAT(error_of(bomb), HasSubstr("aliases expand to more than"));
  EXPECT_THAT(error_of("a: " + std::string(40, '[') + std::string(40, ']')),
              HasSubstr("f.yaml:1: nested more than 32 levels deep"));
  EXPECT_THAT(error_of(std::string(100'000, '[')), HasSubstr("f.yaml:1:"));
  std::string wide = "hosts: {a: {data: {";
  for (int i = 0; i < 2000; ++i) wide += "k" + std::to_string(i) + ": 1, ";
  EXPECT_THAT(error_of(wide + "}}}"), HasSubstr("more than 1024 values of data"));
  std::string chain = "hosts: {}\ngroups:\n";
  for (int i = 0; i < 100; ++i) {
    chain += "  g" + std::to_string(i) + ": {groups: [g" + std::to_string(i + 1) + "]}\n";
  }
  EXPECT_THAT(error_of(chain + "  g100: {}\n"), HasSubstr("groups nested more than 64 deep"));
}

TEST(YamlReader, DepthThroughAliasesIsBounded) {
  std::string text = "x0: &x0 {data: {k: v}}\n";
  for (int i = 1; i < 60; ++i) {
    text += "x" + std::to_string(i) + ": &x" + std::to_string(i) + " {data: {k: *x" +
            std::to_string(i - 1) + "}}\n";
  }
  EXPECT_THAT(error_of(text), HasSubstr("data is nested more than 32 levels deep"));
}

TEST(YamlReader, NeverShowsAPassword) {
  EXPECT_THAT(error_of("hosts: {a: {password: \"hunter2\\n\", port: 0}}"),
              Not(HasSubstr("hunter2")));
  EXPECT_THAT(error_of("hosts: {a: {password: [hunter2]}}"), Not(HasSubstr("hunter2")));
}

TEST(YamlReader, TakesAlgorithmsAndInheritsEachList) {
  const Inventory inventory = parsed(R"(
hosts:
  a: {groups: [old], ciphers: "+3des-cbc"}
  b: {groups: [old]}
  c:
groups:
  old: {kex: diffie-hellman-group1-sha1, ciphers: aes128-cbc}
)");
  EXPECT_EQ(inventory.hosts[0].ssh_options, "kex diffie-hellman-group1-sha1\nciphers +3des-cbc\n");
  EXPECT_EQ(inventory.hosts[1].ssh_options, "kex diffie-hellman-group1-sha1\nciphers aes128-cbc\n");
  EXPECT_EQ(inventory.hosts[2].ssh_options, "");
  EXPECT_THAT(error_of("hosts:\n  a:\n    macs: hmac-md5\n"),
              HasSubstr("f.yaml:3: 'hmac-md5' is no MAC that netfleet knows; it knows hmac-sha2"));
}

}  // namespace
}  // namespace netfleet

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "dispatcher/inventory/ansible_inventory.h"
#include "dispatcher/inventory/ansible_reader.h"
#include "tests/unit/disk.h"

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

Expected<std::string> nobody_asked(const std::string& host) {
  ADD_FAILURE() << "asked for " << host;
  return "{}";
}

Inventory read(const std::string& json) {
  auto read = parse_ansible_inventory(json, "inv", nobody_asked);
  EXPECT_TRUE(read) << read.error().message;
  return read ? *std::move(read) : Inventory{};
}

std::string error(const std::string& json) {
  const auto read = parse_ansible_inventory(json, "inv", nobody_asked);
  return read ? "no error" : read.error().message;
}

TEST(Ansible, HostsGroupsAndVariables) {
  const Inventory inventory = read(R"({
    "_meta": {"hostvars": {"r1": {"ansible_host": "10.0.0.1", "ansible_port": 2222,
        "ansible_user": "admin", "ansible_password": "hunter2", "ansible_become_pass": "hush",
        "ansible_network_os": "cisco.ios.ios", "ntp": ["a", "b"], "site": {"city": "Bern"},
        "up": true, "none": null, "n": 5}}},
    "all": {"children": ["ungrouped", "core"], "vars": {"dns": "192.0.2.1", "ntp": "no"}},
    "core": {"hosts": ["r1", "r2"], "vars": {"ansible_network_os": "nxos"}},
    "old": ["r2"]})");
  ASSERT_THAT(inventory.hosts, SizeIs(2));
  const Host& first = inventory.hosts[0];
  EXPECT_EQ(first.name, "r1");
  EXPECT_EQ(first.address, "10.0.0.1");
  EXPECT_EQ(first.port, 2222);
  EXPECT_EQ(first.user, "admin");
  EXPECT_EQ(first.platform, "ios");
  EXPECT_THAT(first.groups, ElementsAre("core", "all"));
  EXPECT_EQ(first.credential, "inventory:1");
  EXPECT_EQ(inventory.passwords.at("inventory:1")->reveal(), "hunter2");
  EXPECT_EQ(first.data, (std::map<std::string, std::string>{{"dns", "192.0.2.1"},
                                                            {"n", "5"},
                                                            {"none", ""},
                                                            {"ntp.0", "a"},
                                                            {"ntp.1", "b"},
                                                            {"site.city", "Bern"},
                                                            {"up", "true"}}));
  EXPECT_EQ(inventory.hosts[1].address, "r2");
  EXPECT_EQ(inventory.hosts[1].platform, "nxos");
  EXPECT_THAT(inventory.hosts[1].groups, ElementsAre("old", "core", "all"));
}

TEST(Ansible, APasswordComesWithThatOfPrivilegedMode) {
  const Inventory inventory = read(R"({"_meta": {"hostvars": {
      "a": {"ansible_password": "p", "ansible_become_password": "e"},
      "b": {"ansible_password": "p", "ansible_become_pass": "e"},
      "c": {"ansible_password": "p"}, "d": {"ansible_become_password": "e"}}},
    "all": {"hosts": ["a", "b", "c", "d"]}})");
  ASSERT_THAT(inventory.hosts, SizeIs(4));
  EXPECT_EQ(inventory.hosts[0].credential, "inventory:1");
  EXPECT_EQ(inventory.hosts[1].credential, "inventory:1");
  EXPECT_EQ(inventory.hosts[2].credential, "inventory:2");
  EXPECT_EQ(inventory.hosts[3].credential, "");
  EXPECT_EQ(inventory.enable_passwords.at("inventory:1")->reveal(), "e");
  EXPECT_THAT(inventory.enable_passwords, SizeIs(1));
  for (const Host& host : inventory.hosts) EXPECT_TRUE(host.data.empty());
}

TEST(Ansible, DeeperGroupsWinThenPriorityThenTheName) {
  const Inventory inventory = read(R"({"_meta": {},
    "a": {"children": ["c"], "vars": {"x": "a", "y": "a", "z": "a"}},
    "b": {"children": ["c"], "vars": {"x": "b", "y": "b"}},
    "c": {"hosts": ["h"], "vars": {"x": "c"}},
    "d": {"hosts": ["h"], "vars": {"w": "d", "v": "d"}},
    "e": {"hosts": ["h"], "vars": {"w": "e", "v": "e", "ansible_group_priority": -1}}})");
  ASSERT_THAT(inventory.hosts, SizeIs(1));
  const auto& data = *inventory.hosts[0].data;
  EXPECT_EQ(data.at("x"), "c");
  EXPECT_EQ(data.at("y"), "b");
  EXPECT_EQ(data.at("z"), "a");
  EXPECT_EQ(data.at("w"), "d") << "e has less priority";
}

TEST(Ansible, IsAskedForEachHostOnlyWithoutMeta) {
  std::vector<std::string> asked;
  const auto inventory =
      parse_ansible_inventory(R"({"g": {"hosts": ["a", "b"], "vars": {"x": "g"}}})", "inv",
                              [&](const std::string& host) -> Expected<std::string> {
                                asked.push_back(host);
                                return R"({"x": "own", "ansible_host": "10.0.0.1"})";
                              });
  ASSERT_TRUE(inventory) << inventory.error().message;
  EXPECT_THAT(asked, ElementsAre("a", "b"));
  EXPECT_EQ(inventory->hosts[1].data->at("x"), "own");
  EXPECT_EQ(inventory->hosts[1].address, "10.0.0.1");
  EXPECT_THAT(
      parse_ansible_inventory(R"({"g": ["a"]})", "inv",
                              [](const std::string&) -> Expected<std::string> { return "[]"; })
          .error()
          .message,
      HasSubstr("host a: its variables take an object"));
}

TEST(Ansible, WhatIsWrongIsSaidWithoutValues) {
  EXPECT_THAT(error("{\n\"a\": oops}"), HasSubstr("inv:2: this is no JSON"));
  EXPECT_THAT(error(""), HasSubstr("inv:1: this is no JSON"));
  EXPECT_THAT(error("[1]"), HasSubstr("expected an object of groups"));
  EXPECT_THAT(error(R"({"g": 5})"), HasSubstr("group g: expected hosts, vars and children"));
  EXPECT_THAT(error(R"({"g": {"hosts": {"a": {}}}})"), HasSubstr("'hosts' takes a list of names"));
  EXPECT_THAT(error(R"({"g": {"hosts": [1]}})"), HasSubstr("'hosts' takes a list of names"));
  EXPECT_THAT(error(R"({"g": {"children": "x"}})"), HasSubstr("'children' takes a list"));
  EXPECT_THAT(error(R"({"g": {"vars": []}})"), HasSubstr("group g: 'vars' takes an object"));
  EXPECT_THAT(error(R"({"g": {"children": ["h"]}, "h": {"children": ["g"]}})"),
              HasSubstr("it is its own child"));
  EXPECT_THAT(error(R"({"_meta": {"hostvars": []}})"), HasSubstr("'_meta.hostvars' takes"));
  EXPECT_THAT(error(R"({"_meta": {"hostvars": {"h": 5}}, "g": ["h"]})"),
              HasSubstr("host h: its variables"));
  EXPECT_THAT(error(R"({"_meta": {}, "g": ["a b"]})"), HasSubstr("host a b: ansible_host: "));
  const auto of_host = [](const std::string& vars) {
    return error(R"({"_meta": {"hostvars": {"h": {)" + vars + R"(}}}, "g": ["h"]})");
  };
  EXPECT_THAT(of_host(R"("ansible_port": "x")"), HasSubstr("host h: ansible_port"));
  EXPECT_THAT(of_host(R"("ansible_host": [1])"), HasSubstr("ansible_host takes one value"));
  const std::string vault = of_host(R"("ansible_password": {"__ansible_vault": "hunter2"})");
  EXPECT_THAT(vault, HasSubstr("ansible_password is locked in an Ansible Vault"));
  const std::string rendered = of_host(R"("ansible_password": "{{ hunter2 }}")");
  EXPECT_THAT(rendered, HasSubstr("ansible_password is a template"));
  const std::string broken = error(R"({"_meta": {"hostvars": {"h": {"ansible_password": "hunter2)");
  EXPECT_THAT(broken, HasSubstr("this is no JSON"));
  EXPECT_THAT(vault + rendered + broken, Not(HasSubstr("hunter2")));
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += R"({"a":)";
  EXPECT_THAT(error(deep), HasSubstr("nested more than 32 levels deep"));
}

class AnsibleProgram : public ::testing::Test {
 protected:
  std::string program(const std::string& script) {
    const std::string path = directory_ / "inventory";
    std::ofstream(path) << "#!/bin/sh\n" << script;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  static std::string error(const std::string& path, const ProgramLimits& limits = {}) {
    const auto read = read_ansible_inventory(path, limits);
    return read ? "no error" : read.error().message;
  }
  TemporaryDirectory directory_;
};

TEST_F(AnsibleProgram, IsRunWithListThenWithHost) {
  const auto path = program(
      "case $1 in --list) echo '{\"g\": [\"a\", \"b\"]}';;"
      " --host) echo '{\"x\": \"'$2'\"}';; esac");
  const auto inventory = read_inventory(path);
  ASSERT_TRUE(inventory) << inventory.error().message;
  ASSERT_THAT(inventory->hosts, SizeIs(2));
  EXPECT_EQ(inventory->hosts[1].data->at("x"), "b");
}

TEST_F(AnsibleProgram, ALargeListIsReadWhole) {
  const auto path = program(
      "echo '{\"_meta\": {}, \"g\": {\"hosts\": ['; i=0; while [ $i -lt 20000 ]; do echo "
      "'\"host-'$i'\",'; i=$((i+1)); done; echo '\"last\"]}}'");
  const auto inventory = read_ansible_inventory(path);
  ASSERT_TRUE(inventory) << inventory.error().message;
  EXPECT_THAT(inventory->hosts, SizeIs(20001));
  EXPECT_EQ(inventory->hosts.back().name, "last");
}

TEST_F(AnsibleProgram, HowItEndedAndWhatItSaidIsTold) {
  EXPECT_THAT(error(program("echo 'no token\x1b[31m' >&2; exit 3")),
              ::testing::AllOf(HasSubstr("--list: it ended with status 3; it said:\n  no token"),
                               Not(HasSubstr("\x1b"))));
  EXPECT_THAT(error(program("kill -9 $$")), HasSubstr("ended by signal 9"));
  EXPECT_THAT(error(program("echo '{\"g\": [\"a\"]}'; [ $1 = --list ] || exit 4")),
              HasSubstr("--host a: it ended with status 4"));
  EXPECT_THAT(error(directory_ / "none"), HasSubstr("No such file"));
  EXPECT_THAT(error(program("")), HasSubstr("this is no JSON"));
}

TEST_F(AnsibleProgram, IsStoppedWhenItTakesTooLongOrSaysTooMuch) {
  EXPECT_THAT(error(program("exec tail -f /dev/null"), {.time = Milliseconds(100)}),
              HasSubstr("it took too long and was stopped"));
  EXPECT_THAT(error(program("exec yes"), {.output = 100'000}),
              HasSubstr("it printed more than 100000 bytes"));
  EXPECT_THAT(error(program("tail -f /dev/null & echo '{\"_meta\": {}}'")), "no error")
      << "what it leaves behind does not count";
}

}  // namespace
}  // namespace netfleet

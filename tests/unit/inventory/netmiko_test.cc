#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dispatcher/inventory/parsers.h"

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

std::string error(const std::string& text) {
  const auto read = parse_netmiko_inventory(text, ".netmiko.yml");
  return read ? "no error" : read.error().message;
}

TEST(Netmiko, DevicesAndGroups) {
  const auto read = parse_netmiko_inventory(R"(---
__meta__: {encryption: false}
rtr1:
  device_type: cisco_ios
  host: 10.0.0.1
  username: admin
  password: hunter2
  port: 8022
  secret: hush
  session_log: out.txt
  site: lab
sw1: {device_type: autodetect, ip: 10.0.0.2, password: hunter2, ssh_args: {a: b}}
core: [rtr1]
everything:
  - sw1
  - rtr1
)",
                                            ".netmiko.yml");
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_THAT(read->hosts, SizeIs(2));
  const Host& router = read->hosts[0];
  EXPECT_EQ(router.name, "rtr1");
  EXPECT_EQ(router.address, "10.0.0.1");
  EXPECT_EQ(router.platform, "cisco_ios");
  EXPECT_EQ(router.user, "admin");
  EXPECT_EQ(router.port, 8022);
  EXPECT_EQ(router.credential, "inventory:1");
  EXPECT_THAT(router.groups, ElementsAre("core", "everything"));
  EXPECT_EQ(router.data->at("site"), "lab");
  EXPECT_FALSE(router.data->contains("secret"));
  EXPECT_EQ(read->hosts[1].platform, "auto");
  EXPECT_EQ(read->hosts[1].address, "10.0.0.2");
  EXPECT_EQ(read->hosts[1].credential, "inventory:2") << "the same password, another secret";
  EXPECT_EQ(read->passwords.at("inventory:1")->reveal(), "hunter2");
  EXPECT_EQ(read->enable_passwords.at("inventory:1")->reveal(), "hush");
  EXPECT_FALSE(read->enable_passwords.contains("inventory:2"));
  EXPECT_THAT(read->warnings, ::testing::IsEmpty());
}

TEST(Netmiko, ASecretWithoutAPasswordIsNotTaken) {
  const auto read = parse_netmiko_inventory("a: {host: a, secret: hush}\nb: {host: b, secret: x}\n",
                                            ".netmiko.yml");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->hosts[0].credential, "");
  EXPECT_TRUE(read->hosts[0].data.empty());
  EXPECT_THAT(read->warnings, ElementsAre(HasSubstr(".netmiko.yml:1: 'secret' is only taken")));
}

TEST(Netmiko, WhatIsWrongNamesItsLine) {
  const std::string device = "a: {device_type: cisco_ios, host: h}\n";
  EXPECT_THAT(error("- a\n"), HasSubstr(".netmiko.yml:1: expected a map of devices"));
  EXPECT_THAT(error(device + "b: 5\n"), HasSubstr(":2: 'b' is neither a device"));
  EXPECT_THAT(error("a: {device_type: cisco_ios}\n"), HasSubstr("neither 'host' nor 'ip'"));
  EXPECT_THAT(error("a: {host: h, port: x}\n"), HasSubstr(":1: "));
  EXPECT_THAT(error("a: {host: 'h h'}\n"), HasSubstr(":1: "));
  EXPECT_THAT(error("a: {host: [h]}\n"), HasSubstr("'host' takes one value"));
  EXPECT_THAT(error("a: {host: h, device_type: cisco_ios_telnet}\n"), HasSubstr("SSH only"));
  EXPECT_THAT(error("rtr1: {host: h}\ng: [rtr2]\n"),
              HasSubstr(":2: group 'g': no device is called 'rtr2', did you mean 'rtr1'?"));
  EXPECT_THAT(error("g: [[a]]\n"), HasSubstr("no device is called"));
  EXPECT_THAT(error("a: {\n"), HasSubstr(".netmiko.yml:"));
  EXPECT_THAT(error(""), "no error");
}

TEST(Netmiko, EncryptedSecretsAreRefusedAndNotShown) {
  EXPECT_THAT(error("__meta__:\n  encryption: true\n  encryption_type: fernet\na: {host: h}\n"),
              HasSubstr(":2: the file's secrets are encrypted"));
  const std::string message = error("a: {host: h, password: '__encrypt__c2Vj'}\n");
  EXPECT_THAT(message, HasSubstr("the password is encrypted"));
  EXPECT_THAT(message, Not(HasSubstr("c2Vj")));
}

}  // namespace
}  // namespace netfleet

#include "common/credential_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string error(std::string_view text) {
  const auto read = parse_credential_file(text, "/etc/c.yaml", "/nowhere/me");
  return read ? "no error" : read.error().message;
}

TEST(CredentialFile, SaysWhereSecretsAre) {
  const auto read = parse_credential_file(R"(credentials:
  night: {password_file: night.password, enable_password_env: ENABLE}
  lab:
    key: [~/.ssh/lab, keys/other, /abs]
    key_passphrase_env: PASS
    agent: true
  codes: {password_command: "pass show x", otp_command: oath}
)",
                                          "/etc/c.yaml", "/nowhere/me");
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->size(), 3u);
  const CredentialOptions& night = read->at("night");
  EXPECT_EQ(night.password, (SecretSource{SecretSource::Kind::kFile, "/etc/night.password"}));
  EXPECT_EQ(night.enable_password, (SecretSource{SecretSource::Kind::kEnvironment, "ENABLE"}));
  EXPECT_EQ(night.agent, AgentUse::kOff);
  const CredentialOptions& lab = read->at("lab");
  EXPECT_THAT(lab.keys, ElementsAre("/nowhere/me/.ssh/lab", "/etc/keys/other", "/abs"));
  EXPECT_EQ(lab.key_passphrase_env, "PASS");
  EXPECT_EQ(lab.agent, AgentUse::kOn);
  EXPECT_EQ(read->at("codes").password.argument, "pass show x");
  EXPECT_EQ(read->at("codes").otp_command, "oath");
  EXPECT_TRUE(parse_credential_file("", "c.yaml", "")->empty());
}

TEST(CredentialFile, WhatIsWrongNamesItsLineAndShowsNoSecret) {
  const std::string text = R"(credentials:
  a: {password: hunter2}
  b:
    enable_password: hunter2
    passwordfile: x
  c: {password_env: A, password_file: b}
  d: {agent: maybe, key: {x: y}}
  default: {agent: true}
  inventory:1: {agent: true}
more: 1
)";
  const std::string wrong = error(text);
  EXPECT_THAT(wrong, HasSubstr("/etc/c.yaml:2: this file holds no secrets"));
  EXPECT_THAT(wrong, HasSubstr("/etc/c.yaml:4: this file holds no secrets"));
  EXPECT_THAT(wrong, HasSubstr("/etc/c.yaml:5: unknown key 'passwordfile'"));
  EXPECT_THAT(wrong, HasSubstr("/etc/c.yaml:6: it is said above already"));
  EXPECT_THAT(wrong, HasSubstr("/etc/c.yaml:7: true or false"));
  EXPECT_THAT(wrong, HasSubstr("/etc/c.yaml:7: 'key' takes one value"));
  EXPECT_THAT(wrong, HasSubstr("/etc/c.yaml:8: the credential name 'default' is reserved"));
  EXPECT_THAT(wrong, HasSubstr("/etc/c.yaml:9: the credential name 'inventory:1' is reserved"));
  EXPECT_THAT(wrong, HasSubstr("/etc/c.yaml:10: unknown section 'more'"));
  EXPECT_THAT(wrong, ::testing::Not(HasSubstr("hunter2")));
  EXPECT_THAT(error("- a\n"), HasSubstr(":1: a file of credentials takes a map"));
  EXPECT_THAT(read_credential_file("/nowhere/c.yaml", "").error().message,
              HasSubstr("read credentials /nowhere/c.yaml: No such file"));
}

}  // namespace
}  // namespace netfleet

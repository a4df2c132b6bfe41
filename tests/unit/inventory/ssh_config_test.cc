// ssh_config on literals; ssh_config_openssh_test.cc compares it with the real ssh.
#include "dispatcher/inventory/ssh_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "dispatcher/inventory/ssh_config_words.h"

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Files = std::map<std::string, std::string>;

Expected<SshConfig> parse(const std::string& text, const Files& files = {}) {
  return SshConfig::parse(
      {"config", text}, [&](const std::string& pattern) -> Expected<std::vector<SshConfig::File>> {
        if (pattern == "unreadable") return fail("unreadable: no");
        const auto file = files.find(pattern);
        if (file == files.end()) return std::vector<SshConfig::File>{};
        return std::vector{SshConfig::File{file->first, file->second}};
      });
}

class Answers {
 public:
  explicit Answers(const std::string& text, const Files& files = {}) : config_(parse(text, files)) {
    EXPECT_TRUE(config_) << config_.error().message;
  }
  SshConfigAnswer operator()(std::string host, std::string user = "") {
    return config_->find({.host = std::move(host),
                          .user = std::move(user),
                          .port = 0,
                          .local_user = "me",
                          .home = "/home"},
                         ignored);
  }
  std::set<std::string> ignored;

 private:
  Expected<SshConfig> config_;
};

std::string error_of(const std::string& text, const Files& files = {}) {
  const auto config = parse(text, files);
  return config ? "no error" : config.error().message;
}

TEST(SshConfigWords, ReadsQuotesEscapesAndComments) {
  EXPECT_THAT(*ssh_config_words(R"(a "b c"  'd"e' f\"g h\ i "" # j)"),
              ElementsAre("a", "b c", "d\"e", "f\"g", "h i", ""));
  EXPECT_THAT(*ssh_config_words(R"(C:\path a#b)"), ElementsAre(R"(C:\path)", "a#b"));
  EXPECT_FALSE(ssh_config_words("a \"b"));
  const SshConfigLine line = split_ssh_config_line(" \tHostName =  a b\r");
  EXPECT_EQ(line.keyword, "hostname");
  EXPECT_EQ(line.rest, "a b");
  EXPECT_EQ(split_ssh_config_line("Port=22").rest, "22");
  EXPECT_EQ(split_ssh_config_line("  # Host a").keyword, "");
}

TEST(SshConfig, FirstValueWins) {
  Answers config(R"(
Port 2222
Host edge-*
  User edge
  Port 1
Host *
  User other
  HostName %h.example.net
)");
  EXPECT_EQ(config("edge-7").user, "edge");
  EXPECT_EQ(config("edge-7").port, 2222);
  EXPECT_EQ(config("core").user, "other");
  EXPECT_EQ(config("core").hostname, "core.example.net");
}

TEST(SshConfig, ExpandsIdentities) {
  Answers config(R"(
IdentityFile none
IdentityFile ~/.ssh/%h-%r
IdentityFile %d/.ssh/%n
IdentityFile ~/.ssh/%h-%r
IdentityFile ~other/key
IdentityFile ${HOME}/key
CertificateFile ~/.ssh/%u.%p.pub
HostName real
IdentitiesOnly yes
)");
  const auto answer = config("name", "ann");
  EXPECT_THAT(answer.identity_files, ElementsAre("/home/.ssh/real-ann", "/home/.ssh/name"));
  EXPECT_THAT(answer.certificate_files, ElementsAre("/home/.ssh/me.22.pub"));
  EXPECT_EQ(answer.identities_only, true);
  EXPECT_THAT(config.ignored, ElementsAre("IdentityFile ${HOME}/key", "IdentityFile ~other/key"));
}

TEST(SshConfig, KeepsAlgorithmsAsWritten) {
  Answers config(
      "Ciphers +3des-cbc\nKexAlgorithms sntrup761x25519-sha512@openssh.com\n"
      "PubkeyAcceptedKeyTypes +ssh-rsa\nCiphers aes128-ctr\n");
  const auto answer = config("a");
  EXPECT_EQ(to_text(answer.algorithms),
            "kex sntrup761x25519-sha512@openssh.com\nciphers +3des-cbc\n"
            "public_key_algorithms +ssh-rsa\n");
}

TEST(SshConfig, TellsProxies) {
  Answers config(R"(
Host a
  ProxyJump j1,user@j2:22
Host b
  ProxyCommand ssh -W "%h:%p"  gate  # all of it
Host c
  ProxyJump none
Host *
  ProxyJump last
)");
  EXPECT_EQ(config("a").proxy, "ProxyJump j1,user@j2:22");
  EXPECT_EQ(config("b").proxy, "ProxyCommand ssh -W \"%h:%p\"  gate  # all of it");
  EXPECT_EQ(config("c").proxy, "");
  EXPECT_EQ(config("d").proxy, "ProxyJump last");
}

TEST(SshConfig, IncludesInTheirBlock) {
  const Files files = {{"one", "User one\nHost b\n  Port 7\n"}, {"two", "Include one\n"}};
  Answers config("Host a\n  Include two missing\n  Port 5\nHost *\n  User last\n", files);
  EXPECT_EQ(config("a").user, "one");
  EXPECT_EQ(config("a").port, 5);
  EXPECT_EQ(config("b").user, "last");
  EXPECT_EQ(config("b").port, 0);
}

TEST(SshConfig, NamesWhatItDoesNotActOnWhereItHolds) {
  Answers config(R"(
ServerAliveInterval 5
NoSuchKeyword "open
Host a
  StrictHostKeyChecking no
Match exec "rm -rf /"
  User never
Match host b !canonical
  User never
)");
  EXPECT_EQ(config("b").user, "");
  EXPECT_THAT(config.ignored, ElementsAre("Match exec", "nosuchkeyword"));
  config("a");
  EXPECT_THAT(config.ignored, ElementsAre("Match exec", "nosuchkeyword", "stricthostkeychecking"));
}

TEST(SshConfig, SaysWhereItIsBroken) {
  EXPECT_EQ(error_of("\nPort x\n"), "config:2: 'x' is no port: expected 1 to 65535");
  EXPECT_EQ(error_of("User a b\nHostName %k\nHost\nIdentitiesOnly perhaps\nUser \"a\n"),
            "config:1: 'user' takes one value\n"
            "config:2: a HostName knows %h and %% alone\n"
            "config:3: 'host' needs a value\n"
            "config:4: 'perhaps' is neither yes nor no\n"
            "config:5: a quote is left open");
  EXPECT_EQ(error_of("Match\n"), "config:1: 'match' needs a value");
  EXPECT_EQ(error_of("Match weather fine\n"), "config:1: 'weather' is no criterion of Match");
  EXPECT_EQ(error_of("Match host\n"), "config:1: 'host' needs a value");
  EXPECT_EQ(error_of("Match all host a\n"), "config:1: 'Match all' stands alone");
  EXPECT_EQ(error_of("ProxyCommand\n"), "config:1: its value is missing");
  EXPECT_THAT(error_of("Ciphers a b\n"), HasSubstr("config:1: 'ciphers' takes one value"));
  EXPECT_EQ(error_of(std::string("\0", 1)), "config:1: this is no ssh_config");
  EXPECT_EQ(error_of("Include x\n", {{"x", "\n\nPort 0\n"}}),
            "x:3: '0' is no port: expected 1 to 65535");
  EXPECT_EQ(error_of("Include unreadable\n"), "config:1: unreadable: no");
  EXPECT_THAT(error_of("Include x\n", {{"x", "Include x\n"}}),
              HasSubstr("x:1: nested more than 16 deep"));
}

}  // namespace
}  // namespace netfleet

// What hosts need of SSH: who goes before whom, and the keys that ssh_config names.
#include "dispatcher/cli/ssh_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "dispatcher/cli/credentials.h"
#include "dispatcher/cli/ssh_identities.h"

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::SizeIs;

class SshSettings : public ::testing::Test {
 protected:
  SshSettings() {
    std::string pattern = (std::filesystem::temp_directory_path() / "settings-XXXXXX").string();
    home_ = mkdtemp(pattern.data());
    std::filesystem::create_directory(home_ + "/.ssh");
  }
  ~SshSettings() override { std::filesystem::remove_all(home_); }

  void configure(const std::string& text) { std::ofstream(home_ + "/.ssh/config") << text; }
  void add(const std::string& name, const std::string& address = "") {
    Host host;
    host.name = name;
    host.address = address.empty() ? name : address;
    hosts_.push_back(host);
  }
  void apply() {
    auto applied = apply_ssh_settings(options_, home_, "me", definitions_, hosts_, warnings_);
    ASSERT_TRUE(applied) << applied.error().message;
    jumps_.clear();
    for (JumpHost& jump : *applied) jumps_.emplace(jump.name, std::move(jump));
  }

  std::string home_;
  RunOptions options_;
  std::vector<JumpDefinition> definitions_;
  std::vector<Host> hosts_;
  JumpHosts jumps_;
  std::vector<std::string> warnings_;
};

TEST_F(SshSettings, FillsWhatNobodySays) {
  configure(
      "Host edge\n HostName 10.0.0.1\n Port 2222\n User ann\n Ciphers aes128-ctr,rot13\n"
      " IdentityFile ~/.ssh/id\n IdentitiesOnly yes\n StrictHostKeyChecking no\n");
  add("edge");
  add("core");
  apply();
  EXPECT_EQ(hosts_[0].address, "10.0.0.1");
  EXPECT_EQ(hosts_[0].port, 2222);
  EXPECT_EQ(hosts_[0].user, "ann");
  EXPECT_EQ(hosts_[0].ssh_options, "ciphers aes128-ctr\n");
  EXPECT_EQ(hosts_[0].credential, "ssh_config: key " + home_ + "/.ssh/id, only");
  EXPECT_EQ(hosts_[1].address, "core");
  EXPECT_EQ(hosts_[1].credential, "");
  EXPECT_EQ(hosts_[1].ssh_options, "");
  EXPECT_THAT(warnings_, ElementsAre("ssh_config: not acted on: rot13, stricthostkeychecking"));
}

TEST_F(SshSettings, InventoryAndCommandLineGoBefore) {
  configure(
      "HostName other\nPort 1\nUser nobody\nCiphers aes256-ctr\nMACs hmac-sha2-512\n"
      "KexAlgorithms +diffie-hellman-group14-sha1\nIdentityFile /k\n");
  add("edge", "10.0.0.1");
  hosts_[0].port = 22;
  hosts_[0].user = "ann";
  hosts_[0].credential = "tacacs";
  hosts_[0].ssh_options = "ciphers +3des-cbc\n";
  options_.ssh.algorithms[AlgorithmKind::kCiphers] = "aes128-ctr";
  options_.ssh.algorithms[AlgorithmKind::kMacs] = "^hmac-sha1";
  apply();
  EXPECT_EQ(hosts_[0].address, "10.0.0.1");
  EXPECT_EQ(hosts_[0].port, 22);
  EXPECT_EQ(hosts_[0].user, "ann");
  EXPECT_EQ(hosts_[0].credential, "tacacs");
  EXPECT_THAT(hosts_[0].ssh_options.str(),
              ::testing::MatchesRegex("kex .*,diffie-hellman-group14-sha1\nciphers .3des-cbc\n"
                                      "macs .hmac-sha1\n"));

  hosts_.clear();
  add("edge");
  options_.user = "bob";
  options_.user_given = true;
  options_.port = 830;
  options_.credentials.keys = {"/mine"};
  apply();
  EXPECT_EQ(hosts_[0].user, "");
  EXPECT_EQ(hosts_[0].port, 0);
  EXPECT_EQ(hosts_[0].credential, "");
}

TEST_F(SshSettings, AsksAboutTheNameOrTheAddressOfAList) {
  configure("Host edge\n User named\nHost 10.0.0.1\n User addressed\n HostName 10.9.9.9\n");
  add("edge", "10.0.0.1");
  add("10.0.0.1:2222", "10.0.0.1");
  apply();
  EXPECT_EQ(hosts_[0].user, "named");
  EXPECT_EQ(hosts_[1].user, "addressed");
  EXPECT_EQ(hosts_[1].address, "10.9.9.9");
}

TEST_F(SshSettings, RefusesWhatItCannotKeepTo) {
  configure("Host a\n ProxyCommand nc gate 22\nHost b\n Ciphers rot13\n");
  add("a");
  add("b");
  apply();
  EXPECT_THAT(hosts_[0].ssh_options.str(),
              HasSubstr("refuse ssh_config says ProxyCommand nc gate"));
  EXPECT_THAT(hosts_[1].ssh_options.str(), HasSubstr("refuse ssh_config: no cipher is left"));
}

TEST_F(SshSettings, NoneTurnsItOffAndErrorsNameTheFile) {
  configure("Port x\n");
  add("a");
  const auto applied = apply_ssh_settings(options_, home_, "me", definitions_, hosts_, warnings_);
  ASSERT_FALSE(applied);
  EXPECT_THAT(applied.error().message, HasSubstr("/.ssh/config:1: 'x' is no port"));
  options_.ssh.config = "none";
  apply();
}

TEST_F(SshSettings, JumpHostsComeFromTheInventoryTheCommandLineAndSshConfigInThatOrder) {
  for (const char* name : {"a", "b", "c", "d"}) add(name);
  hosts_[0].jump = "inventory";
  hosts_[1].jump = "none";
  hosts_[3].jump = "elsewhere";
  definitions_.resize(1);
  definitions_[0].host.name = definitions_[0].host.address = "inventory";
  definitions_[0].direct = true;
  options_.user = "me";
  configure("Host x y typed\n ProxyJump none\nHost c\n ProxyJump x\nHost *\n ProxyJump y\n");
  apply();
  EXPECT_EQ(hosts_[0].jump, "inventory");
  EXPECT_EQ(hosts_[1].jump, "");
  EXPECT_EQ(hosts_[2].jump, "x");
  EXPECT_EQ(hosts_[3].jump, "elsewhere") << "workers may know it";
  EXPECT_THAT(jumps_, ElementsAre(Key("inventory"), Key("x")));
  hosts_[1].jump = hosts_[2].jump = "";
  options_.jump = "typed";
  apply();
  EXPECT_EQ(hosts_[2].jump, "typed");
  options_.jump = "none";
  hosts_[2].jump = "";
  apply();
  EXPECT_EQ(hosts_[2].jump, "");
}

TEST_F(SshSettings, AJumpHostHasWhatItsDefinitionSaysThenSshConfigThenTheCommandLine) {
  configure(
      "Host b\n HostName 10.0.0.9\n Port 2222\n User ann\n IdentityFile /k\n Ciphers aes128-ctr\n");
  definitions_.resize(2);
  definitions_[0].host = {.name = "a",
                          .address = "192.0.2.1",
                          .port = 0,
                          .user = "jump",
                          .credential = "jump:a",
                          .via = "b"};
  definitions_[0].host_key_policy = HostKeyPolicy::kStrict;
  definitions_[1].host = {.name = "b", .address = "b", .port = 0};
  options_.user = "me";
  options_.host_key_policy = HostKeyPolicy::kOff;
  options_.jump = "a>bob@c:2200>ssh://[2001:db8::1]:22/";
  add("x");
  apply();
  EXPECT_EQ(hosts_[0].jump, options_.jump);
  EXPECT_EQ(jumps_["a"], (JumpHost{.name = "a",
                                   .address = "192.0.2.1",
                                   .user = "jump",
                                   .credential = "jump:a",
                                   .via = "b",
                                   .host_key_policy = HostKeyPolicy::kStrict}));
  EXPECT_EQ(jumps_["b"], (JumpHost{.name = "b",
                                   .address = "10.0.0.9",
                                   .port = 2222,
                                   .user = "ann",
                                   .credential = "ssh_config: key /k",
                                   .host_key_policy = HostKeyPolicy::kOff,
                                   .ssh_options = "ciphers aes128-ctr\n"}));
  EXPECT_EQ(jumps_["bob@c:2200"].address, "c");
  EXPECT_EQ(jumps_["bob@c:2200"].port, 2200);
  EXPECT_EQ(jumps_["bob@c:2200"].user, "bob");
  EXPECT_EQ(jumps_["bob@c:2200"].credential, "default");
  EXPECT_EQ(jumps_["ssh://[2001:db8::1]:22/"].address, "2001:db8::1");
  EXPECT_EQ(jumps_["ssh://[2001:db8::1]:22/"].user, "me");
}

TEST_F(SshSettings, TheFirstHopsOwnProxyCountsAndLoopsAreErrors) {
  configure(
      "Host a\n ProxyJump b,c\nHost gate\n ProxyCommand nc %h\nHost l\n ProxyJump m\n"
      "Host m\n ProxyJump l\n");
  options_.user = "me";
  options_.jump = "a";
  add("x");
  apply();
  EXPECT_EQ(jumps_["a"].via, "b>c");
  EXPECT_THAT(jumps_, SizeIs(3));
  hosts_[0].jump = "";
  options_.jump = "gate";
  apply();
  EXPECT_THAT(jumps_["gate"].ssh_options, HasSubstr("refuse ssh_config says ProxyCommand nc"));
  for (const auto& [jump, message] : {std::pair{"l", "jump host 'l': a loop: l -> m -> l"},
                                      std::pair{"x y", "jump host 'x y': 'x y' is no host name"}}) {
    hosts_[0].jump = "";
    options_.jump = jump;
    const auto applied = apply_ssh_settings(options_, home_, "me", definitions_, hosts_, warnings_);
    ASSERT_FALSE(applied) << jump;
    EXPECT_THAT(applied.error().message, HasSubstr(message));
  }
  options_.user = "";
  options_.jump = "a";
  const auto nobody = apply_ssh_settings(options_, home_, "me", definitions_, hosts_, warnings_);
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().message,
            "the way to x: jump host 'a': no user to log in as: give -u USER");
}

TEST_F(SshSettings, WorkersUseKeysOfTheirOwnForJumpHostsToo) {
  options_.listen = "ipc:///x";
  options_.jump = "a";
  options_.user = "me";
  options_.ssh.config = "none";
  definitions_.resize(1);
  definitions_[0].host = {.name = "a", .address = "a", .credential = "jump:a"};
  definitions_[0].key = "/k";
  add("x");
  apply();
  EXPECT_EQ(jumps_["a"].credential, "default");
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("keys of jump hosts are not used")));
}

TEST_F(SshSettings, WorkersUseKeysOfTheirOwn) {
  configure("IdentityFile /k\n");
  options_.listen = "ipc:///x";
  add("a");
  apply();
  EXPECT_EQ(hosts_[0].credential, "");
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("IdentityFile is not used")));
}

TEST_F(SshSettings, KeysAreACredentialThatNamesThem) {
  SshIdentities identities{{home_ + "/plain", home_ + "/missing", home_ + "/locked", "/a, b"},
                           {home_ + "/plain-cert.pub"},
                           true};
  const std::string name = credential_name(identities);
  identities.keys.pop_back();  // cannot be named
  EXPECT_EQ(identities_of(name), identities);
  EXPECT_EQ(identities_of("tacacs"), std::nullopt);
  EXPECT_EQ(identities_of(credential_name({})), SshIdentities());

  std::ofstream(home_ + "/plain");
  std::ofstream(home_ + "/locked");
  Credential own;
  own.password = Secret("pw");
  own.use_agent = true;
  const auto is_locked = [](const std::string& path) -> Expected<bool> {
    return path.ends_with("locked");
  };
  const Credential made = with_identities(own, identities, {}, is_locked, warnings_);
  ASSERT_EQ(made.keys.size(), 1u);
  EXPECT_EQ(made.keys[0].path, home_ + "/plain");
  EXPECT_EQ(made.keys[0].certificate, home_ + "/plain-cert.pub");
  EXPECT_EQ(made.password.reveal(), "pw");
  EXPECT_FALSE(made.use_agent);
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("locked: it needs a passphrase")));
}

TEST_F(SshSettings, APasswordIsAskedForOnlyWhereSomebodyIs) {
  std::ofstream(home_ + "/key");
  add("a");
  hosts_[0].credential = "ssh_config: key " + home_ + "/key";
  bool terminal = false;
  std::vector<std::string> prompts;
  CredentialIo io;
  io.has_terminal = [&] { return terminal; };
  io.read_password = [&](const std::string& prompt) -> std::expected<Secret, PromptFailure> {
    prompts.push_back(prompt);
    return Secret();
  };
  io.needs_passphrase = [](const std::string&) -> Expected<bool> { return false; };
  options_.credentials.agent = AgentUse::kOff;
  const auto gather = [&] {
    return gather_credentials(options_.credentials, {}, "ann", hosts_, {}, {}, false, io,
                              warnings_);
  };
  auto store = gather();
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ(store->at(hosts_[0].credential.str())->keys.size(), 1u);
  EXPECT_THAT(prompts, IsEmpty());
  terminal = true;
  ASSERT_TRUE(gather());
  EXPECT_THAT(prompts, ElementsAre("Password for ann (Enter: ssh_config's keys alone): "));
}

}  // namespace
}  // namespace netfleet

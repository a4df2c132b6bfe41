#include "dispatcher/cli/credentials.h"

#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Kind = SecretSource::Kind;

class Credentials : public ::testing::Test {
 protected:
  Credentials() {
    unsetenv("SSH_AUTH_SOCK");
    setenv("NETFLEET_TEST_SECRET", "from-env", 1);
    std::string pattern = (std::filesystem::temp_directory_path() / "secrets-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    io_.has_terminal = [this] { return terminal_; };
    io_.read_password = [this](const std::string& prompt) -> std::expected<Secret, PromptFailure> {
      prompts_.push_back(prompt);
      if (interrupt_ != 0) return std::unexpected(PromptFailure{"interrupted", interrupt_});
      return Secret("typed");
    };
    io_.needs_passphrase = [](const std::string& path) -> Expected<bool> {
      if (path.ends_with("missing")) return fail("read key " + path + ": no such file");
      return path.ends_with("encrypted");
    };
    Host host;
    host.name = host.address = "edge";
    hosts_.push_back(host);
  }
  ~Credentials() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& name, std::string_view text, mode_t mode = 0600) {
    const std::string path = directory_ + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    chmod(path.c_str(), mode);
    return path;
  }

  std::expected<CredentialStore, PromptFailure> gather() {
    return gather_credentials(options_, named_, "ann", hosts_, jumps_, inventory_, remote_workers_,
                              io_, warnings_);
  }
  std::string error() {
    const auto store = gather();
    return store ? "no error" : store.error().message;
  }
  std::string password_from(Kind kind, const std::string& argument) {
    options_.password = {kind, argument};
    const auto store = gather();
    return std::string(store ? store->at("default")->password.reveal() : store.error().message);
  }

  CredentialOptions options_;
  NamedCredentials named_;
  std::vector<Host> hosts_;
  std::vector<JumpHost> jumps_;
  Inventory inventory_;
  bool remote_workers_ = false;
  CredentialIo io_;
  std::vector<std::string> warnings_;
  std::vector<std::string> prompts_;
  std::string directory_;
  bool terminal_ = true;
  int interrupt_ = 0;
};

TEST_F(Credentials, AsksWhenNothingElseIsThere) {
  const auto store = gather();
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ(store->at("default")->password.reveal(), "typed");
  EXPECT_THAT(prompts_, ElementsAre("Password for ann: "));
}

TEST_F(Credentials, WithoutATerminalSaysWhatToGive) {
  terminal_ = false;
  EXPECT_THAT(error(), HasSubstr("no terminal to ask at: give --password-env, --password-file, "
                                 "--password-command, --key or --agent"));
}

TEST_F(Credentials, AnInterruptedPromptIsToldApart) {
  interrupt_ = 2;
  const auto store = gather();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().signal, 2);
}

TEST_F(Credentials, DoesNotAskWithASourceAKeyAnAgentOrAnInventoryPassword) {
  options_.password = {Kind::kEnvironment, "NETFLEET_TEST_SECRET"};
  EXPECT_EQ(gather()->at("default")->password.reveal(), "from-env");
  options_ = {};
  options_.keys = {"plain"};
  EXPECT_EQ(gather()->at("default")->keys.at(0).path, "plain");
  options_ = {};
  setenv("SSH_AUTH_SOCK", "/run/agent", 1);
  options_.agent = AgentUse::kOn;
  EXPECT_TRUE(gather()->at("default")->use_agent);
  options_.agent = AgentUse::kOff;
  hosts_[0].credential = "inventory:1";
  inventory_.passwords.emplace("inventory:1", std::make_shared<const Secret>("of the inventory"));
  options_.enable_password = {Kind::kEnvironment, "NETFLEET_TEST_SECRET"};
  const auto store = gather();
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ(store->at("inventory:1")->password.reveal(), "of the inventory");
  EXPECT_EQ(store->at("inventory:1")->enable_password.reveal(), "from-env");
  EXPECT_FALSE(store->at("default")->use_agent);
  EXPECT_THAT(prompts_, IsEmpty());
}

TEST_F(Credentials, AnAgentThatMerelyRunsIsUsedButAPersonIsStillAsked) {
  setenv("SSH_AUTH_SOCK", "/run/agent", 1);
  const auto asked = gather();
  EXPECT_TRUE(asked->at("default")->use_agent);
  EXPECT_EQ(asked->at("default")->password.reveal(), "typed");
  EXPECT_THAT(prompts_, ElementsAre("Password for ann (Enter: the agent's keys alone): "));
  terminal_ = false;
  EXPECT_TRUE(gather()->at("default")->password.empty());
}

TEST_F(Credentials, AskPasswordForcesThePrompt) {
  options_.keys = {"plain"};
  options_.ask_password = true;
  EXPECT_EQ(gather()->at("default")->password.reveal(), "typed");
  options_.password = {Kind::kEnvironment, "NETFLEET_TEST_SECRET"};
  EXPECT_THAT(error(), HasSubstr("exclude each other"));
}

TEST_F(Credentials, KeysBringCertificatesAndPassphrases) {
  const std::string key = write("id", "");
  write("id-cert.pub", "");
  options_.keys = {key, "encrypted"};
  auto store = gather();
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ(store->at("default")->keys[0].certificate, key + "-cert.pub");
  EXPECT_TRUE(store->at("default")->keys[0].passphrase.empty());
  EXPECT_EQ(store->at("default")->keys[1].certificate, "");
  EXPECT_EQ(store->at("default")->keys[1].passphrase.reveal(), "typed");
  EXPECT_THAT(prompts_, ElementsAre("Passphrase for encrypted: "));
  options_.key_passphrase_env = "NETFLEET_TEST_SECRET";
  EXPECT_EQ(gather()->at("default")->keys[1].passphrase.reveal(), "from-env");
  EXPECT_EQ(prompts_.size(), 1u);
}

TEST_F(Credentials, KeyErrors) {
  options_.keys = {"missing"};
  EXPECT_EQ(error(), "read key missing: no such file");
  options_.keys = {"encrypted"};
  terminal_ = false;
  EXPECT_THAT(error(), HasSubstr("give --key-passphrase-env"));
  terminal_ = true;
  interrupt_ = 15;
  const auto store = gather();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().signal, 15);
}

TEST_F(Credentials, UnknownNamesAreErrorsUnlessWorkersResolveThem) {
  hosts_[0].credential = "tacacs";
  EXPECT_EQ(error(),
            "host edge asks for the credential 'tacacs', which is not known here "
            "(--credential-file says where one is)");
  remote_workers_ = true;
  EXPECT_TRUE(gather());
  EXPECT_THAT(prompts_, IsEmpty());
}

TEST_F(Credentials, OfThoseInAFileTheOnesThatAreAskedForAreRead) {
  named_["night"].password = {Kind::kEnvironment, "NETFLEET_TEST_SECRET"};
  named_["other"].password = {Kind::kFile, "/nowhere"};
  hosts_[0].credential = "night";
  const auto store = gather();
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ(store->at("night")->password.reveal(), "from-env");
  EXPECT_FALSE(store->contains("other"));
  EXPECT_THAT(prompts_, IsEmpty());
  hosts_[0].credential = "other";
  EXPECT_THAT(error(), HasSubstr("credential 'other': read"));
  named_["keys"].keys = {"plain"};
  hosts_[0].credential = "keys";
  EXPECT_EQ(gather()->at("keys")->keys.at(0).path, "plain");
  remote_workers_ = true;
  EXPECT_FALSE(gather()->contains("keys")) << "keys are the workers' own";
}

TEST_F(Credentials, AnInventorysPasswordOfPrivilegedModeGoesBeforeTheCommandLines) {
  inventory_.passwords.emplace("inventory:1", std::make_shared<const Secret>("login"));
  inventory_.enable_passwords.emplace("inventory:1", std::make_shared<const Secret>("enable"));
  hosts_[0].credential = "inventory:1";
  options_.enable_password = {Kind::kEnvironment, "NETFLEET_TEST_SECRET"};
  EXPECT_EQ(gather()->at("inventory:1")->enable_password.reveal(), "enable");
}

TEST_F(Credentials, AnAgentThatIsNotThereIsAnError) {
  options_.agent = AgentUse::kOn;
  EXPECT_EQ(error(), "--agent: SSH_AUTH_SOCK is not set");
}

TEST_F(Credentials, FromTheEnvironment) {
  EXPECT_EQ(password_from(Kind::kEnvironment, "NETFLEET_TEST_SECRET"), "from-env");
  EXPECT_EQ(password_from(Kind::kEnvironment, "NETFLEET_TEST_UNSET"),
            "read the password from environment variable NETFLEET_TEST_UNSET: it is not set");
  setenv("NETFLEET_TEST_EMPTY", "", 1);
  EXPECT_THAT(password_from(Kind::kEnvironment, "NETFLEET_TEST_EMPTY"), HasSubstr("it is empty"));
}

TEST_F(Credentials, FromAFilesFirstLine) {
  EXPECT_EQ(password_from(Kind::kFile, write("p", " secret \r\nsecond\n")), " secret ");
  EXPECT_EQ(password_from(Kind::kFile, write("p", "secret")), "secret");
  EXPECT_EQ(password_from(Kind::kFile, write("p", std::string(4096, 'x') + "\n")).size(), 4096u);
  EXPECT_THAT(warnings_, IsEmpty());
  EXPECT_EQ(password_from(Kind::kFile, write("open", "secret", 0644)), "secret");
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("others may read it: chmod 600")));
}

TEST_F(Credentials, FileErrors) {
  EXPECT_THAT(password_from(Kind::kFile, directory_ + "/none"), HasSubstr("No such file"));
  EXPECT_THAT(password_from(Kind::kFile, directory_), HasSubstr("Is a directory"));
  EXPECT_THAT(password_from(Kind::kFile, write("p", "")), HasSubstr("its first line is empty"));
  EXPECT_THAT(password_from(Kind::kFile, write("p", "\nx")), HasSubstr("its first line is empty"));
  EXPECT_THAT(password_from(Kind::kFile, write("p", std::string(4097, 'x'))),
              HasSubstr("longer than 4096 bytes"));
  EXPECT_THAT(password_from(Kind::kFile, write("p", std::string_view("a\0b", 3))),
              HasSubstr("NUL byte"));
}

TEST_F(Credentials, FromACommand) {
  EXPECT_EQ(password_from(Kind::kCommand, "echo secret; echo second"), "secret");
  EXPECT_EQ(password_from(Kind::kCommand, "printf '%s' \"$NETFLEET_TEST_SECRET\""), "from-env");
  EXPECT_EQ(password_from(Kind::kCommand, "echo secret; cat"), "secret");  // stdin is empty
  // Output beyond the first line is read and forgotten; one left behind does not hold us up.
  EXPECT_EQ(password_from(Kind::kCommand, "echo secret; head -c 200000 /dev/zero"), "secret");
  EXPECT_EQ(password_from(Kind::kCommand, "echo secret; sleep 60 2>/dev/null &"), "secret");
}

TEST_F(Credentials, CommandErrorsDoNotShowTheCommand) {
  const std::string failed = password_from(Kind::kCommand, "echo s3cret; exit 3");
  EXPECT_THAT(failed, HasSubstr("from the command: it ended with status 3"));
  EXPECT_THAT(failed, Not(HasSubstr("s3cret")));
  EXPECT_THAT(password_from(Kind::kCommand, "kill -9 $$"), HasSubstr("ended by signal 9"));
  EXPECT_THAT(password_from(Kind::kCommand, "true"), HasSubstr("its first line is empty"));
}

}  // namespace
}  // namespace netfleet

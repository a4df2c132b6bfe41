#include "dispatcher/cli/credentials.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "dispatcher/cli/ssh_identities.h"

namespace netfleet {
namespace {

constexpr std::string_view kWays =
    "give --password-env, --password-file, --password-command, --key or --agent";

// The distinct credentials that are asked for, each with one who asks: "host edge-7".
class Logins {
 public:
  Logins(const std::vector<Host>& hosts, const std::vector<JumpHost>& jumps) {
    for (const Host& host : hosts) {
      if (names_.emplace(host.credential.view()).second) {
        logins_.push_back({fmt::format("host {}", host.name), host.credential.str()});
      }
    }
    for (const JumpHost& jump : jumps) {
      if (names_.emplace(jump.credential).second) {
        logins_.push_back({fmt::format("jump host {}", jump.name), jump.credential});
      }
    }
  }
  struct Login {
    std::string who;
    std::string credential;
  };
  const std::vector<Login>& all() const { return logins_; }

 private:
  std::set<std::string, std::less<>> names_;
  std::vector<Login> logins_;
};

bool has_keys(const Logins::Login& login) {
  const auto identities = identities_of(login.credential);
  return identities && !identities->keys.empty();
}

// Whether somebody is logged in to with the command line's credential, with keys of ssh_config or
// not.
bool uses_default(const Logins::Login& login) {
  return login.credential.empty() || login.credential == kDefaultCredential ||
         login.credential.starts_with(kSshConfigCredentials);
}

// The credentials that are asked for and nobody here knows.
Expected<void> check_names(const Logins& logins, const CredentialStore& store) {
  for (const auto& [who, credential] : logins.all()) {
    if (credential.empty() || store.contains(credential)) continue;
    return fail(
        fmt::format("{} asks for the credential '{}', which is not known here (--credential-file "
                    "says where one is)",
                    who, credential));
  }
  return {};
}

class Gathering {
 public:
  Gathering(const CredentialIo& io, std::vector<std::string>& warnings)
      : io_(io), warnings_(warnings) {}

  std::expected<Credential, PromptFailure> own(const CredentialOptions& options,
                                               const std::string& user, const Logins& logins) {
    auto credential = read(options);
    if (!credential) return credential;
    // An agent that merely happens to run says nothing about these devices: a person is asked all
    // the same, and may answer with Enter.
    const bool meant =
        options.password.given() || !credential->keys.empty() || options.agent == AgentUse::kOn;
    const bool needed = std::ranges::any_of(logins.all(), uses_default);
    if (!options.ask_password && (meant || !needed)) return std::move(*credential);
    // So do the keys of ssh_config.
    const bool may_do =
        credential->use_agent || std::ranges::all_of(logins.all(), [](const auto& login) {
          return !uses_default(login) || has_keys(login);
        });
    const bool terminal = io_.has_terminal();
    if (!terminal && may_do && !options.ask_password) return std::move(*credential);
    if (!terminal) {
      return std::unexpected(PromptFailure{
          fmt::format("a password is needed, and there is no terminal to ask at: {}", kWays)});
    }
    const std::string_view hint = credential->use_agent ? " (Enter: the agent's keys alone)"
                                  : may_do              ? " (Enter: ssh_config's keys alone)"
                                                        : "";
    auto password =
        io_.read_password(user.empty() ? fmt::format("Password{}: ", hint)
                                       : fmt::format("Password for {}{}: ", user, hint));
    if (!password) return std::unexpected(std::move(password.error()));
    credential->password = *std::move(password);
    return std::move(*credential);
  }

  // The password and key that an inventory gives a jump host, and what else the command line says
  // of logging in.
  std::expected<Credential, PromptFailure> of_jump_host(const JumpDefinition& jump,
                                                        const CredentialOptions& own) {
    auto credential = read(login_options(jump, own, io_.home));
    if (!credential) {
      credential.error().message = fmt::format("{}: jump host '{}': {}", jump.place, jump.host.name,
                                               credential.error().message);
      return credential;
    }
    if (jump.password != nullptr) credential->password = jump.password->clone();
    return credential;
  }

  // One of a file of credentials.
  std::expected<Credential, PromptFailure> named(const std::string& name,
                                                 const CredentialOptions& where) {
    auto credential = read(where);
    if (!credential) {
      credential.error().message =
          fmt::format("credential '{}': {}", name, credential.error().message);
    }
    return credential;
  }

 private:
  std::expected<Credential, PromptFailure> read(const CredentialOptions& options) {
    auto credential = read_credential(
        options, io_.needs_passphrase, [this](const std::string& path) { return passphrase(path); },
        warnings_);
    if (credential) return *std::move(credential);
    if (interrupted_) return std::unexpected(*std::move(interrupted_));
    return std::unexpected(PromptFailure{credential.error().message});
  }

  // The passphrase of a key; remembers an interruption, which read_credential cannot report.
  Expected<Secret> passphrase(const std::string& path) {
    if (!io_.has_terminal()) {
      return fail(
          fmt::format("the key {} needs a passphrase, and there is no terminal to ask at: give "
                      "--key-passphrase-env",
                      path));
    }
    auto answer = io_.read_password(fmt::format("Passphrase for {}: ", path));
    if (answer) return *std::move(answer);
    interrupted_ = answer.error();
    return fail(answer.error().message);
  }

  const CredentialIo& io_;
  std::vector<std::string>& warnings_;
  std::optional<PromptFailure> interrupted_;
};

}  // namespace

std::expected<CredentialStore, PromptFailure> gather_credentials(
    const CredentialOptions& options, const NamedCredentials& named, const std::string& user,
    const std::vector<Host>& hosts, const std::vector<JumpHost>& jumps, const Inventory& inventory,
    bool remote_workers, const CredentialIo& io, std::vector<std::string>& warnings) {
  if (options.ask_password && options.password.given()) {
    return std::unexpected(
        PromptFailure{"--ask-password and another source of the password exclude each other"});
  }
  const Logins logins(hosts, jumps);
  Gathering gathering(io, warnings);
  auto own = gathering.own(options, user, logins);
  if (!own) return std::unexpected(std::move(own.error()));
  CredentialStore store;
  for (const auto& [name, password] : inventory.passwords) {
    auto credential = std::make_shared<Credential>();
    credential->password = password->clone();
    const auto enable = inventory.enable_passwords.find(name);
    credential->enable_password = enable == inventory.enable_passwords.end()
                                      ? own->enable_password.clone()
                                      : enable->second->clone();
    credential->otp_command = own->otp_command;
    store.emplace(name, std::move(credential));
  }
  for (const JumpDefinition& jump : inventory.jumps) {
    const bool used = std::ranges::find(jumps, jump.host.name, &JumpHost::name) != jumps.end();
    if (!used || !jump.has_secret() || (remote_workers && jump.password == nullptr)) continue;
    auto credential = gathering.of_jump_host(jump, options);
    if (!credential) return std::unexpected(std::move(credential.error()));
    store.emplace(jump.host.credential, std::make_shared<const Credential>(*std::move(credential)));
  }
  for (const auto& [who, name] : logins.all()) {
    if (store.contains(name)) continue;
    if (const auto known = named.find(name); known != named.end()) {
      if (remote_workers && !known->second.password.given()) continue;
      auto credential = gathering.named(name, known->second);
      if (!credential) return std::unexpected(std::move(credential.error()));
      store.emplace(name, std::make_shared<const Credential>(*std::move(credential)));
      continue;
    }
    const auto identities = identities_of(name);
    if (!identities) continue;
    store.emplace(name, std::make_shared<const Credential>(with_identities(
                            *own, *identities, options, io.needs_passphrase, warnings)));
  }
  store.emplace(kDefaultCredential, std::make_shared<const Credential>(std::move(*own)));
  if (!remote_workers) {
    if (const auto known = check_names(logins, store); !known) {
      return std::unexpected(PromptFailure{known.error().message});
    }
  }
  return store;
}

}  // namespace netfleet

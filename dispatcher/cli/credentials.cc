#include "dispatcher/cli/credentials.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "dispatcher/cli/ssh_identities.h"

namespace netfleet {
namespace {

constexpr std::string_view kWays =
    "give --password-env, --password-file, --password-command, --key or --agent";

bool has_keys(const Host& host) {
  const auto identities = identities_of(host.credential);
  return identities && !identities->keys.empty();
}

// Whether a host is logged in to with the command line's credential, with keys of ssh_config or
// not.
bool uses_default(const Host& host) {
  return host.credential.empty() || host.credential == kDefaultCredential ||
         host.credential.view().starts_with(kSshConfigCredentials);
}

// The credentials that hosts name and nobody here knows.
Expected<void> check_names(const std::vector<Host>& hosts, const CredentialStore& store) {
  for (const Host& host : hosts) {
    if (host.credential.empty() || store.contains(host.credential)) continue;
    return fail(fmt::format("host {} asks for the credential '{}', which is not known here",
                            host.name, host.credential));
  }
  return {};
}

class Gathering {
 public:
  Gathering(const CredentialIo& io, std::vector<std::string>& warnings)
      : io_(io), warnings_(warnings) {}

  std::expected<Credential, PromptFailure> own(const CredentialOptions& options,
                                               const std::string& user,
                                               const std::vector<Host>& hosts) {
    auto credential = read_credential(
        options, io_.needs_passphrase, [this](const std::string& path) { return passphrase(path); },
        warnings_);
    if (!credential) {
      if (interrupted_) return std::unexpected(*std::move(interrupted_));
      return std::unexpected(PromptFailure{credential.error().message});
    }
    // An agent that merely happens to run says nothing about these devices: a person is asked all
    // the same, and may answer with Enter.
    const bool meant =
        options.password.given() || !credential->keys.empty() || options.agent == AgentUse::kOn;
    const bool needed = std::ranges::any_of(hosts, uses_default);
    if (!options.ask_password && (meant || !needed)) return std::move(*credential);
    // So do the keys of ssh_config.
    const bool may_do = credential->use_agent || std::ranges::all_of(hosts, [](const Host& host) {
                          return !uses_default(host) || has_keys(host);
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

 private:
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
    const CredentialOptions& options, const std::string& user, const std::vector<Host>& hosts,
    const Inventory& inventory, bool remote_workers, const CredentialIo& io,
    std::vector<std::string>& warnings) {
  if (options.ask_password && options.password.given()) {
    return std::unexpected(
        PromptFailure{"--ask-password and another source of the password exclude each other"});
  }
  auto own = Gathering(io, warnings).own(options, user, hosts);
  if (!own) return std::unexpected(std::move(own.error()));
  CredentialStore store;
  for (const auto& [name, password] : inventory.passwords) {
    auto credential = std::make_shared<Credential>();
    credential->password = password->clone();
    credential->enable_password = own->enable_password.clone();
    credential->otp_command = own->otp_command;
    store.emplace(name, std::move(credential));
  }
  for (const Host& host : hosts) {
    if (store.contains(host.credential)) continue;
    const auto identities = identities_of(host.credential);
    if (!identities) continue;
    store.emplace(host.credential.str(),
                  std::make_shared<const Credential>(
                      with_identities(*own, *identities, options, io.needs_passphrase, warnings)));
  }
  store.emplace(kDefaultCredential, std::make_shared<const Credential>(std::move(*own)));
  if (!remote_workers) {
    if (const auto known = check_names(hosts, store); !known) {
      return std::unexpected(PromptFailure{known.error().message});
    }
  }
  return store;
}

}  // namespace netfleet

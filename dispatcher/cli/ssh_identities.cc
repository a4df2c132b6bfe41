#include "dispatcher/cli/ssh_identities.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace netfleet {
namespace {

constexpr std::string_view kSeparator = ", ";
constexpr std::string_view kKey = "key ";
constexpr std::string_view kCertificate = "certificate ";
constexpr std::string_view kOnly = "only";

bool is_there(const std::string& path) { return access(path.c_str(), R_OK) == 0; }

// The certificate for a key: FILE-cert.pub, or the only one there is for the only key.
std::string certificate_for(const std::string& key, const SshIdentities& identities) {
  const std::string beside = key + "-cert.pub";
  if (std::ranges::find(identities.certificates, beside) != identities.certificates.end() ||
      is_there(beside)) {
    return beside;
  }
  const bool clear = identities.keys.size() == 1 && identities.certificates.size() == 1;
  return clear ? identities.certificates.front() : "";
}

// Makes it a key that can be used, or says why it cannot; nothing to say: it is left to the agent.
Expected<bool> unlock(Credential::Key& key, const Credential& own, const CredentialOptions& options,
                      const NeedsPassphrase& needs_passphrase, std::vector<std::string>& warnings) {
  const auto encrypted = needs_passphrase(key.path);
  if (!encrypted) return std::unexpected(encrypted.error());
  if (!*encrypted) return true;
  if (options.key_passphrase_env.empty()) {
    if (own.use_agent) return false;
    return fail(fmt::format("key {}: it needs a passphrase: give --key-passphrase-env, or -k {}",
                            key.path, key.path));
  }
  auto passphrase = read_secret({SecretSource::Kind::kEnvironment, options.key_passphrase_env},
                                "passphrase", warnings);
  if (!passphrase) return std::unexpected(passphrase.error());
  key.passphrase = *std::move(passphrase);
  return true;
}

}  // namespace

std::string credential_name(const SshIdentities& identities) {
  std::string name(kSshConfigCredentials);
  const auto add = [&](std::string_view what, std::string_view path) {
    if (path.find(kSeparator) != std::string_view::npos) return;
    name += fmt::format("{}{}{}", name.ends_with(':') ? " " : kSeparator, what, path);
  };
  for (const std::string& key : identities.keys) add(kKey, key);
  for (const std::string& certificate : identities.certificates) add(kCertificate, certificate);
  if (identities.only) add(kOnly, "");
  return name;
}

std::optional<SshIdentities> identities_of(std::string_view credential) {
  if (!credential.starts_with(kSshConfigCredentials)) return std::nullopt;
  credential.remove_prefix(kSshConfigCredentials.size());
  SshIdentities identities;
  while (!credential.empty()) {
    credential.remove_prefix(credential.starts_with(kSeparator) ? kSeparator.size() : 1);
    const std::string_view part = credential.substr(0, credential.find(kSeparator));
    credential.remove_prefix(part.size());
    if (part.starts_with(kKey)) {
      identities.keys.emplace_back(part.substr(kKey.size()));
    } else if (part.starts_with(kCertificate)) {
      identities.certificates.emplace_back(part.substr(kCertificate.size()));
    } else {
      identities.only = identities.only || part == kOnly;
    }
  }
  return identities;
}

Credential with_identities(const Credential& own, const SshIdentities& identities,
                           const CredentialOptions& options,
                           const NeedsPassphrase& needs_passphrase,
                           std::vector<std::string>& warnings) {
  Credential credential;
  credential.password = own.password.clone();
  credential.enable_password = own.enable_password.clone();
  credential.otp_command = own.otp_command;
  credential.use_agent = own.use_agent && !identities.only;
  for (const std::string& path : identities.keys) {
    if (!is_there(path)) continue;
    Credential::Key key;
    key.path = path;
    key.certificate = certificate_for(path, identities);
    const auto usable = unlock(key, credential, options, needs_passphrase, warnings);
    if (!usable) {
      warnings.push_back(fmt::format("ssh_config: {}; it is not used", usable.error().message));
    } else if (*usable) {
      credential.keys.push_back(std::move(key));
    }
  }
  return credential;
}

}  // namespace netfleet

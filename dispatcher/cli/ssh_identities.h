// dispatcher/cli: the keys that ssh_config names for a host, as a credential. Its name says which
// they are, so that a sweep that goes on finds them again.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/credential.h"
#include "common/credential_source.h"

namespace netfleet {

inline constexpr std::string_view kSshConfigCredentials = "ssh_config:";

struct SshIdentities {
  std::vector<std::string> keys;          // private key files
  std::vector<std::string> certificates;  // of CertificateFile
  bool only = false;                      // IdentitiesOnly: no agent
  bool operator==(const SshIdentities&) const = default;
};

// "ssh_config: key FILE, certificate FILE, only"; a path with ", " in it is left out.
std::string credential_name(const SshIdentities& identities);
// Back; nothing for the name of another credential.
std::optional<SshIdentities> identities_of(std::string_view credential);

// The command line's own credential with these keys besides. Keys that are not there are left out,
// as OpenSSH does; those that cannot be used too, with a warning.
Credential with_identities(const Credential& own, const SshIdentities& identities,
                           const CredentialOptions& options,
                           const NeedsPassphrase& needs_passphrase,
                           std::vector<std::string>& warnings);

}  // namespace netfleet

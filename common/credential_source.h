// common: where passwords and keys come from: the environment, a file, a command. Shared by the
// dispatcher's command line and the worker's; asking a person is the dispatcher's business
// (dispatcher/cli/terminal.h). Not the place where credentials are used.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/credential.h"
#include "common/error.h"

namespace netfleet {

// One place to read one secret from.
struct SecretSource {
  enum class Kind : std::uint8_t { kNone, kEnvironment, kFile, kCommand };
  Kind kind = Kind::kNone;
  std::string argument;  // the variable, the file, the shell command
  bool given() const { return kind != Kind::kNone; }
  bool operator==(const SecretSource&) const = default;
};

enum class AgentUse : std::uint8_t { kAuto, kOn, kOff };  // kAuto: when SSH_AUTH_SOCK is set

// What a command line says about credentials; names of places, never a secret.
struct CredentialOptions {
  bool ask_password = false;
  SecretSource password;
  SecretSource enable_password;
  std::string otp_command;         // run for each one-time code; empty: not given
  std::vector<std::string> keys;   // private key files, in the order given
  std::string key_passphrase_env;  // empty: not given
  AgentUse agent = AgentUse::kAuto;
  bool operator==(const CredentialOptions&) const = default;
};

// Reads the first line of the source. `what` is for messages ("password"). A file that others may
// read is taken with a warning; a command gets 30 s and must exit 0. At most 4 KiB. Buffers are
// wiped. CHECKs that the source is given.
Expected<Secret> read_secret(const SecretSource& source, std::string_view what,
                             std::vector<std::string>& warnings);

// Whether an agent is to be used: kOn, or kAuto and SSH_AUTH_SOCK is set. kOn without it: an error.
Expected<bool> agent_wanted(AgentUse use);

// Tells whether a private key file is encrypted (ssh::Identity::needs_passphrase).
using NeedsPassphrase = std::function<Expected<bool>(const std::string& path)>;
// Gets the passphrase of an encrypted key from elsewhere when no environment variable was named.
using AskPassphrase = std::function<Expected<Secret>(const std::string& path)>;

// Everything of `options` that needs nobody to ask: password, enable password, keys (with the
// certificate FILE-cert.pub if it is there), agent. `ask` is called for an encrypted key without
// --key-passphrase-env.
Expected<Credential> read_credential(const CredentialOptions& options,
                                     const NeedsPassphrase& needs_passphrase,
                                     const AskPassphrase& ask, std::vector<std::string>& warnings);

}  // namespace netfleet

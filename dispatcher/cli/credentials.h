// dispatcher/cli: the credentials of a sweep: from the command line, from the inventory, or from
// the person at the terminal. Decides whether somebody must be asked; reads nothing itself.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "common/credential.h"
#include "common/credential_file.h"
#include "common/credential_source.h"
#include "common/jump_host.h"
#include "dispatcher/cli/terminal.h"
#include "dispatcher/inventory/inventory.h"

namespace netfleet {

// The name of the command line's credential: for hosts whose inventory names none.
inline constexpr const char* kDefaultCredential = "default";

// What gathering needs of the outside; main passes has_terminal, read_password and
// ssh::Identity::needs_passphrase, tests pass fakes.
struct CredentialIo {
  std::function<bool()> has_terminal;
  std::function<std::expected<Secret, PromptFailure>(const std::string& prompt)> read_password;
  NeedsPassphrase needs_passphrase;
  std::string home = {};  // what "~/" in an inventory's key files stands for
};

// The store holds "default" and the inventory's passwords ("inventory:1", ...; those that
// come without one get the enable password of the command line), and what jump hosts bring as a
// password or key ("jump:NAME"). `user` is for the prompt. A password is asked for with
// --ask-password, or when some selected host uses "default" and there is no password source, no
// key and no --agent (an agent that merely runs is used, but not relied on where there is a
// terminal). `hosts` are the selected ones and `jumps` those on their ways: one that names another
// credential is an error unless it is among `named`, of which only those are read, or
// `remote_workers` resolve it: they have keys and one-time codes of their own.
std::expected<CredentialStore, PromptFailure> gather_credentials(
    const CredentialOptions& options, const NamedCredentials& named, const std::string& user,
    const std::vector<Host>& hosts, const std::vector<JumpHost>& jumps, const Inventory& inventory,
    bool remote_workers, const CredentialIo& io, std::vector<std::string>& warnings);

}  // namespace netfleet

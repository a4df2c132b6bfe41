// worker: the jump hosts that this worker knows by itself, from the file of --jumps, with what is
// needed to log in to them: nothing of that is known to a dispatcher.
#pragma once

#include <functional>
#include <string>

#include "common/credential.h"
#include "common/credential_source.h"
#include "common/error.h"
#include "common/jump_host.h"

namespace netfleet {

// Reads `path`; empty: none. Passwords and keys in it become credentials "jump:NAME" in `store`;
// `own` says what else the command line says of logging in, `home` what "~/" stands for. The error
// has a line for each thing that is wrong ("file:line: ...").
Expected<JumpHosts> read_own_jumps(const std::string& path, const CredentialOptions& own,
                                   const std::string& home, CredentialStore& store,
                                   std::vector<std::string>& warnings);

}  // namespace netfleet

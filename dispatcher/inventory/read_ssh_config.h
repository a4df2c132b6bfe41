// dispatcher/inventory: opens the files of an ssh_config.
#pragma once

#include <optional>
#include <string>

#include "common/error.h"
#include "dispatcher/inventory/ssh_config.h"

namespace netfleet {

// `path`, or with an empty one the user's own file, HOME/.ssh/config: that one may be missing
// (nothing), and nobody else may be able to write to it. Files are included from HOME/.ssh.
Expected<std::optional<SshConfig>> read_ssh_config(const std::string& path,
                                                   const std::string& home);

}  // namespace netfleet

// dispatcher/cli: what the command line says of SSH itself: algorithms, and the user's ssh_config.
// Parsing only; ssh_settings.h puts it together with the inventory.
#pragma once

#include <string>

#include "common/ssh_algorithms.h"

namespace CLI {
class App;
}

namespace netfleet {

// Of `netfleet run`.
struct SshCommandLine {
  SshOptions algorithms;  // as written, for hosts whose inventory says nothing
  std::string config;     // a file; empty: the user's own, if it is there; "none"
  bool operator==(const SshCommandLine&) const = default;
};

// --kex, --ciphers, --macs, --host-key-algorithms, --ssh-config; to the current group.
void add_ssh_options(CLI::App& app, SshCommandLine& options);

}  // namespace netfleet

// dispatcher/cli: what hosts need of SSH, from the inventory, the command line and ssh_config, in
// that order, written into the hosts before they become tasks.
#pragma once

#include <vector>

#include "common/error.h"
#include "dispatcher/cli/options.h"
#include "dispatcher/inventory/inventory.h"

namespace netfleet {

// Fills what the inventory leaves open.
void apply_command_line(const SshCommandLine& options, std::vector<Host>& hosts);

}  // namespace netfleet

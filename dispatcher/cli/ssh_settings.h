// dispatcher/cli: what hosts need of SSH, from the inventory, the command line and ssh_config, in
// that order, written into the hosts before they become tasks.
#pragma once

#include <string>
#include <vector>

#include "common/error.h"
#include "common/jump_host.h"
#include "dispatcher/cli/options.h"
#include "dispatcher/inventory/inventory.h"

namespace netfleet {

// Fills what the inventory leaves open; `Host::jump` becomes what a task says of the way. `home`
// and `local_user` are the person's, `definitions` the inventory's. The error is about ssh_config
// or the way over jump hosts. A host that ssh_config puts behind a ProxyCommand gets a refusal: it
// must not be connected to directly. Returns the jump hosts on the ways of all hosts.
Expected<std::vector<JumpHost>> apply_ssh_settings(const RunOptions& options,
                                                   const std::string& home,
                                                   const std::string& local_user,
                                                   const std::vector<JumpDefinition>& definitions,
                                                   std::vector<Host>& hosts,
                                                   std::vector<std::string>& warnings);

}  // namespace netfleet

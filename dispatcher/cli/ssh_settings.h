// dispatcher/cli: what hosts need of SSH, from the inventory, the command line and ssh_config, in
// that order, written into the hosts before they become tasks.
#pragma once

#include <string>
#include <vector>

#include "common/error.h"
#include "dispatcher/cli/options.h"
#include "dispatcher/inventory/inventory.h"

namespace netfleet {

// Fills what the inventory leaves open. `home` and `local_user` are the person's; the error is
// about ssh_config. A host that ssh_config puts behind a proxy gets a refusal: it must not be
// connected to directly.
Expected<void> apply_ssh_settings(const RunOptions& options, const std::string& home,
                                  const std::string& local_user, std::vector<Host>& hosts,
                                  std::vector<std::string>& warnings);

}  // namespace netfleet

// worker/device: what a configuration comes to on a platform, found out before anything is sent.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "common/error.h"
#include "common/task.h"
#include "worker/device/platform.h"

namespace netfleet {

struct ConfigurationPlan {
  struct Part {         // lines that are typed together
    std::size_t first;  // index of its first line
    std::size_t count;  // 1, or more for a block that is taken without a prompt between its lines
  };
  std::vector<Part> parts;  // without blank lines, where they are in no block
  std::string commit;       // the command that commits, with its time; empty: there is none
  std::string confirm;      // makes that commit stay; empty: it does anyway
  bool rehearsed = false;   // nothing is sent; the platform cannot check without changing
};

// Fails when the platform cannot do it: no configuration, no (confirmed) commit, a time that does
// not fit its command, nothing to save with, a block that has no end. Such a configuration must not
// be begun.
Expected<ConfigurationPlan> plan_configuration(const Platform& platform,
                                               const Configuration& configuration);

}  // namespace netfleet

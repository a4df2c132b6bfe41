// dispatcher/inventory: runs a dynamic inventory and reads what it prints.
#pragma once

#include <string>

#include "common/clock.h"
#include "common/error.h"
#include "dispatcher/inventory/inventory.h"

namespace netfleet {

struct ProgramLimits {
  Milliseconds time{5 * 60'000};  // for all of its runs together
  std::size_t output = 512u << 20;
};

// Runs `path --list`, and `path --host NAME` where the list has no `_meta`. The error names the
// program, how it ended, and the last of what it wrote to its standard error.
Expected<Inventory> read_ansible_inventory(const std::string& path,
                                           const ProgramLimits& limits = {});

}  // namespace netfleet

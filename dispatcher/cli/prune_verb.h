// dispatcher/cli: `netfleet prune`: removes old sweeps from the store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/error.h"

namespace CLI {
class App;
}

namespace netfleet {

struct PruneOptions {
  std::optional<std::uint32_t> keep_sweeps;
  std::optional<std::uint32_t> keep_days;
  bool unfinished = false;
  bool dry_run = false;
  bool compact = false;
  std::string store;  // empty: the default place
};

void add_prune(CLI::App& prune, PruneOptions& options);
// Whether it says what stays.
Expected<void> settle_prune(const PruneOptions& options);

// The exit status.
int prune_verb(const PruneOptions& options);

}  // namespace netfleet

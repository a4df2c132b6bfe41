// dispatcher/cli: `netfleet diff`: what differs between two sweeps.
#pragma once

#include <string>
#include <vector>

#include "common/error.h"
#include "dispatcher/cli/server_options.h"
#include "dispatcher/cli/worker_side.h"

namespace CLI {
class App;
}

namespace netfleet {

struct DiffOptions {
  std::string before;  // a sweep; empty: the one before `after` that ran the same commands
  std::string after;   // empty: the last one that has ended
  std::vector<std::string> limits;
  std::vector<std::string> volatile_patterns;
  bool no_mask = false;
  std::string platform_dir;
  std::string store;   // empty: the default place
  bool jsonl = false;  // else text
  ServerOptions server;
};

void add_diff(CLI::App& diff, DiffOptions& options);
Expected<void> settle_diff(const DiffOptions& options);

// The exit status, as diff's: 0 no differences, 1 some, or a host that cannot be compared, 2 usage
// or input.
int diff_verb(const DiffOptions& options, const WorkerSide& worker_side);

}  // namespace netfleet

// dispatcher/cli: `netfleet platforms`: which platforms there are, and all of one.
#pragma once

#include <string>

#include "dispatcher/cli/worker_side.h"

namespace CLI {
class App;
}

namespace netfleet {

struct PlatformsOptions {
  std::string name;  // a platform's name or alias; empty: the list
  std::string platform_dir;
  bool jsonl = false;
};

void add_platforms(CLI::App& platforms, PlatformsOptions& options);

// The exit status.
int platforms_verb(const PlatformsOptions& options, const WorkerSide& worker_side);

}  // namespace netfleet

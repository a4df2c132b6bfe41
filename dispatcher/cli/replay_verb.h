// dispatcher/cli: `netfleet replay`: runs the dialogue over a session log. Connects to nothing.
#pragma once

#include <string>

#include "dispatcher/cli/worker_side.h"
#include "dispatcher/output/renderer.h"

namespace CLI {
class App;
}

namespace netfleet {

struct ReplayOptions {
  std::string file;
  std::string platform;  // empty: the log's
  std::string platform_dir;
  OutputFormat output = OutputFormat::kText;
};

void add_replay(CLI::App& replay, ReplayOptions& options);

// Prints the outputs that the log yields, and on stderr where something else would be typed than
// was. Exit status 0: nothing is different, and the session is ok; 1 otherwise.
int replay_verb(const ReplayOptions& options, const WorkerSide& worker_side);

}  // namespace netfleet

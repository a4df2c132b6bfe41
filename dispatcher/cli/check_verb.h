// dispatcher/cli: `netfleet check`: says what is wrong with the files of a run, without running it.
#pragma once

#include <string>
#include <vector>

#include "common/error.h"
#include "dispatcher/cli/worker_side.h"
#include "dispatcher/inventory/inventory.h"

namespace CLI {
class App;
}

namespace netfleet {

struct CheckOptions {
  std::string job;                        // a job file; empty: none
  std::vector<std::string> inventories;   // -i
  std::vector<std::string> hosts;         // of the job
  std::string region;                     // of the job: of hosts that name none
  std::vector<std::string> limits;        // -l: which of the hosts are counted and configured
  std::vector<std::string> config_files;  // --config-file
  std::string commands_file;
  std::string platform_dir;
};

void add_check(CLI::App& check, CheckOptions& options);
// Whether there is something to check.
Expected<void> settle_check(const CheckOptions& options);

struct CheckFindings {
  std::vector<std::string> problems;  // each may be several lines, "file:line: ..." where it can be
  std::vector<std::string> warnings;
  std::string report;  // what is there: hosts by platform, region and group; commands
};
// The hosts of the inventories, if they can be read; the report counts them.
std::vector<Host> check_hosts(const CheckOptions& options, const WorkerSide& worker_side,
                              CheckFindings& findings);
CheckFindings check_files(const CheckOptions& options, const WorkerSide& worker_side);

int print_findings(const CheckFindings& findings);
// Prints what is wrong to stderr, and what is there to stdout. The exit status: 0, or 2 when
// something is wrong.
int check_verb(const CheckOptions& options, const WorkerSide& worker_side);

}  // namespace netfleet

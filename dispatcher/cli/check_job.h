// dispatcher/cli: `netfleet check JOB`: what is wrong with a job file and all that it names, and
// what it would do to whom, when, and for how long.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "dispatcher/cli/check_verb.h"
#include "dispatcher/cli/options.h"
#include "dispatcher/store/store.h"

namespace netfleet {

struct JobSurroundings {
  std::string login_name;  // as of parse_command_line()
  std::string home;
  // For the estimate; nothing when there is none.
  std::function<std::optional<Store>(const StoreOptions&)> find_store;
  WallTime now;
};
CheckFindings check_job_file(const std::string& path, const JobSurroundings& around,
                             const WorkerSide& worker_side);

// As check_verb().
int check_job_verb(const CheckOptions& options, const WorkerSide& worker_side);

}  // namespace netfleet

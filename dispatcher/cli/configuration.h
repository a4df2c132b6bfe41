// dispatcher/cli: the configuration of a run: reads the files of --config-file and decides what is
// typed into each host.
#pragma once

#include <string>
#include <vector>

#include "common/error.h"
#include "common/task.h"
#include "dispatcher/cli/options.h"
#include "dispatcher/inventory/inventory.h"

namespace netfleet {

// Fills in job.configuration.lines, or with templates each task's own configuration. `hosts` are
// those of `tasks`. What is wrong with a file or a template names its place; then nothing may be
// sent to anybody.
Expected<void> add_configuration(const std::vector<ConfigurationSource>& sources,
                                 const std::vector<Host>& hosts, JobSpec& job,
                                 std::vector<TaskSpec>& tasks, std::vector<std::string>& warnings);

}  // namespace netfleet

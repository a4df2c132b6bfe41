// dispatcher/cli: job files as command lines: a job's values are options that the user did not
// give.
#pragma once

#include <string>
#include <vector>

#include "common/error.h"
#include "common/problems.h"
#include "dispatcher/cli/options.h"
#include "dispatcher/job/job.h"

namespace netfleet {

// Reads a job file, judges each of its values as the option that it is, and makes its paths good
// from here. What is wrong goes to `problems`, "file:line: message" each.
Job read_job(const std::string& path, const std::string& home, Problems& problems);

// What a job says, as options; without those whose family is among `given`.
std::vector<std::string> arguments_of(const Job& job, const std::vector<std::string>& given = {});

// The options of a run that a job file alone makes; more problems if its values do not fit
// together. `instead`: further options, whose families the job's do not keep.
RunOptions run_options_of(const Job& job, const std::string& login_name, Problems& problems,
                          const std::vector<std::string>& instead = {},
                          const std::vector<std::string>& families = {});

// parse_command_line(), with the job file that the command line names, if it does.
Expected<CommandLine> parse_command_line_with_job(int argc, const char* const* argv,
                                                  const std::string& login_name,
                                                  const std::string& home);

}  // namespace netfleet

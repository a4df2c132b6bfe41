// dispatcher/job: job files: what to do, to whom, with which brakes, and when, as YAML. Pure: text
// in, a job or one message for all that is wrong out. A job says what a command line of `netfleet
// run` says, so a value is an option's, and what options mean is known in one place (cli).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/problems.h"
#include "dispatcher/job/job_schedule.h"

namespace netfleet {

struct JobSetting {
  std::string key;     // as the file has it: "timeouts.connect"
  std::string option;  // "--connect-timeout"
  std::string value;   // not for a flag
  // Who gives an option of this family by hand wants none of the job's: "--password-env" replaces
  // "--password-file".
  std::string_view family;
  std::uint32_t line = 0;
  bool flag = false;   // the option takes no value
  bool path = false;   // the value is one; a relative one is meant from the job file on
  bool input = false;  // and must be there
};

struct Job {
  std::string source;                // of parse_job()
  std::string name;                  // empty: not named
  std::vector<JobSetting> settings;  // in the order of the file
  std::optional<JobSchedule> schedule;
};

// Problems go to `problems`, "source:line: message" each; what was understood is there in any case.
Job parse_job(std::string_view text, const std::string& source, Problems& problems);

// The family of an option of `netfleet run`; itself when it is alone.
std::string_view option_family(std::string_view option);

}  // namespace netfleet

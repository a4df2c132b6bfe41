// worker: `netfleet replay`: what comes of a session log when the dialogue runs over it again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/task.h"

namespace netfleet {

struct ReplayedLog {
  TaskSpec task;
  TaskResult result;  // as a session's; timed_out: the log ends before the dialogue
  std::vector<std::string> differences;  // where something else would be typed, for people
};

// `platform` empty: as it is in the log. Errors begin with the line they are in.
Expected<ReplayedLog> replay_log(std::string_view log, const std::string& platform_dir,
                                 const std::string& platform);

}  // namespace netfleet

// worker/device: runs the dialogue over a session log: nothing is sent to any device. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "worker/device/session_log.h"

namespace netfleet {

// The dialogue over what the device sent, and what it would type now.
struct Replay {
  struct Difference {      // between two steps of the device
    std::size_t line = 0;  // of the log
    std::optional<Milliseconds> at{};
    std::string logged;
    std::string typed;
    std::string last_line;  // what the device showed when it was typed
  };
  std::vector<Dialogue::Output> outputs;  // the last one of a command that never ended, maybe
  std::optional<Dialogue::Failure> failure;
  bool done = false;               // the dialogue came to its end
  bool unfinished_output = false;  // the last output is of the command that was running
  std::string platform;
  std::string last_line;
  std::vector<Difference> differences;  // the first kMaxDifferences of them
};
inline constexpr std::size_t kMaxDifferences = 20;

// `chunk`: the largest piece that the dialogue gets at once; 0: as it came.
Replay replay(const SessionLog& log, const PlatformSet& platforms, std::size_t chunk = 0);

}  // namespace netfleet

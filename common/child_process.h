// common: a program that is run beside this one. Not for what it is told or says.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/credential_line.h"
#include "common/error.h"

namespace netfleet {

// Killed and reaped when it has not ended by itself. One thread.
class ChildProcess {
 public:
  struct Setup {
    std::vector<std::string> arguments;         // the first one is looked for in PATH
    std::vector<std::string> environment = {};  // "NAME=value", besides this process's own
    int input = -1;                             // borrowed; -1: /dev/null
    int output = -1;                            // the same
    int errors = -1;                            // borrowed; -1: this process's own
  };
  static Expected<ChildProcess> start(Setup setup);

  ChildProcess(ChildProcess&& other) noexcept
      : ended_(std::move(other.ended_)), pid_(std::exchange(other.pid_, 0)) {}
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();

  int ended_fd() const { return ended_.get(); }  // readable once it has ended
  // Of one that has ended, or is about to; once. An error unless it exited with 0.
  Expected<void> result();
  // The same, for as long as it may take, or until `given_up` (a descriptor) is readable; then it
  // is killed, and that is the error.
  Expected<void> wait(TimePoint deadline, int given_up = -1);

 private:
  ChildProcess() = default;
  int reap();

  Descriptor ended_;
  pid_t pid_ = 0;
};

}  // namespace netfleet

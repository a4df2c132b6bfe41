// dispatcher/cli: what a process says when it is interrupted while it only waits for others. Not
// for processes that have something to bring to an end.
#pragma once

#include <string>

namespace netfleet {

// While it lives, SIGINT, SIGTERM and SIGHUP end the process at once, with 128 + the signal, after
// the note on stderr. One at a time.
class InterruptNote {
 public:
  explicit InterruptNote(const std::string& note);
  ~InterruptNote();
  InterruptNote(const InterruptNote&) = delete;
  InterruptNote& operator=(const InterruptNote&) = delete;
};

}  // namespace netfleet

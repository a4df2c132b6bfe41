// worker/engine: what session threads tell the worker's fleet thread, as values through a queue.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "common/codec.h"
#include "common/task.h"

namespace netfleet {

struct SessionEnded {
  TaskKey task;
  TaskResult result;
  bool fenced = false;  // by the end of its lease: the result counts for nothing
};
struct SessionProgress {
  TaskKey task;
  std::uint32_t session_thread;
  std::string stage;  // "connecting", "logging in", "command 2/3"
};
using EngineEvent = std::variant<SessionEnded, SessionProgress>;

// Many session threads push, one thread takes. Bounded by what feeds it: a slot has at most one
// ended session, and a session has few stages. Has its own synchronization.
class EventQueue {
 public:
  EventQueue();
  ~EventQueue();
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  void push(EngineEvent event);
  // Everything that is there. Call when fd() is readable.
  std::vector<EngineEvent> take();
  int fd() const { return fd_; }  // readable while something is queued

  // Whether anybody wants SessionProgress: each one wakes the reader.
  void want_progress(bool wanted) { progress_wanted_ = wanted; }
  bool progress_wanted() const { return progress_wanted_; }

 private:
  int fd_;
  std::atomic<bool> progress_wanted_{false};
  std::mutex mutex_;
  std::vector<EngineEvent> events_;  // guarded by mutex_
};

}  // namespace netfleet

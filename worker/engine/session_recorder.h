// worker/engine: --session-log: the files of the session logs. What stands in them is decided by
// worker/device/session_log*.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/clock.h"
#include "common/error.h"
#include "common/task.h"
#include "worker/device/session_log_writer.h"

namespace netfleet {

// A directory of session logs, DIR/<host>.<sweep>.<attempt>.log, each for its owner's eyes only
// (0600). Shared between session threads.
class SessionLogs {
 public:
  // Told once, from whichever thread, that a log could not be written and why.
  using Say = std::function<void(const std::string&)>;

  // Creates the directory if it is missing (0700); an error when it cannot be written to.
  static Expected<std::unique_ptr<SessionLogs>> open(std::string path, Say say);

 private:
  friend class SessionRecorder;
  SessionLogs(std::string path, Say say) : path_(std::move(path)), say_(std::move(say)) {}
  void trouble(const std::string& file, int cause);

  const std::string path_;
  const Say say_;
  std::atomic<bool> told_{false};
};

// The log of one session; one thread. Nothing fails: when the disk is full the log ends with the
// last whole piece, and the session goes on without one.
class SessionRecorder {
 public:
  SessionRecorder(SessionLogs& logs, const JobSpec& job, const TaskSpec& task,
                  std::uint32_t attempt, TimePoint started);
  ~SessionRecorder();
  SessionRecorder(const SessionRecorder&) = delete;
  SessionRecorder& operator=(const SessionRecorder&) = delete;

  // As SessionLogWriter's, with the time of the call.
  void begin(const Dialogue::Options& options) { writer_.begin(options); }
  void received(std::string_view bytes);
  void typed(std::string_view bytes, bool secret);
  void closed() { writer_.closed(now()); }
  void ended(Outcome outcome, std::string_view reason);

 private:
  Milliseconds now() const;
  void write();

  SessionLogs& logs_;
  const TimePoint started_;
  SessionLogWriter writer_;
  std::string file_;
  int fd_ = -1;
  std::int64_t written_ = 0;
};

}  // namespace netfleet

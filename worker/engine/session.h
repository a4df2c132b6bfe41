// worker/engine: one device session from connecting to the orderly close, as a coroutine that reads
// top to bottom. It joins worker/ssh (bytes) and worker/device (what to say).
#pragma once

#include <asio/awaitable.hpp>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "worker/device/dialogue.h"
#include "worker/engine/engine.h"
#include "worker/engine/exec_session.h"
#include "worker/ssh/connection.h"
#include "worker/ssh/jump_pool.h"

namespace netfleet {

// Lives on one session thread, from run() to its end.
class Session {
 public:
  // `jumps`: the session thread's ways over jump hosts. `read_buffer`: for all sessions of that
  // thread: what is read is dealt with before anything else is waited for.
  Session(EngineParts& parts, ssh::JumpPool& jumps, std::span<char> read_buffer,
          std::uint32_t thread, SessionOrder order)
      : parts_(parts),
        jumps_(jumps),
        read_buffer_(read_buffer),
        thread_(thread),
        order_(std::move(order)) {}

  // Every way to go wrong is in the result; nothing is thrown. Bounded by the job's time-outs.
  asio::awaitable<TaskResult> run();
  // From the same thread: run() ends soon, as cancelled, with this reason.
  void stop(std::string reason);
  // After run(): it ended by itself because its lease had, and the task is not done.
  bool fenced() const { return fenced_; }
  // What to report when run() ended with an exception after all: outcome internal.
  TaskResult defective(std::exception_ptr defect) const;

 private:
  bool needs_no_device();
  Configuration configuration() const;
  asio::awaitable<ssh::Attempt<void>> log_in();
  asio::awaitable<ssh::Attempt<void>> jump();
  Expected<Dialogue::Options> dialogue_options() const;
  asio::awaitable<ssh::Attempt<void>> converse();
  asio::awaitable<ssh::Attempt<void>> execute();
  asio::awaitable<ssh::Attempt<void>> send_outgoing(TimePoint deadline);
  void note_progress(TimePoint now);
  void take_outputs(Outcome unfinished);
  void add_output(Dialogue::Output output, OutputText settled, Outcome outcome,
                  Milliseconds duration);
  void take_settled();
  OutputText settled_of(std::size_t output);
  bool lease_is_over();
  bool is_remembered() const;
  void note_detection();
  TimePoint conversation_deadline() const;
  void conclude(const ssh::Attempt<void>& attempt);
  void stage(std::string name);
  std::string where() const;  // "edge-7 (10.0.0.7:22)", "edge-7 (10.0.0.7:22) via bastion"
  std::string doing() const;  // "connect edge-7 (10.0.0.7:22)"

  EngineParts& parts_;
  ssh::JumpPool& jumps_;
  std::span<char> read_buffer_;
  std::uint32_t thread_;
  SessionOrder order_;
  TaskResult result_;
  std::unique_ptr<ssh::Connection> connection_;
  std::unique_ptr<ssh::JumpRequest> jump_request_;   // while it is under way
  std::shared_ptr<const ssh::JumpPassage> passage_;  // over jump hosts; null: directly
  std::optional<Dialogue> dialogue_;
  std::optional<ExecSession> exec_;
  std::optional<SessionRecorder> recorder_;
  std::optional<std::string> stopped_;
  bool fenced_ = false;
  TimePoint started_{};
  TimePoint task_deadline_{};
  TimePoint login_deadline_{};
  TimePoint output_started_{};
  TimePoint turn_started_{};  // the line that is typed and waited for
  std::uint64_t turns_ = 0;
  std::vector<Milliseconds> durations_;        // of the outputs that are complete
  std::map<std::size_t, OutputText> settled_;  // the beginnings of large outputs
  enum class Doing : std::uint8_t { kConnecting, kLoggingIn, kPreparing, kCommand } doing_{};
};

}  // namespace netfleet

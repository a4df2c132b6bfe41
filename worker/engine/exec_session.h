// worker/engine: the commands of a job over SSH's exec channel, one channel each, on a connection
// that is logged in. Not for what is typed into a shell (worker/device).
#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <string>
#include <vector>

#include "common/task.h"
#include "worker/engine/lease.h"
#include "worker/ssh/connection.h"

namespace netfleet {

// Lives on one session thread. What it is given outlives it.
class ExecSession {
 public:
  using Stage = std::function<void(std::string)>;
  // `spool`: for large outputs.
  ExecSession(ssh::Connection& connection, const JobSpec& job, const Lease& lease, Spool& spool,
              TimePoint task_deadline, Stage stage)
      : connection_(connection),
        job_(job),
        lease_(lease),
        spool_(spool),
        task_deadline_(task_deadline),
        stage_(std::move(stage)) {}

  // All commands in turn, also behind one that failed. The lease is looked at before each; the
  // failure says why the rest was not run.
  asio::awaitable<ssh::Attempt<void>> run();

  // Of the commands that were begun; the last may be unfinished.
  std::vector<CommandResult>& results() { return results_; }
  // Why the first one failed that did, "run 'show x' on WHERE: exit status 1"; empty: none.
  std::string error(const std::string& where) const;
  bool fenced() const { return fenced_; }
  std::string doing() const;  // "run 'show x'"

 private:
  asio::awaitable<ssh::Attempt<void>> run_command(std::string command);
  void take(std::string_view bytes);
  void end_stream();
  void conclude(const ssh::Attempt<ssh::Executed>& executed, TimePoint started);

  ssh::Connection& connection_;
  const JobSpec& job_;
  const Lease& lease_;
  Spool& spool_;
  const TimePoint task_deadline_;
  const Stage stage_;
  std::vector<CommandResult> results_;
  std::string stderr_;        // of the command under way
  bool return_came_ = false;  // and may be the first half of a line's end
  std::size_t running_ = 0;   // of the job's commands
  std::string first_failed_;
  std::string first_reason_;
  bool fenced_ = false;
};

}  // namespace netfleet

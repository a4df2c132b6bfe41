#include "worker/engine/exec_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/duration.h"

namespace netfleet {
namespace {

// Devices end lines as terminals do even where there is none: of "\r\n" only "\n" is meant.
// `pending`: a '\r' came last, which is kept until it is known what follows.
std::string end_lines_plainly(std::string_view bytes, bool& pending) {
  std::string text;
  text.reserve(bytes.size() + 1);
  for (const char byte : bytes) {
    if (std::exchange(pending, byte == '\r') && byte != '\n') text += '\r';
    if (byte != '\r') text += byte;
  }
  return text;
}

}  // namespace

asio::awaitable<ssh::Attempt<void>> ExecSession::run() {
  for (std::size_t i = 0; i < job_.commands.size(); ++i) {
    running_ = i;
    if (!lease_.valid(BootClock::now())) {
      fenced_ = true;
      co_return std::unexpected(ssh::Failure{Outcome::kCancelled, "the worker lost its lease"});
    }
    stage_(fmt::format("command {}/{}", i + 1, job_.commands.size()));
    ssh::Attempt<void> ran = co_await run_command(job_.commands[i]);
    if (!ran) co_return ran;
  }
  co_return ssh::Attempt<void>();
}

asio::awaitable<ssh::Attempt<void>> ExecSession::run_command(std::string command) {
  const TimePoint started = BootClock::now();
  const TimePoint deadline = std::min(task_deadline_, started + job_.timeouts.command);
  results_.emplace_back().command = command;
  stderr_.clear();
  return_came_ = false;
  ssh::Connection::TakeOutput take_output = [this](std::string_view bytes, bool is_stderr) {
    if (!is_stderr) return take(bytes);
    const std::size_t room = job_.max_output - std::min(job_.max_output, stderr_.size());
    if (bytes.size() > room) results_.back().truncated = true;
    stderr_.append(bytes.substr(0, room));
  };
  ssh::Attempt<ssh::Executed> executed =
      co_await connection_.execute(std::move(command), std::move(take_output), deadline);
  conclude(executed, started);
  if (executed) co_return ssh::Attempt<void>();
  ssh::Failure failure = executed.error();
  if (failure.outcome == Outcome::kTimedOut) {
    failure.reason = fmt::format("timed out after {}", format_duration(job_.timeouts.command));
  }
  co_return std::unexpected(std::move(failure));
}

void ExecSession::take(std::string_view bytes) {
  CommandResult& result = results_.back();
  const std::string text = end_lines_plainly(bytes, return_came_);
  const std::size_t room = job_.max_output - std::min(job_.max_output, result.output.size());
  if (text.size() > room) result.truncated = true;
  // What the disk does not take stays in memory.
  [[maybe_unused]] const auto kept =
      result.output.append(std::string_view(text).substr(0, room), spool_);
}

// A '\r' that came last was no half of a line's end.
void ExecSession::end_stream() {
  OutputText& output = results_.back().output;
  if (std::exchange(return_came_, false) && output.size() < job_.max_output) output.append("\r");
}

void ExecSession::conclude(const ssh::Attempt<ssh::Executed>& executed, TimePoint started) {
  CommandResult& result = results_.back();
  result.duration = std::chrono::round<Milliseconds>(BootClock::now() - started);
  end_stream();
  take(stderr_);
  end_stream();
  if (!executed) {
    result.outcome = executed.error().outcome;
    return;
  }
  std::string reason;
  if (!executed->signal.empty()) {
    reason = fmt::format("ended by signal {}", executed->signal);
  } else if (executed->status.value_or(0) != 0) {
    reason = fmt::format("exit status {}", *executed->status);
  }
  if (reason.empty()) return;
  result.outcome = Outcome::kCommandFailed;
  if (!first_failed_.empty()) return;
  first_failed_ = result.command;
  first_reason_ = std::move(reason);
}

std::string ExecSession::error(const std::string& where) const {
  if (first_failed_.empty()) return "";
  return fmt::format("run '{}' on {}: {}", first_failed_, where, first_reason_);
}

std::string ExecSession::doing() const { return fmt::format("run '{}'", job_.commands[running_]); }

}  // namespace netfleet

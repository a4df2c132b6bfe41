#include "worker/engine/exec_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/duration.h"

namespace netfleet {
namespace {

// Devices end lines as terminals do even where there is none.
void end_lines_plainly(std::string& text) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    text[kept++] = text[i];
  }
  text.resize(kept);
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
  ssh::Connection::TakeOutput take_output = [this](std::string_view bytes, bool is_stderr) {
    take(bytes, is_stderr ? stderr_ : results_.back().output);
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

void ExecSession::take(std::string_view bytes, std::string& target) {
  const std::size_t room = job_.max_output - std::min<std::size_t>(job_.max_output, target.size());
  if (bytes.size() > room) results_.back().truncated = true;
  target.append(bytes.substr(0, room));
}

void ExecSession::conclude(const ssh::Attempt<ssh::Executed>& executed, TimePoint started) {
  CommandResult& result = results_.back();
  result.duration = std::chrono::round<Milliseconds>(BootClock::now() - started);
  take(stderr_, result.output);
  end_lines_plainly(result.output);
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

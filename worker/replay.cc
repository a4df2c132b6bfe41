#include "worker/replay.h"

#include <fmt/format.h>

#include <utility>

#include "worker/device/session_replay.h"
#include "worker/setup.h"

namespace netfleet {
namespace {

std::string describe(const Replay::Difference& difference) {
  const auto quoted = [](const std::string& text) {
    return text.empty() ? "nothing" : fmt::format("\"{}\"", escape(text));
  };
  const std::string time = difference.at ? fmt::format(", {} ms", difference.at->count()) : "";
  return fmt::format("line {}{}, after \"{}\": {} was typed, now it would be {}", difference.line,
                     time, difference.last_line, quoted(difference.logged),
                     quoted(difference.typed));
}

TaskResult result_of(const SessionLog& log, Replay& replayed) {
  TaskResult result;
  result.platform = replayed.platform;
  result.outcome = Outcome::kOk;
  for (const SessionLog::Step& step : log.steps) {
    if (step.at) result.duration = *step.at;
  }
  if (replayed.failure) {
    result.outcome = replayed.failure->outcome;
    result.error = replayed.failure->reason;
  } else if (!replayed.done) {
    result.outcome = Outcome::kTimedOut;
    result.error = fmt::format("the log ends here; the last line was \"{}\"", replayed.last_line);
  }
  const Outcome unfinished = result.outcome;
  for (Dialogue::Output& output : replayed.outputs) {
    const bool last = &output == &replayed.outputs.back();
    Outcome outcome = output.failed ? Outcome::kCommandFailed : Outcome::kOk;
    if (last && replayed.unfinished_output) outcome = unfinished;
    if (output.failed && result.outcome == Outcome::kOk) {
      result.outcome = Outcome::kCommandFailed;
      result.error = fmt::format("'{}' was refused: {}", output.command, output.error);
    }
    result.command_sent = true;
    result.commands.push_back({std::move(output.command), std::move(output.text), outcome,
                               Milliseconds(0), output.truncated});
  }
  return result;
}

}  // namespace

Expected<ReplayedLog> replay_log(std::string_view text, const std::string& platform_dir,
                                 const std::string& platform) {
  auto log = parse_session_log(text);
  if (!log) return std::unexpected(log.error());
  if (!platform.empty()) log->platform = platform;
  auto platforms = load_platforms(platform_dir);
  if (!platforms) return std::unexpected(platforms.error());
  if (auto known = check_platforms(platform_dir, {log->platform}); !known) {
    return std::unexpected(known.error());
  }
  Replay replayed = replay(*log, *platforms);
  ReplayedLog result;
  result.task.host = SharedText(log->host.empty() ? "-" : log->host);
  result.task.platform = SharedText(log->platform);
  result.task.user = SharedText(log->options.user);
  result.result = result_of(*log, replayed);
  for (const Replay::Difference& difference : replayed.differences) {
    result.differences.push_back(describe(difference));
  }
  return result;
}

}  // namespace netfleet

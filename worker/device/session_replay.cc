#include "worker/device/session_replay.h"

#include <algorithm>
#include <utility>

namespace netfleet {
namespace {

using Step = SessionLog::Step;

// Without lone Enters and blanks at the start of lines.
std::string lines_only(std::string_view typed) {
  std::string result;
  for (const char c : typed) {
    const bool at_start = result.empty() || result.back() == '\n';
    if (!at_start || (c != '\n' && c != ' ')) result += c;
  }
  return result;
}

}  // namespace

Replay replay(const SessionLog& log, const PlatformSet& platforms, std::size_t chunk) {
  Dialogue::Options options = log.options;
  options.password = &log.password;
  options.enable_password = &log.enable_password;
  Dialogue dialogue(platforms, log.platform, std::move(options));
  Replay result;
  std::string typed;
  const auto compare = [&](const Step& step, std::string_view logged) {
    const bool same = log.typing_varies ? lines_only(logged) == lines_only(typed) : logged == typed;
    if (!same && result.differences.size() < kMaxDifferences) {
      result.differences.push_back(
          {step.line, step.at, std::string(logged), typed, dialogue.last_line()});
    }
    typed.clear();
  };
  for (const Step& step : log.steps) {
    switch (step.kind) {
      case Step::Kind::kDevice: {
        const std::string_view bytes = step.bytes;
        const std::size_t most = chunk == 0 ? std::max<std::size_t>(bytes.size(), 1) : chunk;
        for (std::size_t at = 0; at < bytes.size(); at += most) {
          dialogue.receive(bytes.substr(at, most));
          typed += dialogue.take_outgoing().bytes;
        }
        break;
      }
      case Step::Kind::kNetfleet:
        compare(step, step.bytes);
        break;
      case Step::Kind::kClosed:
        dialogue.closed();
        break;
    }
  }
  if (!typed.empty() && !log.typing_varies) compare(log.steps.back(), "");
  result.done = dialogue.phase() >= Dialogue::Phase::kLogout;
  result.failure = dialogue.failure();
  result.platform = dialogue.platform_name();
  result.last_line = dialogue.last_line();
  result.outputs = std::move(dialogue.outputs());
  if (dialogue.failure() || !result.done) {
    Dialogue::Output partial = dialogue.take_partial_output();
    result.unfinished_output = !partial.command.empty();
    if (result.unfinished_output) result.outputs.push_back(std::move(partial));
  }
  return result;
}

}  // namespace netfleet

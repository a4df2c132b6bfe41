// The part of the conversation that goes from one mode of the device to another.
#include <fmt/format.h>

#include <algorithm>

#include "worker/device/conversation.h"
#include "worker/device/mode_graph.h"
#include "worker/device/text.h"

namespace netfleet {
namespace {

// Of one way, with those that are made again because they lead out of one sub-mode at a time.
constexpr int kMaxMoves = 24;
constexpr std::size_t kMaxSaid = 200;  // characters shown of what a move printed

bool is_secret(const Platform::Answer* answer) {
  return answer->what == Platform::Answer::What::kPassword ||
         answer->what == Platform::Answer::What::kEnablePassword;
}

bool gives_secret(const Platform::Move& move) {
  return std::any_of(move.answers.begin(), move.answers.end(),
                     [](const Platform::Answer& answer) { return is_secret(&answer); });
}

// The last line that says something.
std::string_view last_text(std::string_view output) {
  output = output.substr(0, output.find_last_not_of(" \n") + 1);  // npos + 1 is 0
  return output.substr(output.rfind('\n') + 1);
}

}  // namespace

// Nothing is typed when there is no way. The empty name is where it is.
Script Conversation::go_to(const std::string& mode) {
  going_to_ = mode;
  for (int moves = 0; mode_ != mode && !mode.empty(); ++moves) {
    const Expected<std::vector<const Platform::Move*>> way = find_way(*platform_, mode_, mode);
    if (!way) {
      fail_with(Outcome::kCommandFailed, way.error().message);
      co_await more();  // never resumed
    }
    if (moves == kMaxMoves) {
      fail_with(Outcome::kCommandFailed,
                fmt::format("mode \"{}\" is not reached after {} moves", mode, moves));
      co_await more();
    }
    Script next = move(*way->front());
    co_await next;
    Script preparation = prepare_mode();
    co_await preparation;
  }
  going_to_.clear();
}

// One edge of the graph. It has failed when the device stays where it is; it may take more than one
// to leave nested sub-modes, whose prompts differ.
Script Conversation::move(const Platform::Move& move) {
  const std::string prompt(terminal_.line());
  const std::string context = context_;
  Output kept = std::exchange(running_, {});
  moving_ = &move;
  answers_ = &move.answers;
  Script execution = execute(move.command);
  co_await execution;
  answers_ = nullptr;
  find_refusal(running_);
  const Output said = std::exchange(running_, std::move(kept));
  if (mode_ != move.from) {
    moving_ = nullptr;
    co_return;
  }
  const bool asked = std::any_of(given_.begin(), given_.end(), is_secret);
  const bool moved = trim_right(terminal_.line()) != trim_right(prompt) || context_ != context;
  if (!gives_secret(move) && !said.failed && moved) {
    moving_ = nullptr;
    co_return;
  }
  std::string why = said.failed ? said.error : printable(last_text(said.text), kMaxSaid);
  if (why.empty()) why = fmt::format("the device stays in mode \"{}\"", mode_);
  fail_with(asked ? Outcome::kAuthFailed : Outcome::kCommandFailed,
            fmt::format("{} refused: {}", move.command, why));
  co_await more();  // never resumed
}

// What the file says to send when a mode is first reached.
Script Conversation::prepare_mode() {
  for (const Platform::Prepare& step : platform_->prepare) {
    const bool done = std::find(prepared_.begin(), prepared_.end(), &step) != prepared_.end();
    if (done || step.mode != mode_ || step.mode.empty()) continue;
    if (step.when_prompt && !step.when_prompt->matches(terminal_.line())) continue;
    Output kept = std::exchange(running_, {});
    Script preparation = prepare_step(step);
    co_await preparation;
    running_ = std::move(kept);
  }
  if (!prompt_confirmed_) {
    Script confirmation = confirm_prompt();
    co_await confirmation;
    find_mode_of(prompt_.literal());
  }
}

}  // namespace netfleet

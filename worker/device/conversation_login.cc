// The part of the conversation from the first byte to a prompt that is known.
#include <algorithm>
#include <utility>

#include "worker/device/conversation.h"
#include "worker/device/question.h"
#include "worker/device/text.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxSeenPrompts = 16;  // lines among which a prompt is looked for again

}  // namespace

// Through banners and questions to the first line that looks like a prompt.
Script Conversation::find_prompt() {
  for (;;) {
    co_await more();
    note_said();
    press_key_above();
    drop_lines();
    if (turn_page() || answer(platform_->login)) continue;
    if (demands_new_password()) {
      fail_with(Outcome::kAuthFailed, "the device demands a new password");
      continue;  // never resumed
    }
    const std::string_view line = terminal_.line();
    if (asks_for_secret(line) || is_drawing(line)) continue;
    if (detecting_) recognize(line);
    if (prompt_.fits(line)) co_return;
  }
}

Script Conversation::prepare() {
  const std::string first_prompt(terminal_.line());
  find_mode_of(first_prompt);
  for (const Platform::Prepare& step : platform_->prepare) {
    if (step.when_prompt && !step.when_prompt->matches(first_prompt)) continue;
    if (!step.mode.empty() && step.mode != mode_) continue;
    if (was_sent(step)) continue;
    Script execution = prepare_step(step);
    co_await execution;
  }
  if (!prompt_confirmed_) {
    Script confirmation = confirm_prompt();
    co_await confirmation;
    find_mode_of(prompt_.literal());
  }
}

Script Conversation::prepare_step(const Platform::Prepare& step) {
  prepared_.push_back(&step);
  preparing_ = &step;
  Script execution = execute(step.command);
  co_await execution;
  preparing_ = nullptr;
  running_ = {};
}

// What a device asks then holds the session until it is answered.
Script Conversation::log_out() {
  if (!platform_->logout.empty()) send_line(platform_->logout);
  phase_ = platform_->logout.empty() || platform_->logout_answers.empty() ? Phase::kDone
                                                                          : Phase::kLogout;
  while (phase_ == Phase::kLogout) {
    co_await more();
    drop_lines();
    answer(platform_->logout_answers);
  }
}

// An Enter brings a prompt again, and nothing else.
Script Conversation::confirm_prompt() {
  std::vector<std::string> seen;
  send_line("");
  for (;;) {
    co_await more();
    while (const std::optional<std::string_view> line = next_line()) {
      if (seen.size() == kMaxSeenPrompts) seen.erase(seen.begin());
      seen.emplace_back(without_line_feed(*line).substr(0, kMaxQuestion));
    }
    const std::string_view line = terminal_.line();
    if (prompt_.fits(line)) {
      // Painted over itself the first one may have lost the blank at its end.
      const bool same = std::any_of(seen.begin(), seen.end(), [line](std::string_view other) {
        return line.starts_with(other) && trim_right(line) == trim_right(other);
      });
      const bool similar = std::any_of(seen.begin(), seen.end(), [line](const std::string& other) {
        return PromptFinder::equal_but_digits(other, line);
      });
      if (same || similar) {
        prompt_.learn(line);
        if (!same) prompt_.learn_changing_digits();
        prompt_confirmed_ = true;
        co_return;
      }
    }
    if (!turn_page()) answer(platform_->login);
  }
}

}  // namespace netfleet

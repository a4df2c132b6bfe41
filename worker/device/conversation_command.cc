// The part of the conversation that runs one command: its echo, then its output.
#include <algorithm>
#include <utility>

#include "worker/device/conversation.h"
#include "worker/device/text.h"

namespace netfleet {

Script Conversation::execute(std::string_view command) {
  if (preparing_ == nullptr) given_.clear();  // those of the login last until it is over
  command_ = command;
  doubted_prompt_.clear();
  // Of each a prompt may come, before this command's echo.
  const std::size_t spare = std::exchange(spare_enters_, 0);
  surplus_prompts_ += spare;
  send_line(command);
  first_line_ = true;
  Script echo = pass_echo(command);
  co_await echo;
  if (!block_.empty() && preparing_ == nullptr && moving_ == nullptr) type_block();
  Script output = collect(command);
  co_await output;
  if (spare > 0) surplus_prompts_ = 0;
}

// A prompt that is shown and taken back before the output comes (readline) looks like its end. The
// next command's echo tells; behind the last one, where nothing came, an Enter has to.
Script Conversation::confirm_end() {
  const bool may_be_early = platform_->confirm_prompt && platform_->logout.empty() &&
                            echoes_ == Habit::kYes && !outputs_.empty() &&
                            outputs_.back().text.empty() && outputs_.back().taken == 0;
  if (!may_be_early) co_return;
  Script enter = execute("");
  co_await enter;
  give_back(running_.text);
  running_ = {};
}

// Up to the end of the command's echo. Lines that come before it, from a device that is known to
// echo, are what the command before was not done with: its output held a line like the prompt.
Script Conversation::pass_echo(std::string_view command) {
  held_.clear();
  if (echoes_ == Habit::kNo) co_return;
  const std::size_t max_held = preparing_ == nullptr ? most_kept() : 0;
  Echo echo(command);
  std::string wrapped;  // lines that may be the beginning of the echo
  bool line_came = false;
  bool asked = false;
  for (;;) {
    co_await more();
    drop_secret_line();
    while (const std::optional<std::string_view> line = next_line()) {
      const std::string_view text = without_line_feed(*line);
      line_came = true;
      if (is_surplus_prompt(text)) {
        if (!asked) continue;
        // Our Enter came back alone: what stands in held_ was our command, changed by the device.
        settle_held_lines(false);
        co_return;
      }
      Echo::Part part = Echo::Part::kNone;
      if (!wrapped.empty()) part = echo.next(text, text.size());
      if (part == Echo::Part::kNone) {
        held_ += wrapped;
        wrapped.clear();
        echo.reset();
        part = follow_echo(echo, text, command);
      }
      if (part == Echo::Part::kBegun) wrapped += *line;
      if (part == Echo::Part::kWhole) {
        echoes_ = Habit::kYes;
        settle_held_lines(true);
        co_return;
      }
      if (part == Echo::Part::kNone && held_.size() < max_held) held_ += *line;
      if (part == Echo::Part::kNone && preparing_ == nullptr && echoes_ == Habit::kUnknown) {
        echoes_ = Habit::kNo;
        settle_held_lines(false);
        co_return;
      }
    }
    const std::string_view line = unfinished();
    if (echoes_ == Habit::kUnknown && is_prompt_without_echo(line, line_came)) {
      echoes_ = Habit::kNo;
      if (prompt_.literal().empty()) prompt_.learn(line);
      co_return;
    }
    if (!held_.empty() && !asked && !command.empty() && prompt_.is_prompt(line)) {
      // Either the command before has only now ended, and our echo will follow; or the device
      // echoed our command as something else, and is done with it. An Enter tells.
      asked = true;
      ++surplus_prompts_;
      type(platform_->line_ending);
    }
    if (preparing_ != nullptr) {
      if (!turn_page()) answer(platform_->login);
    } else if (terminal_.line_id() != typed_on_line_ && find_answer_in_turn() != nullptr) {
      // It asks where the echo should be.
      if (echoes_ == Habit::kUnknown) echoes_ = Habit::kNo;
      settle_held_lines(false);
      co_return;
    }
  }
}

// From behind the echo to the next prompt.
Script Conversation::collect(std::string_view command) {
  for (;;) {
    take_lines(command);
    const std::string_view line = unfinished();
    if (const std::optional<std::size_t> end = end_of_output(line)) {
      keep(running_, line.substr(0, *end));
      text_before_prompt_ = *end;
      arrive_at(line.substr(*end));
      co_return;
    }
    if (!turn_page()) answer_in_turn();
    co_await more();
  }
}

}  // namespace netfleet

// worker/device: what is behind Dialogue: the conversation itself, written as scripts that await
// the device's next bytes. Includes no more state than the next line needs.
#pragma once

#include <coroutine>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "worker/device/detection.h"
#include "worker/device/dialogue.h"
#include "worker/device/echo.h"
#include "worker/device/prompt.h"
#include "worker/device/script.h"
#include "worker/device/terminal.h"

namespace netfleet {

class Conversation {
 public:
  using Phase = Dialogue::Phase;
  using Output = Dialogue::Output;
  using Failure = Dialogue::Failure;

  Conversation(const PlatformSet& platforms, const std::string& platform,
               Dialogue::Options options);
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  void receive(std::string_view bytes);
  void closed();
  Dialogue::Outgoing& outgoing() { return outgoing_; }
  Phase phase() const { return phase_; }
  std::vector<Output>& outputs() { return outputs_; }
  Output& running() { return running_; }
  const std::optional<Failure>& failure() const { return failure_; }
  std::string platform_name() const { return platform_->name; }
  const std::string& evidence() const { return evidence_; }
  std::string last_line();

 private:
  enum class Habit : std::uint8_t { kUnknown, kNo, kYes };
  struct NextInput {  // awaits the next bytes
    Conversation& conversation;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) noexcept {
      conversation.waiting_ = waiting;
    }
    void await_resume() const noexcept {}
  };

  // The scripts, outermost first.
  Script run();
  Script find_prompt();
  Script find_platform();
  Script prepare();
  Script confirm_prompt();
  Script execute(std::string_view command);
  Script pass_echo(std::string_view command);
  Script collect(std::string_view command);

  NextInput more() { return {*this}; }
  void send_line(std::string_view text);
  void type(std::string_view keys) { outgoing_.bytes += keys; }
  bool answer(const std::vector<Platform::Answer>& answers);
  bool turn_page();
  bool demands_new_password();

  // Which platform it is, when nobody said.
  void note_said();
  Detection detection_at(std::string_view prompt) const;
  void recognize(std::string_view line);
  bool recognized_here(std::string_view prompt) const;
  void use(const Platform& platform);

  // Finished lines that nobody has looked at yet.
  std::optional<std::string_view> next_line();  // with its '\n', or a piece of a very long one
  void drop_lines();
  void keep(Output& output, std::string_view text) const;
  std::uint64_t most_kept() const;

  std::string_view unfinished();  // the current line, without what stood there before our typing
  Echo::Part follow_echo(Echo& echo, std::string_view line, std::string_view command);
  bool is_whole_echo(std::string_view line, std::string_view command);
  bool is_surplus_prompt(std::string_view line);
  bool is_prompt_without_echo(std::string_view line, bool line_came) const;
  void settle_held_lines(bool they_were_output);
  void take_lines(std::string_view command);
  std::optional<std::size_t> end_of_output(std::string_view line);
  std::optional<std::size_t> end_of_preparation(std::string_view line, bool same_prompt);
  void find_refusal(Output& output) const;
  void fail_with(Outcome outcome, std::string reason);

  const PlatformSet& platforms_;
  const Dialogue::Options options_;
  const bool detecting_;  // the platform was asked for as "auto"
  const Platform* platform_;
  PromptFinder prompt_;
  Terminal terminal_;
  Phase phase_ = Phase::kLogin;

  std::string lines_;      // finished lines, as the terminal hands them on
  std::size_t taken_ = 0;  // how much of lines_ was looked at
  Dialogue::Outgoing outgoing_;
  std::string last_finished_line_;
  std::uint64_t answered_line_ = ~std::uint64_t{0};  // is never answered twice

  // Of the command under way.
  std::string before_typing_;           // the current line when it was sent: prompt, text before it
  std::uint64_t typed_on_line_ = 0;     // that line
  std::size_t text_before_prompt_ = 0;  // bytes of it that were output, already kept
  std::string held_;                    // lines that came where the echo should be
  bool first_line_ = true;              // of the output is still to come

  // For "auto".
  std::string said_;           // before the first prompt
  std::string recognized_at_;  // the line that the platform was recognized at
  std::string evidence_;       // why it is this platform; empty: not known yet

  // What was learned of the device.
  bool prompt_confirmed_ = false;
  Habit echoes_ = Habit::kUnknown;
  Habit echoes_twice_ = Habit::kUnknown;
  std::size_t surplus_prompts_ = 0;  // still to come, for Enters of ours
  const Platform::Prepare* preparing_ = nullptr;

  Output running_;
  std::vector<Output> outputs_;
  std::optional<Failure> failure_;

  std::coroutine_handle<> waiting_;
  Script script_;  // last: destroyed before what it uses
};

}  // namespace netfleet

// worker/device: what is behind Dialogue: the conversation itself, written as scripts that await
// the device's next bytes. Includes no more state than the next line needs.
#pragma once

#include <coroutine>
#include <optional>
#include <span>
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

struct ConfigurationPlan;

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
  Output take_partial();
  std::string take_settled();
  std::uint64_t turns() const { return turns_; }
  std::string doing() const;
  std::string stage() const;
  const std::optional<Failure>& failure() const { return failure_; }
  std::string platform_name() const { return platform_->name; }
  const std::string& evidence() const { return evidence_; }
  std::string last_line();
  bool asks();

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

  struct Step {  // a command that has an output of its own
    std::string_view command;
    Output::Kind kind = Output::Kind::kCommand;
    const std::vector<Platform::Answer>* answers = nullptr;
    const std::optional<Pattern>* success = nullptr;
    const std::optional<Pattern>* failure = nullptr;
    bool judged = true;
  };

  // The scripts, outermost first.
  Script run();
  Script find_prompt();
  Script find_platform();
  Script prepare();
  Script confirm_prompt();
  Script log_out();
  Script perform();
  Script carry_out(const ConfigurationPlan& plan);
  Script run_commands();
  Script configure(const ConfigurationPlan& plan);
  Script type_configuration(const ConfigurationPlan& plan);
  Script commit(const std::string& command);
  Script confirm(const std::string& command);
  Script forget_configuration();
  Script save();
  Script run_step(Step step);
  Script go_to(const std::string& mode);
  Script go_back();
  Script move(const Platform::Move& move);
  Script prepare_mode();
  Script prepare_step(const Platform::Prepare& step);
  Script execute(std::string_view command);
  Script pass_echo(std::string_view command);
  Script collect(std::string_view command);
  Script confirm_end();

  NextInput more() { return {*this}; }
  void send_line(std::string_view text);
  void type(std::string_view keys) { outgoing_.bytes += keys; }

  // Questions in the last line. Those that answer are false when there was nothing to answer.
  const Platform::Answer* find_answer(const std::vector<Platform::Answer>& answers);
  const Platform::Answer* find_answer_in_turn();
  bool answer(const std::vector<Platform::Answer>& answers) { return give(find_answer(answers)); }
  bool answer_in_turn();
  void press_key_above();
  bool turn_page();
  bool give(const Platform::Answer* answer);
  void refuse_again(const std::string& question);
  void type_secret(const Secret& secret);
  bool demands_new_password();
  std::string without_secrets(std::string text) const;

  // Which platform it is, when nobody said.
  void note_said();
  Detection detection_at(std::string_view prompt) const;
  void recognize(std::string_view line);
  bool recognized_here(std::string_view prompt) const;
  bool was_sent(const Platform::Prepare& step) const;
  void use(const Platform& platform);

  void note_lines(std::string_view finished);

  // Finished lines that nobody has looked at yet.
  std::optional<std::string_view> next_line();  // with its '\n', or a piece of a very long one
  void drop_lines();
  void keep(Output& output, std::string_view text) const;
  std::uint64_t most_kept() const;

  std::string_view unfinished();  // the current line, without what stood there before our typing
  std::string_view behind_typing(std::string_view line) const;
  Echo::Part follow_echo(Echo& echo, std::string_view line, std::string_view command);
  bool is_whole_echo(std::string_view line, std::string_view command);
  bool is_surplus_prompt(std::string_view line);
  bool is_prompt_without_echo(std::string_view line, bool line_came) const;
  void settle_held_lines(bool they_were_output);
  void give_back(std::string_view text);
  void drop_secret_line();
  void take_lines(std::string_view command);
  void arrive_at(std::string_view prompt);
  void find_mode_of(std::string_view prompt);
  bool is_renamed_prompt(std::string_view line) const;
  bool is_repeated_prompt(std::string_view line);
  std::optional<std::size_t> end_of_output(std::string_view line);
  std::optional<std::size_t> end_of_preparation(std::string_view line, bool same_prompt);
  void find_refusal(Output& output) const;
  bool find_match(Output& output, const Pattern& refusal) const;
  void demand(Output& output, const Pattern& success) const;

  const std::string& working_mode() const {
    return options_.mode.empty() ? home_mode_ : options_.mode;
  }
  void type_block();
  void show_in_transcript(std::string_view line);
  void judge_line();
  void refuse_line(const std::string& why);
  void fail_with(Outcome outcome, std::string reason);

  const PlatformSet& platforms_;
  const Dialogue::Options options_;
  std::vector<Platform::Answer> expected_;  // the job's
  const bool detecting_;                    // the platform was asked for as "auto"
  const Platform* platform_;
  PromptFinder prompt_;
  Terminal terminal_;
  Phase phase_ = Phase::kLogin;

  std::string lines_;      // finished lines, as the terminal hands them on
  std::size_t taken_ = 0;  // how much of lines_ was looked at
  Dialogue::Outgoing outgoing_;
  std::string last_finished_line_;  // that was not blank
  std::string line_above_;          // the last finished line of all
  static constexpr std::uint64_t kNoLine = ~std::uint64_t{0};
  std::uint64_t answered_line_ = kNoLine;       // is never answered twice
  std::uint64_t secret_line_ = kNoLine;         // a secret was typed on it: it may hold its echo
  std::string secret_question_;                 // what stood there before
  std::vector<const Platform::Answer*> given_;  // names and secrets of this turn: once each

  // Of the command under way.
  std::string before_typing_;           // the current line when it was sent: prompt, text before it
  std::uint64_t typed_on_line_ = 0;     // that line
  bool is_painted_over_ = false;        // it does not begin any more with what stood there
  std::size_t text_before_prompt_ = 0;  // bytes of it that were output, already kept
  std::string held_;                    // lines that came where the echo should be
  bool first_line_ = true;              // of the output is still to come
  std::string_view command_;            // what was typed
  std::string going_to_;                // the mode; empty: not under way
  const Platform::Move* moving_ = nullptr;
  const std::vector<Platform::Answer>* answers_ = nullptr;  // of this turn alone
  std::string doubted_prompt_;  // may be the new mode's: an Enter was sent for it
  std::string context_;         // lines taken off the output's end, as the prompt's

  // For "auto".
  std::string said_;           // before the first prompt
  std::string recognized_at_;  // the line that the platform was recognized at
  std::string evidence_;       // why it is this platform; empty: not known yet

  // What was learned of the device.
  bool prompt_confirmed_ = false;
  Habit echoes_ = Habit::kUnknown;
  Habit echoes_twice_ = Habit::kUnknown;
  std::size_t spare_enters_ = 0;     // of answers, which a question may have needed only a key for
  std::size_t surplus_prompts_ = 0;  // still to come, for Enters of ours
  const Platform::Prepare* preparing_ = nullptr;
  std::vector<const Platform::Prepare*> prepared_;
  std::string mode_;       // the prompt's; empty: unknown
  std::string home_mode_;  // where the login led
  std::string doorstep_;   // from where the configuration was entered

  // Of the configuration under way.
  bool configuring_ = false;
  bool broken_off_ = false;             // it, or what follows it, has failed
  std::size_t line_ = 0;                // that was typed last
  std::span<const std::string> block_;  // that is typed behind it
  std::size_t lines_due_ = 0;           // echoes of the block
  Output transcript_;

  Output running_;
  std::vector<Output> outputs_;
  std::uint64_t turns_ = 0;
  std::optional<Failure> failure_;

  std::coroutine_handle<> waiting_;
  Script script_;  // last: destroyed before what it uses
};

}  // namespace netfleet

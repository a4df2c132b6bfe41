// The part of the conversation that configures: line by line, with blocks, up to the first line
// that is refused.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "worker/device/configuration_plan.h"
#include "worker/device/conversation.h"
#include "worker/device/mode_graph.h"
#include "worker/device/text.h"

namespace netfleet {

// Everything that was asked for: configuration, save, commands. What fails ends it.
Script Conversation::perform() {
  const Configuration& configuration = options_.configuration;
  if (auto output = Dialogue::output_without_device(*platform_, configuration)) {
    const std::string text = std::exchange(output->text, {});
    keep(*output, text);
    outputs_.push_back(*std::move(output));
    co_return;
  }
  const Expected<ConfigurationPlan> plan = plan_configuration(*platform_, configuration);
  Script work = carry_out(*plan);
  co_await work;
  if (!configuration.lines.empty() || configuration.save) {
    Script way_back = go_back();
    co_await way_back;
  }
}

// The mode is left only for what needs another.
Script Conversation::carry_out(const ConfigurationPlan& plan) {
  const Configuration& configuration = options_.configuration;
  if (!configuration.lines.empty()) {
    Script configuring = configure(plan);
    co_await configuring;
    if (broken_off_ || configuration.dry_run) co_return;
  }
  const bool to_be_confirmed = !plan.confirm.empty();
  if (configuration.save && !to_be_confirmed) {
    Script saving = save();
    co_await saving;
    if (broken_off_) co_return;
  }
  if (!options_.commands.empty()) {
    Script commands = run_commands();
    co_await commands;
  }
  if (!to_be_confirmed) co_return;
  Script confirming = confirm(plan.confirm);
  co_await confirming;
  if (broken_off_ || !configuration.save) co_return;
  Script saving = save();
  co_await saving;
}

Script Conversation::run_commands() {
  Script way = go_to(working_mode());
  co_await way;
  for (const std::string& command : options_.commands) {
    Script step = run_step({command, Output::Kind::kCommand});
    co_await step;
    if (outputs_.back().failed && options_.stop_on_error) co_return;
  }
}

// Types it, and commits it where the platform does.
Script Conversation::configure(const ConfigurationPlan& plan) {
  const Platform::Configure& how = *platform_->configure;
  const auto way_there = find_way(*platform_, mode_, how.mode);
  doorstep_ = way_there && !way_there->empty() ? way_there->back()->from : mode_;
  Script way = go_to(how.mode);
  co_await way;
  Script typing = type_configuration(plan);
  co_await typing;
  if (how.commit) {
    if (!broken_off_) {
      Script committing = commit(plan.commit);
      co_await committing;
    }
    if (broken_off_ || options_.configuration.dry_run) {
      Script undoing = forget_configuration();
      co_await undoing;
    }
  }
}

// Out of the configuration, to where the login led, if the platform knows a way; or it stays where
// the commands ran.
Script Conversation::go_back() {
  if (!broken_off_ && !options_.commands.empty() && mode_ == working_mode()) co_return;
  const std::string& home = find_way(*platform_, mode_, home_mode_) ? home_mode_ : doorstep_;
  if (!find_way(*platform_, mode_, home)) co_return;
  Script way = go_to(home);
  co_await way;
}

Script Conversation::type_configuration(const ConfigurationPlan& plan) {
  const Platform::Configure& how = *platform_->configure;
  const std::vector<std::string>& lines = options_.configuration.lines;
  // A line that leaves the mode is asked about changes that are not committed: what leaves them.
  std::vector<Platform::Answer> leaving;
  for (const Platform::Move& move : platform_->moves) {
    if (!how.commit || move.from != how.mode) continue;
    leaving.insert(leaving.end(), move.answers.begin(), move.answers.end());
  }
  phase_ = Phase::kCommand;
  transcript_ = {"configure", Output::Kind::kConfiguration, "", false, false, ""};
  configuring_ = true;
  for (const ConfigurationPlan::Part& part : plan.parts) {
    if (!how.mode.empty() && mode_ != how.mode) {
      Script way_back = go_to(how.mode);
      co_await way_back;
    }
    line_ = part.first;
    block_ = std::span(lines).subspan(part.first + 1, part.count - 1);
    answers_ = &leaving;
    Script execution = execute(lines[part.first]);
    co_await execution;
    answers_ = nullptr;
    show_in_transcript(lines[part.first]);
    judge_line();
    if (how.commit && !how.mode.empty() && mode_ != how.mode && !transcript_.failed) {
      refuse_line("it left the configuration before the commit");
    }
    if (transcript_.failed) break;
  }
  configuring_ = false;
  broken_off_ = transcript_.failed;
  outputs_.push_back(std::exchange(transcript_, {}));
}

// As a terminal would have shown the line and its answer.
void Conversation::show_in_transcript(std::string_view line) {
  std::string prompt = before_typing_;
  if (prompt_.literal().ends_with(' ') && !prompt.ends_with(' ')) prompt += ' ';
  keep(transcript_, prompt);
  keep(transcript_, line);
  keep(transcript_, "\n");
  keep(transcript_, running_.text);
  transcript_.truncated |= running_.truncated;
}

// The text of a block comes back as it was typed: that is not the device's.
void Conversation::judge_line() {
  const std::set<std::string_view> typed(block_.begin(), block_.end());
  Output answer;
  std::string_view text = running_.text;
  while (!typed.empty() && !text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!typed.contains(line)) answer.text.append(line) += '\n';
  }
  if (typed.empty()) answer.text = std::move(running_.text);
  find_refusal(answer);
  if (answer.failed) refuse_line("refused: " + answer.error);
  block_ = {};
  running_ = {};
}

void Conversation::refuse_line(const std::string& why) {
  const std::vector<std::string>& lines = options_.configuration.lines;
  transcript_.failed = true;
  transcript_.error =
      fmt::format("line {} of {} '{}': {}", line_ + 1, lines.size(), lines[line_], why);
}

// Behind the first line's echo, all others at once. Where typing is echoed, each of them ends a
// line: what looks like a prompt before that is text of ours.
void Conversation::type_block() {
  for (const std::string& line : block_) {
    type(line);
    type(platform_->line_ending);
  }
  lines_due_ = echoes_ == Habit::kYes ? block_.size() : 0;
}

}  // namespace netfleet

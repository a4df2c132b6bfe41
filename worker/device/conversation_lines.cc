// The part of the conversation that looks at lines: which are echo, prompt, output or refusal.
#include <algorithm>
#include <utility>

#include "worker/device/conversation.h"
#include "worker/device/mode_graph.h"
#include "worker/device/question.h"
#include "worker/device/text.h"

namespace netfleet {
namespace {

constexpr std::size_t kRefusalSearch = 64u << 10;  // a refusal stands at the top of an output
constexpr std::size_t kMaxRefusal = 200;           // characters shown of it
// Of an output under way, what may still be taken off as the prompt's, and what is worth a move.
constexpr std::size_t kUnsettled = 64u << 10;
constexpr std::size_t kWorthTaking = 256u << 10;

}  // namespace

std::optional<std::string_view> Conversation::next_line() {
  if (taken_ == lines_.size()) return std::nullopt;
  const std::size_t begin = taken_;
  taken_ = std::min(lines_.find('\n', begin), lines_.size() - 1) + 1;
  return std::string_view(lines_).substr(begin, taken_ - begin);
}

void Conversation::drop_lines() {
  taken_ = lines_.size();
  if (secret_line_ != terminal_.line_id()) secret_line_ = kNoLine;
}

void Conversation::keep(Output& output, std::string_view text) const {
  const std::uint64_t kept = output.taken + output.text.size();
  const std::size_t room = most_kept() - std::min(most_kept(), kept);
  if (text.size() > room) output.truncated = true;
  output.text.append(text.substr(0, room));
}

std::string Conversation::take_settled() {
  std::string& text = running_.text;
  const bool is_output = phase_ == Phase::kCommand && !configuring_ && moving_ == nullptr;
  if (!is_output || text.size() < kUnsettled + kWorthTaking) return {};
  if (running_.taken == 0) running_.head = text.substr(0, kRefusalSearch);
  std::string rest = text.substr(text.size() - kUnsettled);
  text.resize(text.size() - kUnsettled);
  running_.taken += text.size();
  return std::exchange(text, std::move(rest));
}

// Bytes of an output: of a command, or of a probe.
std::uint64_t Conversation::most_kept() const {
  return phase_ == Phase::kCommand ? options_.max_output : Detection::kMostOutput;
}

std::string_view Conversation::unfinished() {
  std::string_view line = terminal_.line();
  is_painted_over_ = terminal_.line_id() == typed_on_line_ && !line.starts_with(before_typing_);
  if (terminal_.line_id() == typed_on_line_ && !is_painted_over_) {
    line = behind_typing(line);
    // The first prompt was perhaps answered before its last blank had come.
    if (preparing_ != nullptr || phase_ == Phase::kPrepare) line = trim_left(line);
  }
  return line;
}

// What came after what stood there when we typed.
std::string_view Conversation::behind_typing(std::string_view line) const {
  return line.starts_with(before_typing_) ? line.substr(before_typing_.size()) : line;
}

// The first line of an echo, and the prompt before it.
Echo::Part Conversation::follow_echo(Echo& echo, std::string_view line, std::string_view command) {
  if (is_whole_echo(line, command)) return Echo::Part::kWhole;
  for (const std::string_view prompt :
       {std::string_view(before_typing_), std::string_view(prompt_.literal())}) {
    if (prompt.empty() || !line.starts_with(prompt)) continue;
    const std::string_view typed = trim_left(line.substr(prompt.size()));
    const Echo::Part part = echo.next(typed, line.size());
    if (part == Echo::Part::kNone) continue;
    if (prompt_.literal().empty()) prompt_.learn(line.substr(0, line.size() - typed.size()));
    return part;
  }
  return Echo::Part::kNone;
}

// Prompt and command on one line; learns the prompt, which is complete now.
bool Conversation::is_whole_echo(std::string_view line, std::string_view command) {
  if (!line.ends_with(command)) {
    line = trim_right(line);
    command = trim_right(command);
    if (!line.ends_with(command)) return false;
  }
  const std::string_view prefix = line.substr(0, line.size() - command.size());
  const bool learned = !prompt_.literal().empty();
  if (learned ? prompt_.is_prompt(prefix) : prompt_.fits(prefix)) {
    prompt_.learn(prefix);
    return true;
  }
  // No prompt; or text that was already kept, or blanks that we typed at something else before it.
  return trim_right(prefix).empty() || trim_right(prefix) == trim_right(before_typing_);
}

bool Conversation::is_surplus_prompt(std::string_view line) {
  if (surplus_prompts_ == 0 || !prompt_.is_prompt(line)) return false;
  --surplus_prompts_;
  return true;
}

// The same prompt again, or the one that the command asks for: the device does not echo.
bool Conversation::is_prompt_without_echo(std::string_view line, bool line_came) const {
  if (line.empty()) return false;
  if (preparing_ != nullptr && preparing_->new_prompt && preparing_->new_prompt->matches(line)) {
    return true;
  }
  // Behind what stood there: a prompt in its place is only painted again, with the echo to come.
  const bool behind = terminal_.line_id() == typed_on_line_ && !is_painted_over_;
  return (line_came || behind) && trim_right(line) == trim_right(before_typing_);
}

// What came where the echo should be was either more of the command before, or this command's
// output behind a changed or missing echo.
void Conversation::settle_held_lines(bool they_were_output_before) {
  std::string_view held = held_;
  if (they_were_output_before) {
    if (held.empty()) return;
    held.remove_prefix(std::min(text_before_prompt_, held.size()));
    give_back(context_);  // it was none
    give_back(held);
    return;
  }
  first_line_ = false;
  if (echoes_ == Habit::kYes) {
    held.remove_prefix(std::min(held.find('\n'), held.size() - 1) + 1);
  } else {
    held = behind_typing(held);
  }
  keep(running_, held);
}

// The line on which a secret was typed is no output: the device may have echoed it.
void Conversation::drop_secret_line() {
  if (secret_line_ == kNoLine || secret_line_ == terminal_.line_id()) return;
  next_line();
  secret_line_ = kNoLine;
  first_line_ = false;
}

// To the output that seemed to be complete.
void Conversation::give_back(std::string_view text) {
  if (!configuring_ && outputs_.empty()) return;
  Output& output = configuring_ ? transcript_ : outputs_.back();
  keep(output, text);
  if (!output.failed) find_refusal(output);
}

// Finished lines into the running command's output.
void Conversation::take_lines(std::string_view command) {
  drop_secret_line();
  if (first_line_) {
    std::optional<std::string_view> line = next_line();
    if (!line) return;
    first_line_ = false;
    const bool again = echoes_ == Habit::kYes && echoes_twice_ != Habit::kNo &&
                       is_whole_echo(without_line_feed(*line), command);
    echoes_twice_ = again ? Habit::kYes : Habit::kNo;
    if (echoes_ == Habit::kNo) line = behind_typing(*line);
    if (!again) keep(running_, *line);
  }
  while (surplus_prompts_ > 0) {
    const std::optional<std::string_view> line = next_line();
    if (!line) break;
    if (!is_surplus_prompt(without_line_feed(*line))) keep(running_, *line);
  }
  const std::string_view lines = std::string_view(lines_).substr(taken_);
  if (lines_due_ > 0) {
    const auto came = std::count(lines.begin(), lines.end(), '\n');
    lines_due_ -= std::min(lines_due_, static_cast<std::size_t>(came));
  }
  keep(running_, lines);
  drop_lines();
}

// Where in the current line the prompt begins that ends the output.
std::optional<std::size_t> Conversation::end_of_output(std::string_view line) {
  if (line.empty() || lines_due_ > 0 ||
      (terminal_.line_goes_on() && !platform_->prompt_after_text)) {
    return std::nullopt;
  }
  std::optional<std::size_t> end = prompt_.find_at_end(line);
  if (preparing_ != nullptr) {
    end = end_of_preparation(line, end == 0u);
    if (end) prompt_.learn(line);
  } else if (!end && (is_renamed_prompt(line) || is_repeated_prompt(line))) {
    end = 0;
    prompt_.learn(line);
  }
  if (end && first_line_ && echoes_twice_ == Habit::kUnknown) echoes_twice_ = Habit::kNo;
  return end;
}

std::optional<std::size_t> Conversation::end_of_preparation(std::string_view line,
                                                            bool same_prompt) {
  const std::string& learned = prompt_.literal();
  const auto& renewed = preparing_->new_prompt;
  const bool digits_changed = prompt_.fits(line) && PromptFinder::equal_but_digits(line, learned);
  if (same_prompt || digits_changed || (renewed && renewed->matches(line))) {
    if (!same_prompt && digits_changed) prompt_.learn_changing_digits();
    prompt_confirmed_ = true;
    return 0;
  }
  // The first prompt at all, or the changed prompt is another than the one that was asked for.
  const bool may_be_new = learned.empty() || (renewed && !learned.starts_with(line));
  if (!may_be_new || !prompt_.fits(line)) return std::nullopt;
  prompt_confirmed_ = false;
  return 0;
}

// The device has another name since we typed it.
bool Conversation::is_renamed_prompt(std::string_view line) const {
  const std::string_view name = prompt_.other_name(line);
  if (name.empty()) return false;
  const bool cut = line.find('(') != std::string_view::npos;
  const std::vector<std::string>& lines = options_.configuration.lines;
  return holds_word(command_, name, cut) ||
         std::any_of(lines.begin(), lines.end(), [name, cut](const std::string& typed) {
           return holds_word(typed, name, cut);
         });
}

// Where a move leads, the prompt may be another altogether (of root, of another shell). It is
// believed when an Enter brings it again.
bool Conversation::is_repeated_prompt(std::string_view line) {
  if (moving_ == nullptr || asks_for_secret(line) || is_drawing(line) ||
      prompt_.is_prompt(std::string(line) + ' ')) {
    return false;
  }
  const Platform::Mode* const mode = find_mode(*platform_, line, line_above_);
  if (mode == nullptr || mode->name != moving_->to) return false;
  if (trim_right(line) != trim_right(doubted_prompt_)) {
    if (!doubted_prompt_.empty()) ++surplus_prompts_;
    doubted_prompt_ = line;
    type(platform_->line_ending);
    return false;
  }
  return trim_right(line_above_) == trim_right(line);
}

// The prompt is back: tells the mode, and what of the lines above belongs to the prompt.
void Conversation::arrive_at(std::string_view prompt) {
  find_mode_of(prompt);
  context_.clear();
  std::string& text = running_.text;
  while (!running_.truncated && text.ends_with('\n')) {
    const std::size_t begin = text.size() < 2 ? 0 : text.rfind('\n', text.size() - 2) + 1;
    const std::string_view line = std::string_view(text).substr(begin, text.size() - 1 - begin);
    if (spare_enters_ > 0 && prompt_.is_prompt(line)) {
      --spare_enters_;
      text.resize(begin);
      continue;
    }
    if (line.size() > kMaxQuestion ||
        std::none_of(platform_->context_lines.begin(), platform_->context_lines.end(),
                     [line](const Pattern& context) { return context.matches(line); })) {
      return;
    }
    context_.insert(0, text, begin);
    text.resize(begin);
  }
}

void Conversation::find_mode_of(std::string_view prompt) {
  const Platform::Mode* const mode = find_mode(*platform_, prompt, line_above_);
  mode_ = mode == nullptr ? "" : mode->name;
}

void Conversation::find_refusal(Output& output) const {
  for (const Pattern& error : platform_->errors) {
    if (find_match(output, error)) return;
  }
}

bool Conversation::find_match(Output& output, const Pattern& refusal) const {
  const std::string& beginning = output.taken > 0 ? output.head : output.text;
  const std::string_view head = std::string_view(beginning).substr(0, kRefusalSearch);
  const std::optional<Pattern::Span> found = refusal.find(head);
  if (!found) return false;
  std::size_t begin = found->begin;
  // White space at a pattern's start may span lines: the line is where the text begins.
  while (begin < found->end && head[begin] == '\n') ++begin;
  begin = begin == 0 ? 0 : head.rfind('\n', begin - 1) + 1;
  output.failed = true;
  output.error = without_secrets(
      printable(trim_left(head.substr(begin, head.find('\n', begin) - begin)), kMaxRefusal));
  return true;
}

}  // namespace netfleet

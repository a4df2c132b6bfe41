// The part of the conversation that answers what the device asks in its last line: pages, questions
// with a known answer, names and secrets.
#include <fmt/format.h>

#include <algorithm>

#include "worker/device/conversation.h"
#include "worker/device/question.h"
#include "worker/device/text.h"

namespace netfleet {
namespace {

using What = Platform::Answer::What;

bool is_secret(const Platform::Answer& answer) {
  return answer.what == What::kPassword || answer.what == What::kEnablePassword;
}

// A key like Ctrl-C, Ctrl-Y or Enter is no text.
bool is_key(const Platform::Answer& answer) {
  return answer.what == What::kText &&
         std::all_of(answer.reply.begin(), answer.reply.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// A secret goes to nothing but a question for one, and nothing but a secret to such a question.
bool fits(const Platform::Answer& answer, std::string_view question) {
  return answer.prompt.matches(question) &&
         (asks_for_secret(question) == is_secret(answer) || (is_key(answer) && answer.bare));
}

void replace_all(std::string& text, std::string_view what) {
  constexpr std::string_view kHidden = "***";
  for (std::size_t at = text.find(what); at != std::string::npos && !what.empty();
       at = text.find(what, at + kHidden.size())) {
    text.replace(at, what.size(), kHidden);
  }
}

}  // namespace

// The answer to the last line, unless it has one already.
const Platform::Answer* Conversation::find_answer(const std::vector<Platform::Answer>& answers) {
  if (answers.empty() || terminal_.line_id() == answered_line_) return nullptr;
  const std::string_view line = unfinished();
  if (line.empty() || line.size() > kMaxQuestion) return nullptr;
  const auto found =
      std::find_if(answers.begin(), answers.end(),
                   [line](const Platform::Answer& answer) { return fits(answer, line); });
  return found == answers.end() ? nullptr : &*found;
}

// The job's come before the line's own and the platform's.
const Platform::Answer* Conversation::find_answer_in_turn() {
  for (const auto* answers : {&std::as_const(expected_), answers_, &platform_->confirmations}) {
    if (answers == nullptr) continue;
    if (const Platform::Answer* const found = find_answer(*answers)) return found;
  }
  return nullptr;
}

// False when there was nothing to type.
bool Conversation::give(const Platform::Answer* answer) {
  if (answer == nullptr) return false;
  answered_line_ = terminal_.line_id();
  if (answer->what == What::kText) {
    type(answer->reply);
    if (!answer->bare) {
      type(platform_->line_ending);
      ++spare_enters_;
    }
    if (phase_ == Phase::kLogin && is_key(*answer)) given_.push_back(answer);
    return true;
  }
  const std::string question = printable(unfinished(), kMaxQuestion);
  if (std::find(given_.begin(), given_.end(), answer) != given_.end()) {
    refuse_again(question);
    return true;
  }
  given_.push_back(answer);
  if (answer->what == What::kUser) {
    type(options_.user);
    type(platform_->line_ending);
    return true;
  }
  const bool enable = answer->what == What::kEnablePassword;
  const Secret* const secret = enable ? options_.enable_password : options_.password;
  if (secret == nullptr || secret->empty()) {
    const char* const option = enable ? "--enable-password" : "--password";
    fail_with(
        Outcome::kAuthFailed,
        fmt::format("the device asked \"{}\", and there is no {} to give: {}-env, {}-file or "
                    "{}-command names one",
                    question, enable ? "enable password" : "password", option, option, option));
    return true;
  }
  type_secret(*secret);
  return true;
}

// What was given once is not given again: it was not taken.
void Conversation::refuse_again(const std::string& question) {
  std::string what = "refused inside the shell";
  if (moving_ != nullptr) {
    what = fmt::format("{} refused", moving_->command);
  } else if (phase_ != Phase::kLogin && preparing_ == nullptr) {
    what = fmt::format("refused by \"{}\"", command_);
  }
  fail_with(Outcome::kAuthFailed, fmt::format("{}: it asked \"{}\" again", what, question));
}

// The buffer is new and large enough to be on the heap: moving it leaves no copy behind, and who
// sends it can wipe it.
void Conversation::type_secret(const Secret& secret) {
  constexpr std::size_t kNotInline = 64;
  std::string bytes;
  bytes.reserve(std::max(outgoing_.bytes.size() + secret.reveal().size() + 2, kNotInline));
  bytes += outgoing_.bytes;
  bytes += secret.reveal();
  bytes += platform_->line_ending;
  outgoing_.bytes = std::move(bytes);
  outgoing_.secret = true;
  secret_line_ = terminal_.line_id();
  secret_question_ = terminal_.line();
  doubted_prompt_.clear();  // an Enter that was typed before may be lost
}

bool Conversation::answer_in_turn() { return give(find_answer_in_turn()); }

// "Enter Ctrl-Y to begin", with the frame of the banner below it: at the login a key, and nothing
// else, is pressed for a line that has gone by, once.
void Conversation::press_key_above() {
  std::string_view lines = std::string_view(lines_).substr(taken_);
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    if (line.size() > kMaxQuestion) continue;
    for (const Platform::Answer& answer : platform_->login) {
      if (!is_key(answer) || !answer.prompt.matches(line) ||
          std::find(given_.begin(), given_.end(), &answer) != given_.end()) {
        continue;
      }
      given_.push_back(&answer);
      type(answer.reply);
      if (!answer.bare) type(platform_->line_ending);
    }
  }
}

bool Conversation::turn_page() {
  const std::string_view line = terminal_.line();
  if (!platform_->pager || line.empty() || line.size() > kMaxQuestion ||
      !platform_->pager->matches(line) || asks_for_secret(line)) {
    return false;
  }
  // The mark may go on behind what was already answered.
  if (terminal_.line_id() != answered_line_) type(platform_->pager_key);
  answered_line_ = terminal_.line_id();
  terminal_.hide_line();
  return true;
}

bool Conversation::demands_new_password() {
  const std::string_view line = terminal_.line();
  return !line.empty() && line.size() <= kMaxQuestion && asks_for_new_password(line) &&
         terminal_.line_id() != answered_line_;
}

std::string Conversation::without_secrets(std::string text) const {
  for (const Secret* const secret : {options_.password, options_.enable_password}) {
    if (secret != nullptr) replace_all(text, secret->reveal());
  }
  return text;
}

}  // namespace netfleet

#include "worker/device/conversation.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "worker/device/question.h"
#include "worker/device/text.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxShownLine = 80;  // characters of a device's line in a message

// The platform for "auto" until more is known.
const Platform& starting_platform(const PlatformSet& platforms, const std::string& name) {
  const Platform* const named = platforms.find(name);
  const Platform* const generic = platforms.find("generic");
  CHECK(generic != nullptr);
  return named != nullptr ? *named : *generic;
}

std::vector<Platform::Answer> platform_answers(const std::vector<Dialogue::Answer>& answers) {
  std::vector<Platform::Answer> result;
  for (const Dialogue::Answer& answer : answers) {
    result.push_back({answer.question, answer.reply, false, Platform::Answer::What::kText});
  }
  return result;
}

}  // namespace

Conversation::Conversation(const PlatformSet& platforms, const std::string& platform,
                           Dialogue::Options options)
    : platforms_(platforms),
      options_(std::move(options)),
      expected_(platform_answers(options_.answers)),
      detecting_(platform == "auto"),
      platform_(&starting_platform(platforms, platform)),
      prompt_(*platform_),
      terminal_(options_.columns),
      said_(options_.banner + "\n") {
  if (!detecting_ && platforms.find(platform) == nullptr) {
    fail_with(Outcome::kInternal, fmt::format("unknown platform \"{}\"", platform));
    return;
  }
  script_ = run();
  script_.start();
}

void Conversation::receive(std::string_view bytes) {
  if (phase_ == Phase::kDone || bytes.empty()) return;
  if (taken_ == lines_.size()) {
    lines_.clear();
    taken_ = 0;
  }
  const std::size_t before = lines_.size();
  terminal_.feed(bytes, lines_);
  note_lines(std::string_view(lines_).substr(before));
  std::exchange(waiting_, nullptr).resume();
}

// What messages show, and what stands above a prompt.
void Conversation::note_lines(std::string_view finished) {
  if (finished.empty()) return;
  const bool secret = secret_line_ != kNoLine && secret_line_ != terminal_.line_id();
  if (secret && finished.find('\n') == finished.size() - 1) {
    last_finished_line_ = line_above_ = secret_question_;
    return;
  }
  const std::string_view last = without_line_feed(finished);
  line_above_ = last.substr(last.rfind('\n') + 1, kMaxQuestion);  // npos + 1 is 0
  const std::string_view text = finished.substr(0, finished.find_last_not_of(" \n") + 1);
  if (text.empty()) return;
  const std::size_t begin = text.rfind('\n');
  if (secret && begin == std::string_view::npos) {
    last_finished_line_ = secret_question_;
  } else {
    last_finished_line_ = text.substr(begin + 1, kMaxShownLine * 4);
  }
}

void Conversation::closed() {
  if (phase_ == Phase::kLogout) phase_ = Phase::kDone;
  if (phase_ == Phase::kDone) return;
  if (phase_ == Phase::kCommand || moving_ != nullptr) {
    return fail_with(Outcome::kDisconnected,
                     fmt::format("closed by the device while \"{}\" was running", command_));
  }
  const std::string said = last_line();
  fail_with(Outcome::kDisconnected,
            said.empty() ? "closed by the device at the login"
                         : fmt::format("closed by the device at the login, after \"{}\"", said));
}

std::string Conversation::last_line() {
  if (terminal_.line_id() == secret_line_) return printable(secret_question_, kMaxShownLine);
  const std::string_view line = trim_right(terminal_.line());
  return printable(without_secrets(std::string(line.empty() ? last_finished_line_ : line)),
                   kMaxShownLine);
}

Conversation::Output Conversation::take_partial() {
  if (!configuring_) return std::exchange(running_, {});
  if (moving_ == nullptr) show_in_transcript(command_);
  return std::exchange(transcript_, {});
}

std::string Conversation::doing() const {
  if (moving_ != nullptr) {
    return fmt::format("enter mode {} by '{}'", moving_->to, moving_->command);
  }
  if (!going_to_.empty()) return fmt::format("enter mode {}", going_to_);
  if (phase_ == Phase::kLogin || phase_ == Phase::kPrepare || preparing_ != nullptr) return {};
  if (!configuring_) return fmt::format("run '{}'", command_);
  const std::vector<std::string>& lines = options_.configuration.lines;
  return fmt::format("configure line {} of {} '{}'", line_ + 1, lines.size(), lines[line_]);
}

std::string Conversation::stage() const {
  if (configuring_) {
    return fmt::format("configuration line {}/{}", line_ + 1, options_.configuration.lines.size());
  }
  if (moving_ != nullptr) return fmt::format("entering mode {}", moving_->to);
  switch (running_.kind) {
    case Output::Kind::kSave:
      return "saving";
    case Output::Kind::kCommit:
    case Output::Kind::kConfirm:
      return "committing";
    default:
      break;
  }
  const auto done = std::count_if(outputs_.begin(), outputs_.end(), [](const Output& output) {
    return output.kind == Output::Kind::kCommand;
  });
  return fmt::format("command {}/{}", done + 1, options_.commands.size());
}

bool Conversation::asks() {
  return terminal_.line_id() != secret_line_ && is_question(terminal_.line());
}

void Conversation::fail_with(Outcome outcome, std::string reason) {
  failure_ = Failure{outcome, without_secrets(std::move(reason))};
  phase_ = Phase::kDone;
}

Script Conversation::run() {
  Script login = find_prompt();
  co_await login;
  phase_ = Phase::kPrepare;
  Script preparation = prepare();
  co_await preparation;
  if (detecting_) {
    Script finding = find_platform();
    co_await finding;
  }
  find_mode_of(prompt_.literal());
  home_mode_ = mode_;
  Script performance = perform();
  co_await performance;
  Script end = confirm_end();
  co_await end;
  Script leaving = log_out();
  co_await leaving;
}

void Conversation::send_line(std::string_view text) {
  ++turns_;
  before_typing_ = terminal_.line();
  typed_on_line_ = terminal_.line_id();
  type(text);
  type(platform_->line_ending);
}

}  // namespace netfleet

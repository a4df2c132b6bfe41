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

}  // namespace

Conversation::Conversation(const PlatformSet& platforms, const std::string& platform,
                           Dialogue::Options options)
    : platforms_(platforms),
      options_(std::move(options)),
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
  std::string_view finished = std::string_view(lines_).substr(before);
  finished = finished.substr(0, finished.find_last_not_of(" \n") + 1);  // npos + 1 is 0
  if (!finished.empty()) {
    last_finished_line_ = finished.substr(finished.rfind('\n') + 1, kMaxShownLine * 4);
  }
  std::exchange(waiting_, nullptr).resume();
}

void Conversation::closed() {
  if (phase_ == Phase::kDone) return;
  if (phase_ == Phase::kCommand) {
    return fail_with(Outcome::kDisconnected,
                     fmt::format("closed by the device while \"{}\" was running",
                                 options_.commands[outputs_.size()]));
  }
  const std::string said = last_line();
  fail_with(Outcome::kDisconnected,
            said.empty() ? "closed by the device at the login"
                         : fmt::format("closed by the device at the login, after \"{}\"", said));
}

std::string Conversation::last_line() {
  const std::string_view line = trim_right(terminal_.line());
  return printable(line.empty() ? last_finished_line_ : line, kMaxShownLine);
}

void Conversation::fail_with(Outcome outcome, std::string reason) {
  failure_ = Failure{outcome, std::move(reason)};
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
  phase_ = Phase::kCommand;
  for (const std::string& command : options_.commands) {
    running_.command = command;
    Script execution = execute(command);
    co_await execution;
    find_refusal(running_);
    outputs_.push_back(std::exchange(running_, {}));
    if (outputs_.back().failed && options_.stop_on_error) break;
  }
  if (!platform_->logout.empty()) send_line(platform_->logout);
  phase_ = Phase::kDone;
}

void Conversation::send_line(std::string_view text) {
  before_typing_ = terminal_.line();
  typed_on_line_ = terminal_.line_id();
  type(text);
  type(platform_->line_ending);
}

bool Conversation::answer(const std::vector<Platform::Answer>& answers) {
  const std::string_view line = terminal_.line();
  if (answers.empty() || line.empty() || line.size() > kMaxQuestion ||
      terminal_.line_id() == answered_line_) {
    return false;
  }
  for (const Platform::Answer& known : answers) {
    if (!known.prompt.matches(line) || asks_for_secret(line)) continue;
    answered_line_ = terminal_.line_id();
    type(known.reply);
    if (!known.bare) type(platform_->line_ending);
    return true;
  }
  return false;
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
  return !line.empty() && line.size() <= kMaxQuestion && asks_for_new_password(line);
}

}  // namespace netfleet

#include "worker/device/conversation.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "worker/device/echo.h"
#include "worker/device/text.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxQuestion = 512;    // a longer last line is neither question nor pager
constexpr std::size_t kMaxShownLine = 80;    // characters of a device's line in a message
constexpr std::size_t kMaxSeenPrompts = 16;  // lines among which a prompt is looked for again

// Nothing is ever typed at such a line: it would be echoed nowhere and might be taken as a secret.
bool asks_for_secret(std::string_view line) {
  static const Pattern kSecret =
      Pattern::compile(R"((?i)(?:pass(?:word|phrase|code)|secret|token|\bpin\b|\botp\b))"
                       R"(.{0,60}[:?>]\s*$)")
          .value();
  return kSecret.matches(line);
}

bool asks_for_new_password(std::string_view line) {
  static const Pattern kNewPassword =
      Pattern::compile(R"((?i)\b(?:new|old|current\)?)\s(?:\w+\s)?password.{0,20}:\s*$)").value();
  return kNewPassword.matches(line);
}

// Frames of banners: one sign over and over. As a prompt it stands alone with a blank, like "# ".
bool is_drawing(std::string_view line) {
  if (line.size() == 2 && line[1] == ' ') return false;
  return line == "#" || (line.size() > 1 && line.find_first_not_of(line[0]) == line.npos);
}

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
      terminal_(options_.columns) {
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
  Script first_preparation = prepare();
  co_await first_preparation;
  const Platform* const detected = detecting_ ? detect(prompt_.literal()) : nullptr;
  if (detected != nullptr && detected != platform_) {
    // What was taken for a prompt at first was none; this one is another platform's.
    const std::string prompt = prompt_.literal();
    use(*detected);
    prompt_.learn(prompt);
    prompt_confirmed_ = false;
    Script second_preparation = prepare();
    co_await second_preparation;
  }
  phase_ = Phase::kCommand;
  for (const std::string& command : options_.commands) {
    Script execution = execute(command);
    co_await execution;
    find_refusal(running_);
    outputs_.push_back(std::exchange(running_, {}));
    if (outputs_.back().failed && options_.stop_on_error) break;
  }
  if (!platform_->logout.empty()) send_line(platform_->logout);
  phase_ = Phase::kDone;
}

// Through banners and questions to the first line that looks like a prompt.
Script Conversation::find_prompt() {
  for (;;) {
    co_await more();
    drop_lines();
    if (demands_new_password()) {
      fail_with(Outcome::kAuthFailed, "the device demands a new password");
      continue;  // never resumed
    }
    if (turn_page() || answer(platform_->login)) continue;
    const std::string_view line = terminal_.line();
    if (asks_for_secret(line) || is_drawing(line)) continue;
    if (detecting_) {
      const Platform* const detected = detect(line);
      if (detected != nullptr) use(*detected);
    }
    if (prompt_.fits(line)) co_return;
  }
}

Script Conversation::prepare() {
  const std::string first_prompt(terminal_.line());
  for (const Platform::Prepare& step : platform_->prepare) {
    if (step.when_prompt && !step.when_prompt->matches(first_prompt)) continue;
    preparing_ = &step;
    Script execution = execute(step.command);
    co_await execution;
    preparing_ = nullptr;
    running_ = {};
  }
  if (!prompt_confirmed_) {
    Script confirmation = confirm_prompt();
    co_await confirmation;
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
      const bool same = std::find(seen.begin(), seen.end(), line) != seen.end();
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

Script Conversation::execute(std::string_view command) {
  send_line(command);
  first_line_ = true;
  Script echo = pass_echo(command);
  co_await echo;
  Script output = collect(command);
  co_await output;
}

// Up to the end of the command's echo. Lines that come before it, from a device that is known to
// echo, are what the command before was not done with: its output held a line like the prompt.
Script Conversation::pass_echo(std::string_view command) {
  held_.clear();
  if (echoes_ == Habit::kNo) co_return;
  const std::size_t max_held = phase_ == Phase::kCommand ? options_.max_output : 0;
  Echo echo(command);
  std::string wrapped;  // lines that may be the beginning of the echo
  bool line_came = false;
  bool asked = false;
  for (;;) {
    co_await more();
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
      if (part == Echo::Part::kNone && phase_ == Phase::kCommand && echoes_ == Habit::kUnknown) {
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
    if (!held_.empty() && !asked && prompt_.is_prompt(line)) {
      // Either the command before has only now ended, and our echo will follow; or the device
      // echoed our command as something else, and is done with it. An Enter tells.
      asked = true;
      ++surplus_prompts_;
      type(platform_->line_ending);
    }
    if (phase_ == Phase::kPrepare && !turn_page()) answer(platform_->login);
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
      co_return;
    }
    if (!turn_page()) answer(platform_->confirmations);
    co_await more();
  }
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

// By what the server says it is, then by its prompt.
const Platform* Conversation::detect(std::string_view line) const {
  for (const std::string& name : platforms_.names()) {
    const Platform* const platform = platforms_.find(name);
    if (platform->detect_server && PromptFinder(*platform).fits(line) &&
        platform->detect_server->matches(options_.server_identification)) {
      return platform;
    }
  }
  for (const std::string& name : platforms_.names()) {
    const Platform* const platform = platforms_.find(name);
    if (platform->detect_prompt && platform->detect_prompt->matches(line)) return platform;
  }
  return nullptr;
}

void Conversation::use(const Platform& platform) {
  platform_ = &platform;
  prompt_ = PromptFinder(platform);
}

}  // namespace netfleet

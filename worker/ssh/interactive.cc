#include "worker/ssh/interactive.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "worker/ssh/text.h"

namespace netfleet::ssh {
namespace {

constexpr int kMostPrompts = 16;                  // of one round
constexpr std::size_t kLongestAnswer = 2 * 4096;  // a secret has at most 4 KiB

std::unexpected<Failure> refused(std::string reason) {
  return std::unexpected(Failure{Outcome::kAuthFailed, std::move(reason)});
}

std::string text_of(const char* text) { return text == nullptr ? "" : text; }

}  // namespace

// All are looked at before the first is answered: no code is spent on a round that fails anyway.
asio::awaitable<Attempt<void>> Interactive::answer_round() {
  ssh_session session = link_.session.get();
  const std::string introduction =
      fmt::format("{} {}", text_of(ssh_userauth_kbdint_getname(session)),
                  text_of(ssh_userauth_kbdint_getinstruction(session)));
  const int count = ssh_userauth_kbdint_getnprompts(session);
  if (count > kMostPrompts) {
    co_return refused(fmt::format("it asks {} questions at once", count));
  }
  std::vector<Question> questions;
  for (unsigned number = 0; static_cast<int>(number) < count; ++number) {
    char echo = 0;
    std::string text = text_of(ssh_userauth_kbdint_getprompt(session, number, &echo));
    const Prompt wanted = classify_prompt(introduction, text, echo != 0);
    questions.push_back({number, std::move(text), wanted});
    Attempt<void> checked = check(questions.back());
    if (!checked) co_return checked;
  }
  for (const Question& question : questions) {
    Attempt<void> answered = co_await answer(question);
    if (!answered) co_return answered;
  }
  co_return Attempt<void>();
}

Attempt<void> Interactive::check(const Question& question) {
  const std::string shown = printable(question.text);
  const bool password =
      question.wanted == Prompt::kPassword || question.wanted == Prompt::kPasswordAndCode;
  const bool code = question.wanted == Prompt::kCode || question.wanted == Prompt::kPasswordAndCode;
  if (question.wanted == Prompt::kNewSecret) {
    return refused(fmt::format("it wants the password changed: \"{}\"", shown));
  }
  if (question.wanted == Prompt::kOther) {
    return refused(fmt::format(
        "it asks for something else than a password or a one-time code: \"{}\"", shown));
  }
  if (password && identity_->impl().credential->password.empty()) {
    return refused(fmt::format("it asks for a password, and there is none: \"{}\"", shown));
  }
  if (code && identity_->impl().codes == nullptr) {
    return refused(fmt::format("it asks for a one-time code: \"{}\"; give --otp-command", shown));
  }
  if (!answered_.insert(question.text).second || (password && password_sent_)) {
    return refused(fmt::format("refused: it asks again: \"{}\"", shown));
  }
  password_sent_ = password_sent_ || password;
  return {};
}

asio::awaitable<Attempt<void>> Interactive::answer(const Question& question) {
  std::string text;
  struct Wipe {
    std::string& text;
    ~Wipe() { wipe(text.data(), text.size()); }
  } const wipe_in_the_end{text};
  text.reserve(kLongestAnswer);  // nothing is left behind where it would have grown from
  if (question.wanted == Prompt::kAcceptance) text = acceptance_of(question.text);
  if (question.wanted == Prompt::kPassword || question.wanted == Prompt::kPasswordAndCode) {
    text = identity_->impl().credential->password.reveal();
  }
  if (question.wanted == Prompt::kCode || question.wanted == Prompt::kPasswordAndCode) {
    Attempt<Secret> code = co_await get_code(question.text);
    if (!code) co_return std::unexpected(code.error());
    text += code->reveal();
  }
  ssh_userauth_kbdint_setanswer(link_.session.get(), question.number, text.c_str());
  co_return Attempt<void>();
}

asio::awaitable<Attempt<Secret>> Interactive::get_code(std::string prompt) {
  const std::string shown = printable(prompt);
  const TimePoint deadline = link_.socket.deadline();
  link_.errand_timer.expires_after(deadline - BootClock::now());
  CodeQuestion question{link_.name, user_, shown};
  link_.on_errand = true;
  auto answer =
      co_await identity_->impl().codes->get(std::move(question), deadline, link_.errand_timer);
  link_.on_errand = false;
  if (link_.socket.aborted()) {
    co_return std::unexpected(Failure{Outcome::kCancelled, "cancelled"});
  }
  if (!answer) {
    co_return refused(fmt::format("no one-time code came within {} for \"{}\"",
                                  seconds_text(link_.elapsed()), shown));
  }
  if (!*answer) {
    co_return refused(
        fmt::format("no one-time code for \"{}\": {}", shown, answer->error().message));
  }
  co_return std::move(**answer);
}

}  // namespace netfleet::ssh

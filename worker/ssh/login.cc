#include "worker/ssh/login.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>
#include <vector>

#include "worker/ssh/identity_impl.h"
#include "worker/ssh/prompt.h"
#include "worker/ssh/text.h"

namespace netfleet::ssh {
namespace {

// A password, a second empty round for PAM, one or two messages; a server may go on for ever.
constexpr int kMostRounds = 8;

// One login. Methods in the order given, each at most as often as there are keys for it.
class Login {
 public:
  Login(Link& link, std::string user, std::shared_ptr<const Identity> identity)
      : link_(link), user_(std::move(user)), identity_(std::move(identity)) {}

  asio::awaitable<Attempt<void>> run();

 private:
  enum class Answer { kSuccess, kPartial, kDenied, kInfo, kFailed };

  // Carries a libssh authentication call on; on kFailed, failure_ says why.
  template <typename Call>
  asio::awaitable<Answer> ask(Call call);
  asio::awaitable<Answer> try_keys();
  asio::awaitable<Answer> try_agent();
  asio::awaitable<Answer> try_password();
  asio::awaitable<Answer> try_prompts();
  // Answers the prompts of one round; false: it cannot, and failure_ says why.
  bool answer_prompts(bool& typed);

  bool offers(int method) const {
    return (ssh_userauth_list(link_.session.get(), nullptr) & method) != 0;
  }
  std::string offered() const;
  void tried(std::string_view method) { tried_.emplace_back(method); }
  Answer give_up(Outcome outcome, std::string reason) {
    failure_ = Failure{outcome, std::move(reason)};
    return Answer::kFailed;
  }
  Failure refused() const;

  Link& link_;
  const std::string user_;
  const std::shared_ptr<const Identity> identity_;
  std::vector<std::string> tried_;
  std::string note_;  // why a method could not be used
  bool partial_ = false;
  Failure failure_{Outcome::kAuthFailed, ""};
};

template <typename Call>
asio::awaitable<Login::Answer> Login::ask(Call call) {
  const Step step = co_await link_.carry_on(call, SSH_AUTH_AGAIN);
  switch (step.end) {
    case Step::End::kExpired:
      co_return give_up(Outcome::kTimedOut, fmt::format("timed out after {} in authentication",
                                                        seconds_text(link_.elapsed())));
    case Step::End::kAborted:
      co_return give_up(Outcome::kCancelled, "cancelled");
    case Step::End::kLost:
      break;
    case Step::End::kAnswered:
      if (step.code == SSH_AUTH_SUCCESS) co_return Answer::kSuccess;
      if (step.code == SSH_AUTH_PARTIAL) co_return Answer::kPartial;
      if (step.code == SSH_AUTH_DENIED) co_return Answer::kDenied;
      if (step.code == SSH_AUTH_INFO) co_return Answer::kInfo;
      break;
  }
  // A refusal may end the connection, so after a try it is one: repeating it could lock an account.
  const bool nothing_sent = tried_.empty();
  const bool wants_new_password = !nothing_sent && tried_.back() == "password" && !link_.lost();
  if (wants_new_password) {
    co_return give_up(Outcome::kAuthFailed,
                      "the device did not take the password as it is; it may want a new one");
  }
  const std::string how = nothing_sent ? "" : fmt::format(" (tried {})", fmt::join(tried_, ", "));
  co_return give_up(
      nothing_sent ? Outcome::kDisconnected : Outcome::kAuthFailed,
      fmt::format("the device ended the authentication: {}{}", link_.error_text(), how));
}

asio::awaitable<Attempt<void>> Login::run() {
  auto none = [this] { return ssh_userauth_none(link_.session.get(), user_.c_str()); };
  Answer answer = co_await ask(none);
  if (char* banner = ssh_get_issue_banner(link_.session.get()); banner != nullptr) {
    link_.banner = banner;
    ssh_string_free_char(banner);
  }
  if (answer == Answer::kDenied || answer == Answer::kPartial) answer = co_await try_keys();
  if (answer == Answer::kDenied || answer == Answer::kPartial) answer = co_await try_agent();
  if (answer == Answer::kDenied || answer == Answer::kPartial) answer = co_await try_password();
  if (answer == Answer::kSuccess) co_return Attempt<void>();
  if (answer == Answer::kFailed) co_return std::unexpected(std::move(failure_));
  co_return std::unexpected(refused());
}

asio::awaitable<Login::Answer> Login::try_keys() {
  for (const KeyHandle& handle : identity_->impl().keys) {
    if (!offers(SSH_AUTH_METHOD_PUBLICKEY)) break;
    const ssh_key key = handle.get();
    tried("publickey");
    auto sign_in = [this, key] {
      return ssh_userauth_publickey(link_.session.get(), user_.c_str(), key);
    };
    const Answer answer = co_await ask(sign_in);
    if (answer == Answer::kDenied) {
      // libssh itself refuses a key that the agreed algorithms cannot sign with.
      const std::string_view why = ssh_get_error(link_.session.get());
      if (why.find("not allowed") != std::string_view::npos) {
        tried_.pop_back();
        note_ = fmt::format("; a key was not tried: {}", printable(why));
        if (why.find("ssh-rsa") != std::string_view::npos ||
            why.find("RSA_MIN_SIZE") != std::string_view::npos) {
          note_ += " (--legacy-algorithms allows it)";
        }
      }
      continue;
    }
    if (answer != Answer::kPartial) co_return answer;
    partial_ = true;
    break;
  }
  co_return Answer::kDenied;
}

// libssh talks to the agent synchronously; Identity::load has made sure that it answers.
asio::awaitable<Login::Answer> Login::try_agent() {
  const Identity::Impl& identity = identity_->impl();
  if (!identity.agent_problem.empty()) {
    note_ += fmt::format("; the agent was not used: {}", identity.agent_problem);
  }
  if (!identity.agent || !offers(SSH_AUTH_METHOD_PUBLICKEY)) co_return Answer::kDenied;
  tried("publickey (agent)");
  auto sign_in = [this] { return ssh_userauth_agent(link_.session.get(), user_.c_str()); };
  const Answer answer = co_await ask(sign_in);
  if (answer == Answer::kPartial) partial_ = true;
  co_return answer;
}

asio::awaitable<Login::Answer> Login::try_password() {
  if (identity_->impl().credential->password.empty()) co_return Answer::kDenied;
  if (!offers(SSH_AUTH_METHOD_PASSWORD)) {
    if (!offers(SSH_AUTH_METHOD_INTERACTIVE)) co_return Answer::kDenied;
    co_return co_await try_prompts();
  }
  tried("password");
  const char* password = identity_->impl().credential->password.c_str();
  auto sign_in = [this, password] {
    return ssh_userauth_password(link_.session.get(), user_.c_str(), password);
  };
  const Answer answer = co_await ask(sign_in);
  if (answer == Answer::kPartial) partial_ = true;
  co_return answer;
}

asio::awaitable<Login::Answer> Login::try_prompts() {
  tried("keyboard-interactive");
  auto proceed = [this] {
    return ssh_userauth_kbdint(link_.session.get(), user_.c_str(), nullptr);
  };
  bool typed = false;
  for (int round = 0; round < kMostRounds; ++round) {
    const Answer answer = co_await ask(proceed);
    if (answer == Answer::kPartial) partial_ = true;
    if (answer != Answer::kInfo) co_return answer;
    if (!answer_prompts(typed)) co_return Answer::kFailed;
  }
  co_return give_up(Outcome::kAuthFailed, "the device goes on asking for ever");
}

bool Login::answer_prompts(bool& typed) {
  ssh_session session = link_.session.get();
  const char* name = ssh_userauth_kbdint_getname(session);
  const char* instruction = ssh_userauth_kbdint_getinstruction(session);
  const std::string introduction =
      fmt::format("{} {}", name == nullptr ? "" : name, instruction == nullptr ? "" : instruction);
  const int count = ssh_userauth_kbdint_getnprompts(session);
  for (int i = 0; i < count; ++i) {
    char echo = 0;
    const char* text = ssh_userauth_kbdint_getprompt(session, static_cast<unsigned>(i), &echo);
    const std::string_view prompt = text == nullptr ? "" : text;
    switch (classify_prompt(introduction, prompt, echo != 0)) {
      case Prompt::kNewPassword:
        give_up(Outcome::kAuthFailed,
                fmt::format("the device wants the password changed: \"{}\"", printable(prompt)));
        return false;
      case Prompt::kOther:
        give_up(Outcome::kAuthFailed, fmt::format("the device asks for something else than a "
                                                  "password: \"{}\"",
                                                  printable(prompt)));
        return false;
      case Prompt::kPassword:
        break;
    }
    if (typed) {
      give_up(Outcome::kAuthFailed,
              fmt::format("refused: the device asks again: \"{}\"", printable(prompt)));
      return false;
    }
    typed = true;
    ssh_userauth_kbdint_setanswer(session, static_cast<unsigned>(i),
                                  identity_->impl().credential->password.c_str());
  }
  return true;
}

std::string Login::offered() const {
  std::vector<std::string_view> names;
  if (offers(SSH_AUTH_METHOD_PUBLICKEY)) names.emplace_back("publickey");
  if (offers(SSH_AUTH_METHOD_PASSWORD)) names.emplace_back("password");
  if (offers(SSH_AUTH_METHOD_INTERACTIVE)) names.emplace_back("keyboard-interactive");
  if (offers(SSH_AUTH_METHOD_HOSTBASED)) names.emplace_back("hostbased");
  if (offers(SSH_AUTH_METHOD_GSSAPI_MIC)) names.emplace_back("gssapi-with-mic");
  return names.empty() ? "nothing that netfleet knows" : fmt::format("{}", fmt::join(names, ", "));
}

Failure Login::refused() const {
  if (partial_) {
    return {Outcome::kAuthFailed,
            fmt::format("accepted, but the device wants more: it goes on with {} (tried {}){}",
                        offered(), fmt::join(tried_, ", "), note_)};
  }
  if (tried_.empty()) {
    return {Outcome::kAuthFailed,
            fmt::format("the credential has nothing that the device takes: it offers {}{}",
                        offered(), note_)};
  }
  return {Outcome::kAuthFailed, fmt::format("refused (tried {}; the device offers {}){}",
                                            fmt::join(tried_, ", "), offered(), note_)};
}

}  // namespace

asio::awaitable<Attempt<void>> log_in(Link& link, std::string user,
                                      std::shared_ptr<const Identity> identity,
                                      TimePoint deadline) {
  link.begin(deadline);
  Login login(link, std::move(user), std::move(identity));
  co_return co_await login.run();
}

}  // namespace netfleet::ssh

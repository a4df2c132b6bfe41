#include "worker/ssh/login.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>
#include <vector>

#include "worker/ssh/identity_impl.h"
#include "worker/ssh/interactive.h"
#include "worker/ssh/text.h"

namespace netfleet::ssh {
namespace {

// A password, a second empty round for PAM, one or two messages; a server may go on for ever.
constexpr int kMostRounds = 8;

// One login. Methods in the order of next_method(); each key, the agent and the password once.
class Login {
 public:
  Login(Link& link, std::string user, std::shared_ptr<const Identity> identity)
      : link_(link), user_(user), identity_(identity), interactive_(link, user, identity) {}

  asio::awaitable<Attempt<void>> run();

 private:
  enum class Answer { kSuccess, kPartial, kDenied, kInfo, kFailed };
  enum class Method { kKey, kAgent, kPassword, kPrompts, kNone };

  // Carries a libssh authentication call on; on kFailed, failure_ says why.
  template <typename Call>
  asio::awaitable<Answer> ask(Call call);
  Method next_method() const;
  asio::awaitable<Answer> attempt(Method method);
  asio::awaitable<Answer> try_key(ssh_key key);
  asio::awaitable<Answer> try_agent();
  asio::awaitable<Answer> try_password();
  asio::awaitable<Answer> try_prompts();

  bool offers(int method) const {
    return (ssh_userauth_list(link_.session.get(), nullptr) & method) != 0;
  }
  std::string offered() const;
  void tried(std::string_view method) { tried_.emplace_back(method); }
  Answer give_up(Failure failure) {
    failure_ = std::move(failure);
    return Answer::kFailed;
  }
  Failure refused() const;
  Link::CutOff cut_off() const;

  Link& link_;
  const std::string user_;
  const std::shared_ptr<const Identity> identity_;
  Interactive interactive_;
  std::vector<std::string> tried_;
  std::string note_;          // why a key could not be used
  std::size_t next_key_ = 0;  // of the identity's
  bool agent_tried_ = false;
  bool secret_denied_ = false;   // no more passwords or prompts: each counts towards a lock-out
  bool prompts_denied_ = false;  // with nothing typed
  bool partial_ = false;         // the device has accepted something and wants more
  Failure failure_{Outcome::kAuthFailed, ""};
};

template <typename Call>
asio::awaitable<Login::Answer> Login::ask(Call call) {
  const Step step = co_await link_.carry_on(call, SSH_AUTH_AGAIN);
  switch (step.end) {
    case Step::End::kExpired:
      co_return give_up({Outcome::kTimedOut, fmt::format("timed out after {} in authentication",
                                                         seconds_text(link_.elapsed()))});
    case Step::End::kAborted:
      co_return give_up({Outcome::kCancelled, "cancelled"});
    case Step::End::kLost:
      break;
    case Step::End::kAnswered:
      if (step.code == SSH_AUTH_SUCCESS) co_return Answer::kSuccess;
      if (step.code == SSH_AUTH_PARTIAL) co_return Answer::kPartial;
      if (step.code == SSH_AUTH_DENIED) co_return Answer::kDenied;
      if (step.code == SSH_AUTH_INFO) co_return Answer::kInfo;
      break;
  }
  link_.cut_off = cut_off();
  // A refusal may end the connection, so after a try it is one: repeating it could lock an account.
  const bool nothing_sent = tried_.empty();
  const bool wants_new_password = !nothing_sent && tried_.back() == "password" && !link_.lost();
  if (wants_new_password) {
    co_return give_up(
        {Outcome::kAuthFailed, "it did not take the password as it is; it may want a new one"});
  }
  const std::string how = nothing_sent ? "" : fmt::format(" (tried {})", fmt::join(tried_, ", "));
  co_return give_up({nothing_sent ? Outcome::kDisconnected : Outcome::kAuthFailed,
                     fmt::format("it ended the authentication: {}{}", link_.error_text(), how)});
}

// A server that refuses says so, or ends the connection with its reason for that; this one went
// because something broke, or ended for another reason.
Link::CutOff Login::cut_off() const {
  constexpr std::uint32_t kServiceNotAvailable = 7;  // RFC 4253, 11.1
  constexpr std::uint32_t kConnectionLost = 10;
  constexpr std::uint32_t kTooManyConnections = 12;
  const std::uint32_t reason = link_.disconnect_reason().value_or(kConnectionLost);
  const bool broke =
      reason == kServiceNotAvailable || reason == kConnectionLost || reason == kTooManyConnections;
  if (!broke || !link_.lost()) return Link::CutOff::kNo;
  const bool secret =
      !tried_.empty() && (tried_.back() == "password" ||
                          (tried_.back() == "keyboard-interactive" && interactive_.secret_sent()));
  return secret ? Link::CutOff::kWithSecret : Link::CutOff::kYes;
}

asio::awaitable<Attempt<void>> Login::run() {
  auto none = [this] { return ssh_userauth_none(link_.session.get(), user_.c_str()); };
  Answer answer = co_await ask(none);
  if (char* banner = ssh_get_issue_banner(link_.session.get()); banner != nullptr) {
    link_.banner = banner;
    ssh_string_free_char(banner);
  }
  while (answer == Answer::kDenied || answer == Answer::kPartial) {
    partial_ = partial_ || answer == Answer::kPartial;
    const Method method = next_method();
    if (method == Method::kNone) co_return std::unexpected(refused());
    answer = co_await attempt(method);
  }
  if (answer == Answer::kSuccess) co_return Attempt<void>();
  co_return std::unexpected(std::move(failure_));
}

// What is left of what the device offers. Where a command gives one-time codes, a password alone
// would be refused, and counted.
Login::Method Login::next_method() const {
  const Identity::Impl& identity = identity_->impl();
  if (offers(SSH_AUTH_METHOD_PUBLICKEY)) {
    if (next_key_ < identity.keys.size()) return Method::kKey;
    if (identity.agent && !agent_tried_) return Method::kAgent;
  }
  if (secret_denied_) return Method::kNone;
  const bool password = offers(SSH_AUTH_METHOD_PASSWORD) &&
                        !identity.credential->password.empty() && !interactive_.password_sent();
  const bool prompts = offers(SSH_AUTH_METHOD_INTERACTIVE) && !prompts_denied_ &&
                       (interactive_.has_answers() || partial_);
  const bool prompts_first = !identity.credential->otp_command.empty();
  if (prompts && (prompts_first || !password)) return Method::kPrompts;
  return password ? Method::kPassword : Method::kNone;
}

asio::awaitable<Login::Answer> Login::attempt(Method method) {
  Answer answer = Answer::kDenied;
  switch (method) {
    case Method::kKey:
      answer = co_await try_key(identity_->impl().keys[next_key_++].get());
      break;
    case Method::kAgent:
      answer = co_await try_agent();
      break;
    case Method::kPassword:
      answer = co_await try_password();
      break;
    case Method::kPrompts:
      answer = co_await try_prompts();
      break;
    case Method::kNone:
      break;
  }
  co_return answer;
}

asio::awaitable<Login::Answer> Login::try_key(ssh_key key) {
  tried("publickey");
  auto sign_in = [this, key] {
    return ssh_userauth_publickey(link_.session.get(), user_.c_str(), key);
  };
  const Answer answer = co_await ask(sign_in);
  if (answer != Answer::kDenied) co_return answer;
  // libssh itself refuses a key that the agreed algorithms cannot sign with.
  const std::string_view why = ssh_get_error(link_.session.get());
  if (why.find("not allowed") == std::string_view::npos) co_return answer;
  tried_.pop_back();
  note_ = fmt::format("; a key was not tried: {}", printable(why));
  if (why.find("ssh-rsa") != std::string_view::npos ||
      why.find("RSA_MIN_SIZE") != std::string_view::npos) {
    note_ += " (--legacy-algorithms allows it)";
  }
  co_return answer;
}

// libssh talks to the agent synchronously; Identity::load has made sure that it answers.
asio::awaitable<Login::Answer> Login::try_agent() {
  agent_tried_ = true;
  tried("publickey (agent)");
  auto sign_in = [this] { return ssh_userauth_agent(link_.session.get(), user_.c_str()); };
  co_return co_await ask(sign_in);
}

asio::awaitable<Login::Answer> Login::try_password() {
  tried("password");
  interactive_.note_password_sent();
  const char* password = identity_->impl().credential->password.c_str();
  auto sign_in = [this, password] {
    return ssh_userauth_password(link_.session.get(), user_.c_str(), password);
  };
  const Answer answer = co_await ask(sign_in);
  secret_denied_ = answer == Answer::kDenied;
  co_return answer;
}

asio::awaitable<Login::Answer> Login::try_prompts() {
  tried("keyboard-interactive");
  auto proceed = [this] {
    return ssh_userauth_kbdint(link_.session.get(), user_.c_str(), nullptr);
  };
  for (int round = 0; round < kMostRounds; ++round) {
    const Answer answer = co_await ask(proceed);
    if (answer == Answer::kDenied) {
      prompts_denied_ = true;
      secret_denied_ = interactive_.secret_sent();
    }
    if (answer != Answer::kInfo) co_return answer;
    Attempt<void> answered = co_await interactive_.answer_round();
    if (!answered) co_return give_up(std::move(answered.error()));
  }
  co_return give_up({Outcome::kAuthFailed, "it goes on asking for ever"});
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
  std::string note = note_;
  if (const auto& problem = identity_->impl().agent_problem; !problem.empty()) {
    note += fmt::format("; the agent was not used: {}", problem);
  }
  if (partial_) {
    return {Outcome::kAuthFailed,
            fmt::format("accepted, but it wants more: it goes on with {} (tried {}){}", offered(),
                        fmt::join(tried_, ", "), note)};
  }
  if (tried_.empty()) {
    return {
        Outcome::kAuthFailed,
        fmt::format("the credential has nothing that it takes: it offers {}{}", offered(), note)};
  }
  return {Outcome::kAuthFailed, fmt::format("refused (tried {}; it offers {}){}",
                                            fmt::join(tried_, ", "), offered(), note)};
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

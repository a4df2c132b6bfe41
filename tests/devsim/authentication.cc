#include <algorithm>

#include "tests/devsim/session.h"

namespace netfleet::devsim {
namespace {

constexpr int kMaxRefusals = 6;

}  // namespace

// Answers and frees the message, or keeps it until the login delay is over.
void Session::authenticate(ssh_message message) {
  const auto done = [message] { ssh_message_free(message); };
  if (device_.faults.has(Fault::kCloseAtAuth)) {
    done();
    return finish("fault");
  }
  if (device_.faults.has(Fault::kHangAtAuth) || login_ != nullptr) return done();
  send_banner();
  const int method = ssh_message_subtype(message);
  // libssh's message of an interactive answer has no user: it is the one of the request before.
  if (const char* user = ssh_message_auth_user(message); user != nullptr) user_ = user;
  ssh_message_auth_set_methods(message, options_.auth_methods & ~int{SSH_AUTH_METHOD_NONE});
  if ((options_.auth_methods & method) == 0) {
    ssh_message_reply_default(message);  // what the client may try instead
    return done();
  }
  if (method == SSH_AUTH_METHOD_INTERACTIVE && ssh_message_auth_kbdint_is_response(message) == 0) {
    const char* prompts[] = {"Password: "};
    char echo[] = {0};
    ssh_message_auth_interactive_request(message, "", "", 1, prompts, echo);
    return done();
  }
  if (method == SSH_AUTH_METHOD_PUBLICKEY &&
      ssh_message_auth_publickey_state(message) == SSH_PUBLICKEY_STATE_NONE) {
    // The client only asks whether this key would do.
    if (key_is_authorized(message))
      ssh_message_auth_reply_pk_ok_simple(message);
    else
      ssh_message_reply_default(message);
    return done();
  }
  if (!credentials_match(message, method)) {
    refuse_login(message);
    return done();
  }
  if (options_.login_delay.count() == 0) return grant_login(message);
  login_ = message;
  wait(Waiting::kLogin, options_.login_delay);
}

bool Session::credentials_match(ssh_message message, int method) const {
  if (device_.faults.has(Fault::kWrongPassword) || user_ != options_.user) return false;
  switch (method) {
    case SSH_AUTH_METHOD_NONE:
      return true;
    case SSH_AUTH_METHOD_PASSWORD: {
      const char* password = ssh_message_auth_password(message);
      return password != nullptr && password == options_.password;
    }
    case SSH_AUTH_METHOD_INTERACTIVE: {
      if (ssh_userauth_kbdint_getnanswers(ssh_.get()) != 1) return false;
      const char* answer = ssh_userauth_kbdint_getanswer(ssh_.get(), 0);
      return answer != nullptr && answer == options_.password;
    }
    case SSH_AUTH_METHOD_PUBLICKEY:
      return ssh_message_auth_publickey_state(message) == SSH_PUBLICKEY_STATE_VALID &&
             key_is_authorized(message);
    default:
      return false;
  }
}

bool Session::key_is_authorized(ssh_message message) const {
  const ssh_key offered = ssh_message_auth_pubkey(message);
  return std::ranges::any_of(options_.authorized_keys, [offered](const auto& key) {
    return ssh_key_cmp(key.get(), offered, SSH_KEY_CMP_PUBLIC) == 0;
  });
}

// Once, before the first answer.
void Session::send_banner() {
  const Faults& faults = device_.faults;
  if (std::exchange(banner_sent_, true)) return;
  if (!faults.has(Fault::kMotd) && !faults.has(Fault::kPromptLookalike)) return;
  ssh_string banner = ssh_string_from_char(faults.has(Fault::kMotd)
                                               ? "Property of Example Networks.\r\n"
                                               : "####\r\nNo unauthorised access #\r\nlogin>\r\n");
  ssh_send_issue_banner(ssh_.get(), banner);
  ssh_string_free(banner);
}

void Session::grant_login(ssh_message message) {
  stats_.logins.fetch_add(1, std::memory_order_relaxed);
  record("login", user_);
  ssh_message_auth_reply_success(message, 0);
  ssh_message_free(message);
}

void Session::refuse_login(ssh_message message) {
  stats_.refused.fetch_add(1, std::memory_order_relaxed);
  record("login-refused", user_);
  ssh_message_reply_default(message);
  if (++refusals_ < kMaxRefusals) return;
  ssh_disconnect(ssh_.get());
  finish("too many refused logins");
}

}  // namespace netfleet::devsim

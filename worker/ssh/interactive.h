// worker/ssh: the answers of one login to keyboard-interactive questions. Private to the room.
#pragma once

#include <asio/awaitable.hpp>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "worker/ssh/identity_impl.h"
#include "worker/ssh/link.h"
#include "worker/ssh/prompt.h"

namespace netfleet::ssh {

// Belongs to a login. What a prompt wants is judged by prompt.h; a prompt that comes again, with
// the same words, means that its answer was refused.
class Interactive {
 public:
  Interactive(Link& link, std::string user, std::shared_ptr<const Identity> identity)
      : link_(link), user_(std::move(user)), identity_(std::move(identity)) {}

  // Whether there is anything to answer with.
  bool has_answers() const {
    return !identity_->impl().credential->password.empty() || identity_->impl().codes != nullptr;
  }
  // Answers all prompts of the round that the device has just sent, or none.
  asio::awaitable<Attempt<void>> answer_round();
  // The password went out, by this or another method: it is not typed again.
  bool password_sent() const { return password_sent_; }
  // That, or something else was answered.
  bool secret_sent() const { return password_sent_ || !answered_.empty(); }
  void note_password_sent() { password_sent_ = true; }

 private:
  struct Question {
    unsigned number;
    std::string text;
    Prompt wanted;
  };
  // Whether it can be answered, and was not before.
  Attempt<void> check(const Question& question);
  asio::awaitable<Attempt<void>> answer(const Question& question);
  asio::awaitable<Attempt<Secret>> get_code(std::string prompt);

  Link& link_;
  const std::string user_;
  const std::shared_ptr<const Identity> identity_;
  std::set<std::string> answered_;  // prompts
  bool password_sent_ = false;
};

}  // namespace netfleet::ssh

// worker/fleet: what this worker can log in with, by the names that tasks use.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "common/credential.h"
#include "common/error.h"
#include "common/secret.h"
#include "worker/ssh/codes.h"
#include "worker/ssh/identity.h"

namespace netfleet {

// One thread. Keys are read and decrypted once.
class Keyring {
 public:
  // `ask_code`: gets one-time codes where a credential has no command for that; may be empty.
  // `more`: credentials that are not known yet, by name, of this very process; may be empty.
  explicit Keyring(CredentialStore own, AskCode ask_code = {}, FindCredential more = {})
      : own_(std::move(own)),
        ask_code_(std::move(ask_code)),
        more_(std::move(more)),
        credentials_(own_) {}

  // Reads every key; the error names the first that cannot be used.
  Expected<void> load();
  // What a dispatcher sent: "password NUL enable-password". A password of the worker's own goes
  // before it; what an earlier dispatcher sent does not.
  void take(const std::string& name, const Secret& secret);
  // That dispatcher has finished: only the worker's own are left.
  void forget_taken();
  // The error says only why, not whose.
  Expected<std::shared_ptr<const ssh::Identity>> find(const std::string& name);

 private:
  std::shared_ptr<ssh::Codes> codes_for(const Credential& credential);

  const CredentialStore own_;
  const AskCode ask_code_;
  const FindCredential more_;
  CredentialStore credentials_;  // with what was taken
  // By command; "" is the terminal. Shared by all identities, so that questions have one queue.
  std::map<std::string, std::shared_ptr<ssh::Codes>> codes_;
  std::map<std::string, std::shared_ptr<const ssh::Identity>> identities_;
};

}  // namespace netfleet

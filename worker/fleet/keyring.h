// worker/fleet: what this worker can log in with, by the names that tasks use.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "common/credential.h"
#include "common/error.h"
#include "common/secret.h"
#include "worker/ssh/identity.h"

namespace netfleet {

// One thread. Keys are read and decrypted once.
class Keyring {
 public:
  explicit Keyring(CredentialStore own) : credentials_(std::move(own)) {}

  // Reads every key; the error names the first that cannot be used.
  Expected<void> load();
  // What a dispatcher sent: "password NUL enable-password". A password of the worker's own goes
  // before it.
  void take(const std::string& name, const Secret& secret);
  // The error says only why, not whose.
  Expected<std::shared_ptr<const ssh::Identity>> find(const std::string& name);

 private:
  CredentialStore credentials_;
  std::map<std::string, std::shared_ptr<const ssh::Identity>> identities_;
};

}  // namespace netfleet

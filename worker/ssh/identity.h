// worker/ssh: a credential made ready for use: keys loaded and decrypted once, shared read-only.
#pragma once

#include <memory>
#include <string>

#include "common/credential.h"
#include "common/error.h"

namespace netfleet::ssh {

class Codes;

class Identity {
 public:
  // Loads the keys (bcrypt costs 100 ms each: once a process, not once a session). Errors name the
  // file: missing, unreadable, readable by others (OpenSSH's rule), wrong or missing passphrase,
  // certificate that does not fit.
  // `codes`: whoever knows one-time codes; nullptr: nobody does.
  static Expected<std::shared_ptr<const Identity>> load(
      std::shared_ptr<const Credential> credential, std::shared_ptr<Codes> codes = nullptr);
  // Whether the key file needs a passphrase; an error when it is no private key at all.
  static Expected<bool> needs_passphrase(const std::string& path);
  ~Identity();

  const Credential& credential() const;

  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  explicit Identity(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace netfleet::ssh

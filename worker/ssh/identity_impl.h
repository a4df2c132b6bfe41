// worker/ssh: the inside of an Identity. Private to the room.
#pragma once

#include <libssh/libssh.h>

#include <memory>
#include <string>
#include <vector>

#include "worker/ssh/codes.h"
#include "worker/ssh/identity.h"

namespace netfleet::ssh {

struct KeyDeleter {
  void operator()(ssh_key key) const { ssh_key_free(key); }
};
using KeyHandle = std::unique_ptr<ssh_key_struct, KeyDeleter>;

// The raw public key, of a certificate the certificate; empty if libssh cannot tell.
std::string public_blob(ssh_key key);

// Read-only once loaded: libssh only reads a key it signs with, so threads may share it.
struct Identity::Impl {
  std::shared_ptr<const Credential> credential;
  std::vector<KeyHandle> keys;   // with their certificates
  bool agent = false;            // it answered, and holds keys
  std::string agent_problem;     // why a wanted agent is not used
  std::shared_ptr<Codes> codes;  // one-time codes; nullptr: there is nobody to ask
};

}  // namespace netfleet::ssh

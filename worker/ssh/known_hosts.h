// worker/ssh: host keys in OpenSSH's known_hosts format, in memory, appended to on disk. Not
// libssh's own (10,000 hashed lines cost it 154 ms a session).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"

namespace netfleet::ssh {

// Plain, hashed (HMAC-SHA1), wildcard and negated patterns, [host]:port, @revoked, @cert-authority
// lines are understood or kept. Has its own synchronization: shared by all session threads.
class KnownHosts {
 public:
  enum class Verdict { kKnown, kUnknown, kChanged, kRevoked };
  struct Answer {
    Verdict verdict;
    std::string where;  // "file:line" of the entry that decided; empty when unknown
  };
  // New keys are appended to `writable` (created 0600, its directory 0700; empty: memory only);
  // `readable` are read besides, if they exist (~/.ssh/known_hosts, /etc/ssh/ssh_known_hosts).
  static Expected<std::unique_ptr<KnownHosts>> load(std::string writable,
                                                    std::vector<std::string> readable);
  virtual ~KnownHosts() = default;
  // `key_type` as in "ssh-ed25519", `key` the raw public key blob.
  virtual Answer check(std::string_view host, std::uint16_t port, std::string_view key_type,
                       std::string_view key) const = 0;
  // Key types on record for the host, so that they are asked for first in the key exchange.
  virtual std::vector<std::string> key_types(std::string_view host, std::uint16_t port) const = 0;
  // Appends under a file lock (several workers may share the file). When two sessions add different
  // keys for one host at the same time, the second gets kChanged from check().
  virtual Expected<void> add(std::string_view host, std::uint16_t port, std::string_view key_type,
                             std::string_view key) = 0;
};

}  // namespace netfleet::ssh

// worker/ssh: which algorithms are offered, in which order, and what to tell when the device shares
// none of them. No input or output.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/ssh_algorithms.h"

namespace netfleet::ssh {

// Comma-separated lists as libssh takes them: always complete, since it knows no "+algorithm".
struct Algorithms {
  std::string key_exchange;
  std::string host_keys;
  std::string ciphers;
  std::string macs;
  std::string public_keys;  // for signatures with our own keys
  bool operator==(const Algorithms&) const = default;
};

// The text of a task (common/ssh_algorithms.h) with complete lists that libssh takes as they are.
Expected<SshOptions> read_options(std::string_view text, bool legacy);

// `pinned_types`: key types on record for the host ("ssh-rsa"); asked for first, so that a device
// with several keys shows the one that is known. `wanted`: complete lists in place of the usual
// ones.
Algorithms choose_algorithms(bool legacy, const std::vector<std::string>& pinned_types,
                             const SshOptions& wanted = {});

// libssh's "kex error : no match for method ..." as a sentence that names the method, what the
// device offers and, when it would help, the option that allows it. Nothing for any other text.
std::optional<std::string> explain_mismatch(std::string_view error, bool legacy);

}  // namespace netfleet::ssh

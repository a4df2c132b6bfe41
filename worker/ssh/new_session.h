// worker/ssh: libssh's sessions with the options that all have in common.
#pragma once

#include <libssh/libssh.h>

#include <memory>

#include "worker/ssh/algorithms.h"

namespace netfleet::ssh {

struct SessionDeleter {
  void operator()(ssh_session session) const { ssh_free(session); }
};
using SessionHandle = std::unique_ptr<ssh_session_struct, SessionDeleter>;

// A session that offers these algorithms and reads no files of the user's; what differs from one
// host to the next (address, descriptor) is still to be set. `legacy`: short RSA keys, too.
SessionHandle new_session(const Algorithms& algorithms, bool legacy);

}  // namespace netfleet::ssh

#include "worker/ssh/new_session.h"

#include <utility>

#include "common/check.h"

namespace netfleet::ssh {
namespace {

// Looked for by libssh three times a session; what cannot exist costs less than an empty file.
constexpr const char* kNoFile = "/dev/null/none";

void set(ssh_session session, ssh_options_e option, const void* value) {
  CHECK(ssh_options_set(session, option, value) == SSH_OK);
}

// The user is a placeholder, since libssh refuses some ("DOMAIN\name"); login.cc passes the true
// one. It and the directory keep libssh from asking for the user's account.
SessionHandle make(const Algorithms& algorithms) {
  SessionHandle session(ssh_new());
  CHECK(session != nullptr);
  const std::pair<ssh_options_e, const char*> options[] = {
      {SSH_OPTIONS_SSH_DIR, "/dev/null"},
      {SSH_OPTIONS_USER, "netfleet"},
      {SSH_OPTIONS_KNOWNHOSTS, kNoFile},
      {SSH_OPTIONS_GLOBAL_KNOWNHOSTS, kNoFile},
      {SSH_OPTIONS_KEY_EXCHANGE, algorithms.key_exchange.c_str()},
      {SSH_OPTIONS_HOSTKEYS, algorithms.host_keys.c_str()},
      {SSH_OPTIONS_CIPHERS_C_S, algorithms.ciphers.c_str()},
      {SSH_OPTIONS_CIPHERS_S_C, algorithms.ciphers.c_str()},
      {SSH_OPTIONS_HMAC_C_S, algorithms.macs.c_str()},
      {SSH_OPTIONS_HMAC_S_C, algorithms.macs.c_str()},
      {SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES, algorithms.public_keys.c_str()},
  };
  for (const auto& [option, value] : options) set(session.get(), option, value);
  return session;
}

}  // namespace

SessionHandle new_session(const Algorithms& algorithms, bool legacy) {
  // libssh compares every name of every list with all that it knows, and keeps four times the
  // room that they need: a copy takes 1 us in place of 16 and a kilobyte less. Most hosts of a
  // sweep are offered the same.
  thread_local Algorithms offered;
  thread_local SessionHandle pattern;
  if (pattern == nullptr || offered != algorithms) {
    pattern = make(algorithms);
    offered = algorithms;
  }
  ssh_session copy = nullptr;
  CHECK(ssh_options_copy(pattern.get(), &copy) == SSH_OK);
  SessionHandle session(copy);
  const bool no = false;
  set(copy, SSH_OPTIONS_PROCESS_CONFIG, &no);  // not copied
  if (legacy) {
    const int bits = 768;  // the least that libssh takes; 1024 otherwise
    set(copy, SSH_OPTIONS_RSA_MIN_SIZE, &bits);
  }
  return session;
}

}  // namespace netfleet::ssh

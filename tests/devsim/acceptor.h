// devsim: the SSH server's identity (host keys, algorithms, greeting) and how a TCP connection
// becomes a libssh session. Not for what the session then does (session.h).
#pragma once

#include <libssh/libssh.h>
#include <libssh/server.h>

#include <memory>
#include <string>
#include <vector>

#include "common/error.h"
#include "tests/devsim/device.h"

namespace netfleet::devsim {

struct SshDeleter {
  void operator()(ssh_key key) const { ssh_key_free(key); }
  void operator()(ssh_session session) const { ssh_free(session); }
  void operator()(ssh_bind bind) const { ssh_bind_free(bind); }
};
template <typename Handle>
using SshPointer = std::unique_ptr<std::remove_pointer_t<Handle>, SshDeleter>;

// The keys that all devices of this process share.
class Keys {
 public:
  // host_key_file empty: a new ed25519 key. An RSA key is made only when with_rsa says so (legacy).
  static Expected<Keys> make(const std::string& host_key_file, bool with_rsa);
  // The private key, readable by its owner, and FILE.pub.
  Expected<void> write_host_key(const std::string& path) const;
  std::string fingerprint() const;  // "SHA256:..." as OpenSSH prints it
  ssh_key host_key() const { return host_key_.get(); }
  ssh_key rsa_key() const { return rsa_key_.get(); }

 private:
  SshPointer<ssh_key> host_key_;
  SshPointer<ssh_key> rsa_key_;  // may be null
};

// The public keys of an authorized_keys file, without options before the type.
Expected<std::vector<SshPointer<ssh_key>>> read_authorized_keys(const std::string& path);

// One a thread: libssh's bind objects are not for sharing. Makes server sessions of accepted
// sockets.
class Acceptor {
 public:
  static Expected<Acceptor> make(const Keys& keys);
  // Takes the fd in every case. Null: libssh refused.
  SshPointer<ssh_session> accept(int fd, const Device& device) const;

 private:
  SshPointer<ssh_bind> ios_;
  SshPointer<ssh_bind> openssh_;
  SshPointer<ssh_bind> routeros_;
  SshPointer<ssh_bind> legacy_;  // null without an RSA key
};

// The first line of the device's greeting, without its end.
std::string_view server_identification(Platform platform);

}  // namespace netfleet::devsim

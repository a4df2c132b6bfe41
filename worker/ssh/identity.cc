#include "worker/ssh/identity.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "common/check.h"
#include "common/clock.h"
#include "worker/ssh/identity_impl.h"
#include "worker/ssh/text.h"

namespace netfleet::ssh {
namespace {

constexpr std::chrono::milliseconds kAgentTimeout{2000};

// Asked for a passphrase: notes that one is needed, and gives none.
int note_passphrase(const char*, char*, std::size_t, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

// OpenSSH's rule: a key of one's own must not be open to anybody else. Errors of open come first,
// since libssh only says that it failed.
Expected<void> check_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(fmt::format("key {}: {}", path, errno_text(errno)));
  struct stat status{};
  const bool known = fstat(fd, &status) == 0;
  ::close(fd);
  if (!known) return fail(fmt::format("key {}: {}", path, errno_text(errno)));
  if (!S_ISREG(status.st_mode)) return fail(fmt::format("key {}: not a regular file", path));
  if (status.st_uid == getuid() && (status.st_mode & 077) != 0) {
    return fail(fmt::format("key {}: its permissions {:04o} are too open; 0600 is right", path,
                            status.st_mode & 07777));
  }
  return {};
}

// Loads the key; `asked` tells whether a passphrase was wanted that was not given.
KeyHandle import_key(const std::string& path, const char* passphrase, bool& asked) {
  asked = false;
  ssh_key key = nullptr;
  ssh_pki_import_privkey_file(path.c_str(), passphrase, note_passphrase, &asked, &key);
  return KeyHandle(key);
}

// Takes one of SSH's strings off the front of a blob.
std::string_view take_string(std::string_view& blob) {
  if (blob.size() < 4) return {};
  std::uint32_t size = 0;
  for (const char c : blob.substr(0, 4)) size = size << 8 | static_cast<std::uint8_t>(c);
  const std::string_view text = blob.substr(4, size);
  blob.remove_prefix(std::min<std::size_t>(std::size_t{4} + size, blob.size()));
  return text;
}

// A certificate is its type, a nonce, the public key without its type, and more
// (PROTOCOL.certkeys). ssh_key_cmp compares nothing with a certificate.
bool certifies(ssh_key certificate, ssh_key key) {
  const std::string certificate_blob = public_blob(certificate);
  const std::string key_blob = public_blob(key);
  std::string_view certified = certificate_blob;
  std::string_view wanted = key_blob;
  take_string(certified);
  take_string(certified);
  take_string(wanted);
  return !wanted.empty() && certified.starts_with(wanted);
}

bool is_certificate(ssh_key key) {
  const char* type = ssh_key_type_to_char(ssh_key_type(key));
  return type != nullptr && std::string_view(type).ends_with("-cert-v01@openssh.com");
}

Expected<void> add_certificate(ssh_key key, const std::string& path, const std::string& key_path) {
  ssh_key raw = nullptr;
  const int code = ssh_pki_import_cert_file(path.c_str(), &raw);
  const KeyHandle certificate(raw);
  if (code != SSH_OK || !is_certificate(certificate.get())) {
    return fail(fmt::format(
        "certificate {}: {}", path,
        access(path.c_str(), R_OK) != 0 ? errno_text(errno) : "this is no OpenSSH certificate"));
  }
  if (!certifies(certificate.get(), key) ||
      ssh_pki_copy_cert_to_privkey(certificate.get(), key) != SSH_OK) {
    return fail(fmt::format("certificate {}: it is not for the key {}", path, key_path));
  }
  return {};
}

Expected<KeyHandle> load_key(const Credential::Key& wanted) {
  if (auto checked = check_file(wanted.path); !checked) {
    return std::unexpected(std::move(checked.error()));
  }
  bool asked = false;
  const bool has_passphrase = !wanted.passphrase.empty();
  auto key = import_key(wanted.path, has_passphrase ? wanted.passphrase.c_str() : nullptr, asked);
  if (key == nullptr && asked) {
    return fail(fmt::format("key {}: it needs a passphrase", wanted.path));
  }
  if (key == nullptr && has_passphrase) {
    import_key(wanted.path, nullptr, asked);
    if (asked) return fail(fmt::format("key {}: wrong passphrase", wanted.path));
  }
  if (key == nullptr) {
    return fail(fmt::format("key {}: this is no private key that can be used", wanted.path));
  }
  if (!wanted.certificate.empty()) {
    if (auto added = add_certificate(key.get(), wanted.certificate, wanted.path); !added) {
      return std::unexpected(std::move(added.error()));
    }
  }
  return key;
}

// libssh talks to the agent without a time limit. So it is asked once here, with one, for its list
// of keys; what comes back is why it cannot be used, or nothing.
class AgentProbe {
 public:
  ~AgentProbe() {
    if (fd_ >= 0) ::close(fd_);
  }
  std::string run(const char* path);

 private:
  bool wait_for(short events);
  bool receive(unsigned char* bytes, std::size_t size);

  int fd_ = -1;
  const TimePoint deadline_ = BootClock::now() + kAgentTimeout;
};

bool AgentProbe::wait_for(short events) {
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - BootClock::now());
    pollfd watched{fd_, events, 0};
    const int ready = left.count() <= 0 ? 0 : poll(&watched, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno == EINTR) continue;
    return ready > 0;
  }
}

bool AgentProbe::receive(unsigned char* bytes, std::size_t size) {
  while (size > 0) {
    if (!wait_for(POLLIN)) return false;
    const ssize_t got = recv(fd_, bytes, size, 0);
    if (got <= 0) return false;
    bytes += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

std::string AgentProbe::run(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (std::strlen(path) >= sizeof(address.sun_path)) return "SSH_AUTH_SOCK is too long";
  std::memcpy(address.sun_path, path, std::strlen(path));
  fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd_ < 0 || connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    return fmt::format("{}: {}", path, errno_text(errno));
  }
  // SSH_AGENTC_REQUEST_IDENTITIES (11), answered by SSH_AGENT_IDENTITIES_ANSWER (12) and their
  // number; each message has four bytes of length before it.
  constexpr std::array<unsigned char, 5> kRequest{0, 0, 0, 1, 11};
  std::array<unsigned char, 9> answer{};
  if (send(fd_, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) !=
          static_cast<ssize_t>(kRequest.size()) ||
      !receive(answer.data(), answer.size()) || answer[4] != 12) {
    return fmt::format("{} does not answer", path);
  }
  const bool has_keys = answer[5] != 0 || answer[6] != 0 || answer[7] != 0 || answer[8] != 0;
  return has_keys ? "" : "it holds no keys";
}

}  // namespace

std::string public_blob(ssh_key key) {
  char* base64 = nullptr;
  if (ssh_pki_export_pubkey_base64(key, &base64) != SSH_OK) return {};
  std::string blob = decode_base64(base64).value_or("");
  ssh_string_free_char(base64);
  return blob;
}

Identity::Identity(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Identity::~Identity() = default;

const Credential& Identity::credential() const { return *impl_->credential; }

Expected<std::shared_ptr<const Identity>> Identity::load(
    std::shared_ptr<const Credential> credential, std::shared_ptr<Codes> codes) {
  CHECK(credential != nullptr);
  auto impl = std::make_unique<Impl>();
  for (const auto& wanted : credential->keys) {
    auto key = load_key(wanted);
    if (!key) return std::unexpected(std::move(key.error()));
    impl->keys.push_back(std::move(*key));
  }
  if (credential->use_agent) {
    const char* path = std::getenv("SSH_AUTH_SOCK");
    impl->agent_problem =
        path == nullptr || *path == '\0' ? "SSH_AUTH_SOCK is not set" : AgentProbe().run(path);
    impl->agent = impl->agent_problem.empty();
  }
  impl->codes = std::move(codes);
  impl->credential = std::move(credential);
  return std::shared_ptr<const Identity>(new Identity(std::move(impl)));
}

Expected<bool> Identity::needs_passphrase(const std::string& path) {
  if (auto checked = check_file(path); !checked) return std::unexpected(std::move(checked.error()));
  bool asked = false;
  const auto key = import_key(path, nullptr, asked);
  if (key == nullptr && !asked) {
    return fail(fmt::format("key {}: this is no private key that can be used", path));
  }
  return asked;
}

}  // namespace netfleet::ssh

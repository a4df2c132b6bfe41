#include "tests/devsim/acceptor.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "common/check.h"

namespace netfleet::devsim {
namespace {

constexpr int kRsaBits = 2048;
constexpr const char* kIosGreeting = "Cisco-1.25";
constexpr const char* kOpensshGreeting = "OpenSSH_9.2p1 Debian-2+deb12u3";
constexpr const char* kRouterOsGreeting = "ROSSSH";

SshPointer<ssh_key> copy(ssh_key key) {
  char* text = nullptr;
  if (ssh_pki_export_privkey_base64(key, nullptr, nullptr, nullptr, &text) != SSH_OK) return {};
  ssh_key result = nullptr;
  ssh_pki_import_privkey_base64(text, nullptr, nullptr, nullptr, &result);
  ssh_string_free_char(text);
  return SshPointer<ssh_key>(result);
}

// Imports copies of the keys: the bind owns what it is given.
Expected<SshPointer<ssh_bind>> make_bind(const char* greeting, ssh_key host_key) {
  SshPointer<ssh_bind> bind(ssh_bind_new());
  if (bind == nullptr) return fail("ssh_bind_new: out of memory");
  const bool no_config = false;
  ssh_bind_options_set(bind.get(), SSH_BIND_OPTIONS_PROCESS_CONFIG, &no_config);
  ssh_bind_options_set(bind.get(), SSH_BIND_OPTIONS_BANNER, greeting);
  SshPointer<ssh_key> own = copy(host_key);
  if (own == nullptr ||
      ssh_bind_options_set(bind.get(), SSH_BIND_OPTIONS_IMPORT_KEY, own.get()) != SSH_OK) {
    return fail(fmt::format("import the host key: {}", ssh_get_error(bind.get())));
  }
  [[maybe_unused]] ssh_key taken = own.release();
  return bind;
}

Expected<void> make_legacy(ssh_bind bind) {
  constexpr std::pair<ssh_bind_options_e, const char*> kOptions[] = {
      {SSH_BIND_OPTIONS_KEY_EXCHANGE, "diffie-hellman-group1-sha1"},
      {SSH_BIND_OPTIONS_HOSTKEY_ALGORITHMS, "ssh-rsa"},
      {SSH_BIND_OPTIONS_CIPHERS_C_S, "3des-cbc"},
      {SSH_BIND_OPTIONS_CIPHERS_S_C, "3des-cbc"},
      {SSH_BIND_OPTIONS_HMAC_C_S, "hmac-sha1"},
      {SSH_BIND_OPTIONS_HMAC_S_C, "hmac-sha1"},
  };
  for (const auto& [option, value] : kOptions) {
    if (ssh_bind_options_set(bind, option, value) != SSH_OK) {
      return fail(fmt::format("offer {}: {}", value, ssh_get_error(bind)));
    }
  }
  return {};
}

}  // namespace

std::string_view server_identification(Platform platform) {
  if (platform == Platform::kRouterOs) return kRouterOsGreeting;
  return platform == Platform::kCiscoIos ? kIosGreeting : kOpensshGreeting;
}

Expected<Keys> Keys::make(const std::string& host_key_file, bool with_rsa) {
  Keys keys;
  ssh_key key = nullptr;
  if (host_key_file.empty()) {
    if (ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key) != SSH_OK)
      return fail("generate a host key");
  } else if (ssh_pki_import_privkey_file(host_key_file.c_str(), nullptr, nullptr, nullptr, &key) !=
             SSH_OK) {
    return fail(fmt::format("read the host key {}: not an unencrypted private key", host_key_file));
  }
  keys.host_key_.reset(key);
  if (!with_rsa) return keys;
  ssh_key rsa = nullptr;
  if (ssh_pki_generate(SSH_KEYTYPE_RSA, kRsaBits, &rsa) != SSH_OK)
    return fail("generate an RSA key");
  keys.rsa_key_.reset(rsa);
  return keys;
}

Expected<void> Keys::write_host_key(const std::string& path) const {
  const mode_t before = umask(077);
  const bool written =
      ssh_pki_export_privkey_file(host_key_.get(), nullptr, nullptr, nullptr, path.c_str()) ==
          SSH_OK &&
      ssh_pki_export_pubkey_file(host_key_.get(), (path + ".pub").c_str()) == SSH_OK;
  umask(before);
  if (!written) return fail(fmt::format("write the host key to {}", path));
  return {};
}

std::string Keys::fingerprint() const {
  unsigned char* hash = nullptr;
  std::size_t size = 0;
  CHECK(ssh_get_publickey_hash(host_key_.get(), SSH_PUBLICKEY_HASH_SHA256, &hash, &size) == SSH_OK);
  char* text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size);
  std::string result = text;
  ssh_string_free_char(text);
  ssh_clean_pubkey_hash(&hash);
  return result;
}

Expected<std::vector<SshPointer<ssh_key>>> read_authorized_keys(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(fmt::format("open {}: {}", path, std::strerror(errno)));
  std::vector<SshPointer<ssh_key>> keys;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    std::istringstream words(line);
    std::string type;
    std::string base64;
    words >> type >> base64;
    if (type.empty() || type.starts_with('#')) continue;
    ssh_key key = nullptr;
    if (ssh_pki_import_pubkey_base64(base64.c_str(), ssh_key_type_from_name(type.c_str()), &key) !=
        SSH_OK) {
      return fail(fmt::format("{}:{}: not a public key", path, number));
    }
    keys.emplace_back(key);
  }
  return keys;
}

Expected<Acceptor> Acceptor::make(const Keys& keys) {
  Acceptor acceptor;
  auto ios = make_bind(kIosGreeting, keys.host_key());
  if (!ios) return std::unexpected(ios.error());
  acceptor.ios_ = std::move(*ios);
  auto openssh = make_bind(kOpensshGreeting, keys.host_key());
  if (!openssh) return std::unexpected(openssh.error());
  acceptor.openssh_ = std::move(*openssh);
  auto routeros = make_bind(kRouterOsGreeting, keys.host_key());
  if (!routeros) return std::unexpected(routeros.error());
  acceptor.routeros_ = std::move(*routeros);
  if (keys.rsa_key() == nullptr) return acceptor;
  auto legacy = make_bind(kIosGreeting, keys.rsa_key());
  if (!legacy) return std::unexpected(legacy.error());
  if (auto offered = make_legacy(legacy->get()); !offered) return std::unexpected(offered.error());
  acceptor.legacy_ = std::move(*legacy);
  return acceptor;
}

SshPointer<ssh_session> Acceptor::accept(int fd, const Device& device) const {
  ssh_bind bind = device.platform == Platform::kCiscoIos ? ios_.get() : openssh_.get();
  if (device.platform == Platform::kRouterOs) bind = routeros_.get();
  if (device.faults.has(Fault::kLegacy)) bind = legacy_.get();
  CHECK(bind != nullptr);
  SshPointer<ssh_session> session(ssh_new());
  if (session == nullptr || ssh_bind_accept_fd(bind, session.get(), fd) != SSH_OK) {
    // Once the session has the fd, ssh_free closes it.
    if (session == nullptr || ssh_get_fd(session.get()) != fd) ::close(fd);
    return nullptr;
  }
  ssh_set_blocking(session.get(), 0);
  return session;
}

}  // namespace netfleet::devsim

#include "worker/ssh/algorithms.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "worker/ssh/text.h"

namespace netfleet::ssh {
namespace {

// Cheap ones first: libssh's own order asks for group18 before group14, 106 ms of CPU instead of 3.
constexpr std::string_view kKeyExchange =
    "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,"
    "ecdh-sha2-nistp521,diffie-hellman-group14-sha256,diffie-hellman-group-exchange-sha256,"
    "diffie-hellman-group16-sha512,diffie-hellman-group18-sha512";
constexpr std::string_view kLegacyKeyExchange =
    "diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha1,diffie-hellman-group1-sha1";

// AEAD first: libssh builds a new HMAC context for every packet, 0.5 ms a session.
constexpr std::string_view kCiphers =
    "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr,"
    "aes192-ctr,aes256-ctr";
constexpr std::string_view kLegacyCiphers = "aes128-cbc,aes192-cbc,aes256-cbc,3des-cbc";

constexpr std::string_view kMacs =
    "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512";
constexpr std::string_view kLegacyMacs = "hmac-sha1-etm@openssh.com,hmac-sha1";

constexpr std::string_view kHostKeys =
    "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,"
    "rsa-sha2-256";
constexpr std::string_view kLegacyHostKeys = "ssh-rsa";

constexpr std::string_view kPublicKeys =
    "ssh-ed25519-cert-v01@openssh.com,ecdsa-sha2-nistp256-cert-v01@openssh.com,"
    "ecdsa-sha2-nistp384-cert-v01@openssh.com,ecdsa-sha2-nistp521-cert-v01@openssh.com,"
    "rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-256-cert-v01@openssh.com,ssh-ed25519,"
    "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,sk-ssh-ed25519@openssh.com,"
    "sk-ecdsa-sha2-nistp256@openssh.com,rsa-sha2-512,rsa-sha2-256";
constexpr std::string_view kLegacyPublicKeys = "ssh-rsa-cert-v01@openssh.com,ssh-rsa";

std::string join(std::string_view modern, std::string_view old, bool legacy) {
  return legacy ? fmt::format("{},{}", modern, old) : std::string(modern);
}

std::vector<std::string_view> split(std::string_view list) {
  std::vector<std::string_view> names;
  for (const auto part : std::views::split(list, ',')) {
    if (!part.empty()) names.emplace_back(part.begin(), part.end());
  }
  return names;
}

bool signs_with(std::string_view algorithm, std::string_view key_type) {
  return algorithm == key_type || (key_type == "ssh-rsa" && algorithm.starts_with("rsa-sha2-"));
}

struct Method {
  std::string_view libssh_name;  // a prefix of it: "encryption client->server"
  std::string_view name;
  std::string_view legacy;
};
constexpr Method kMethods[] = {
    {"kex algos", "key exchange method", kLegacyKeyExchange},
    {"server host key algo", "host key type", kLegacyHostKeys},
    {"encryption", "cipher", kLegacyCiphers},
    {"mac algo", "MAC", kLegacyMacs},
    {"compression", "compression method", ""},
};

}  // namespace

Algorithms choose_algorithms(bool legacy, const std::vector<std::string>& pinned_types) {
  std::string host_keys = join(kHostKeys, kLegacyHostKeys, legacy);
  if (!pinned_types.empty()) {
    std::vector<std::string_view> first;
    std::vector<std::string_view> rest;
    for (const std::string_view name : split(host_keys)) {
      const bool pinned = std::ranges::any_of(
          pinned_types, [&](const auto& type) { return signs_with(name, type); });
      (pinned ? first : rest).push_back(name);
    }
    first.insert(first.end(), rest.begin(), rest.end());
    host_keys = fmt::format("{}", fmt::join(first, ","));
  }
  return {.key_exchange = join(kKeyExchange, kLegacyKeyExchange, legacy),
          .host_keys = std::move(host_keys),
          .ciphers = join(kCiphers, kLegacyCiphers, legacy),
          .macs = join(kMacs, kLegacyMacs, legacy),
          .public_keys = join(kPublicKeys, kLegacyPublicKeys, legacy)};
}

std::optional<std::string> explain_mismatch(std::string_view error, bool legacy) {
  constexpr std::string_view kStart = "no match for method ";
  constexpr std::string_view kServer = ": server [";
  const auto start = error.find(kStart);
  if (start == std::string_view::npos) return std::nullopt;
  error.remove_prefix(start + kStart.size());
  const auto colon = error.find(kServer);
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view libssh_name = error.substr(0, colon);
  error.remove_prefix(colon + kServer.size());
  const std::string_view offered = error.substr(0, error.find(']'));  // libssh cuts long texts

  const auto* const method = std::ranges::find_if(
      kMethods, [&](const Method& known) { return libssh_name.starts_with(known.libssh_name); });
  const bool known = method != std::end(kMethods);
  std::string text = fmt::format("no common {}: the device offers {}",
                                 known ? method->name : printable(libssh_name, 40),
                                 offered.empty() ? "none" : printable(offered, 400));
  if (!known) return text;
  const auto old = split(method->legacy);
  const bool would_help = std::ranges::any_of(split(offered), [&](std::string_view name) {
    return std::ranges::find(old, name) != old.end();
  });
  if (would_help && !legacy) text += " (--legacy-algorithms allows it)";
  return text;
}

}  // namespace netfleet::ssh

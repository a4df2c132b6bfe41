#include "common/ssh_algorithms.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ranges>

#include "common/wildcard.h"

namespace netfleet {
namespace {

struct Lists {
  std::string_view modern;
  std::string_view legacy;  // besides, with --legacy-algorithms
};

// Of key exchanges cheap ones first: libssh's own order asks for group18 before group14, 106 ms of
// CPU instead of 3. Of ciphers AEAD first: libssh builds a new HMAC context for every packet, 0.5
// ms a session.
constexpr std::array<Lists, kAlgorithmKinds> kLists = {
    Lists{"curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,"
          "ecdh-sha2-nistp521,diffie-hellman-group14-sha256,diffie-hellman-group-exchange-sha256,"
          "diffie-hellman-group16-sha512,diffie-hellman-group18-sha512",
          "diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha1,"
          "diffie-hellman-group1-sha1"},
    Lists{"aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr,"
          "aes192-ctr,aes256-ctr",
          "aes128-cbc,aes192-cbc,aes256-cbc,3des-cbc"},
    Lists{"hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512",
          "hmac-sha1-etm@openssh.com,hmac-sha1"},
    Lists{"ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,"
          "rsa-sha2-256",
          "ssh-rsa"},
    Lists{"ssh-ed25519-cert-v01@openssh.com,ecdsa-sha2-nistp256-cert-v01@openssh.com,"
          "ecdsa-sha2-nistp384-cert-v01@openssh.com,ecdsa-sha2-nistp521-cert-v01@openssh.com,"
          "rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-256-cert-v01@openssh.com,ssh-ed25519,"
          "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,sk-ssh-ed25519@openssh.com,"
          "sk-ecdsa-sha2-nistp256@openssh.com,rsa-sha2-512,rsa-sha2-256",
          "ssh-rsa-cert-v01@openssh.com,ssh-rsa"},
};

constexpr std::string_view kRefusal = "refuse";

// A name or a pattern of the few characters that SSH's names have.
bool is_plain(std::string_view name, bool pattern) {
  return !name.empty() && std::ranges::all_of(name, [&](unsigned char c) {
    return c > 0x20 && c < 0x7F && c != ',' && (pattern || (c != '*' && c != '?'));
  });
}

bool contains(const std::vector<std::string_view>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

const std::array<AlgorithmKindInfo, kAlgorithmKinds>& algorithm_kinds() {
  static constexpr std::array<AlgorithmKindInfo, kAlgorithmKinds> kKinds = {
      AlgorithmKindInfo{AlgorithmKind::kKeyExchange, "key exchange method", "--kex", "kex",
                        "kexalgorithms"},
      {AlgorithmKind::kCiphers, "cipher", "--ciphers", "ciphers", "ciphers"},
      {AlgorithmKind::kMacs, "MAC", "--macs", "macs", "macs"},
      {AlgorithmKind::kHostKeys, "host key type", "--host-key-algorithms", "host_key_algorithms",
       "hostkeyalgorithms"},
      {AlgorithmKind::kPublicKeys, "signature algorithm", "--legacy-algorithms",
       "public_key_algorithms", "pubkeyacceptedalgorithms"},
  };
  return kKinds;
}

const AlgorithmKindInfo& info_of(AlgorithmKind kind) {
  return algorithm_kinds()[static_cast<std::size_t>(kind)];
}

const AlgorithmKindInfo* algorithm_field(std::string_view field) {
  const auto* const info = std::ranges::find(algorithm_kinds(), field, &AlgorithmKindInfo::field);
  return info == algorithm_kinds().end() ? nullptr : info;
}

std::vector<std::string_view> split_algorithms(std::string_view list) {
  std::vector<std::string_view> names;
  for (const auto part : std::views::split(list, ',')) {
    if (!part.empty()) names.emplace_back(part.begin(), part.end());
  }
  return names;
}

std::string known_algorithms(AlgorithmKind kind) { return default_algorithms(kind, true); }

std::string default_algorithms(AlgorithmKind kind, bool legacy) {
  const Lists& lists = kLists[static_cast<std::size_t>(kind)];
  return legacy ? fmt::format("{},{}", lists.modern, lists.legacy) : std::string(lists.modern);
}

Expected<std::string> resolve_algorithms(AlgorithmKind kind, std::string_view wanted, bool legacy,
                                         std::vector<std::string>* unknown) {
  const char sign = wanted.empty() ? '\0' : wanted.front();
  const bool changes = sign == '+' || sign == '-' || sign == '^';
  if (changes) wanted.remove_prefix(1);
  const std::string known_text = known_algorithms(kind);
  const auto known = split_algorithms(known_text);
  const std::string standard_text = default_algorithms(kind, legacy);
  const auto standard = split_algorithms(standard_text);
  std::vector<std::string_view> named;
  for (const std::string_view name : split_algorithms(wanted)) {
    if (!is_plain(name, sign == '-')) {
      return fail("a list of algorithms has commas between its names, and no blanks");
    }
    if (sign == '-' || contains(known, name)) {
      named.push_back(name);
    } else if (unknown != nullptr) {
      unknown->emplace_back(name);
    } else {
      return fail(fmt::format("'{}' is no {} that netfleet knows; it knows {}", name,
                              info_of(kind).what, known_text));
    }
  }
  std::vector<std::string_view> chosen;
  const auto add = [&](const std::vector<std::string_view>& names) {
    for (const std::string_view name : names) {
      if (!contains(chosen, name)) chosen.push_back(name);
    }
  };
  if (sign == '-') {
    for (const std::string_view name : standard) {
      const bool out = std::ranges::any_of(
          named, [&](std::string_view pattern) { return wildcard_matches(pattern, name); });
      if (!out) chosen.push_back(name);
    }
  } else if (sign == '+') {
    add(standard);
    add(named);
  } else {
    add(named);
    if (sign == '^') add(standard);
  }
  if (chosen.empty()) {
    return fail(fmt::format("no {} is left of '{}'; netfleet knows {}", info_of(kind).what, wanted,
                            known_text));
  }
  return fmt::format("{}", fmt::join(chosen, ","));
}

// Without the old ones less is left than with them.
Expected<void> check_algorithms(AlgorithmKind kind, std::string_view wanted) {
  const auto resolved = resolve_algorithms(kind, wanted, false);
  if (!resolved) return std::unexpected(resolved.error());
  return {};
}

std::string to_text(const SshOptions& options) {
  std::string text;
  for (const AlgorithmKindInfo& info : algorithm_kinds()) {
    if (!options[info.kind].empty()) {
      text += fmt::format("{} {}\n", info.field, options[info.kind]);
    }
  }
  if (!options.refusal.empty()) text += fmt::format("{} {}\n", kRefusal, options.refusal);
  return text;
}

std::optional<SshOptions> parse_ssh_options(std::string_view text) {
  SshOptions options;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const auto blank = line.find(' ');
    if (blank == std::string_view::npos || blank + 1 == line.size()) return std::nullopt;
    const std::string_view name = line.substr(0, blank);
    const std::string_view value = line.substr(blank + 1);
    if (const AlgorithmKindInfo* info = algorithm_field(name); info != nullptr) {
      options[info->kind] = value;
    } else if (name == kRefusal) {
      options.refusal = value;
    } else {
      return std::nullopt;
    }
  }
  return options;
}

}  // namespace netfleet

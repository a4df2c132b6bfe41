// worker/ssh: one line of a known_hosts file, and how its host patterns match. No input or output.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace netfleet::ssh {

struct KnownHostsLine {
  enum class Marker { kNone, kRevoked, kCertAuthority };
  Marker marker = Marker::kNone;
  std::vector<std::string> patterns;  // lower case; "|1|salt|hash" as it is
  std::string key_type;
  std::string key;  // the raw blob
};

// Nothing for comments, empty and malformed lines (OpenSSH skips those too).
std::optional<KnownHostsLine> parse_known_hosts_line(std::string_view line);

// A hashed name, "|1|base64 salt|base64 HMAC-SHA1".
struct HashedName {
  std::string salt;
  std::string hash;
};
std::optional<HashedName> parse_hashed_name(std::string_view pattern);

// "name", or "[name]:port" for any port but 22; lower case.
std::string known_hosts_name(std::string_view host, std::uint16_t port);

bool has_wildcard(std::string_view pattern);
// Whether the patterns of a line name the host: one must match, and none that starts with "!".
// Hashed names never match here.
bool patterns_match(const std::vector<std::string>& patterns, std::string_view name);

}  // namespace netfleet::ssh

#include "worker/ssh/known_hosts_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "common/wildcard.h"
#include "worker/ssh/text.h"

namespace netfleet::ssh {
namespace {

constexpr std::size_t kSha1Size = 20;

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::string_view next_word(std::string_view& rest) {
  constexpr std::string_view kBlank = " \t\r";
  rest.remove_prefix(std::min(rest.find_first_not_of(kBlank), rest.size()));
  const std::string_view word = rest.substr(0, rest.find_first_of(kBlank));
  rest.remove_prefix(word.size());
  return word;
}

// The blob starts with the name of its type: SSH's string, four bytes of length before it.
bool blob_is_of_type(std::string_view blob, std::string_view type) {
  if (blob.size() < 4 + type.size()) return false;
  std::uint32_t size = 0;
  for (const char c : blob.substr(0, 4)) size = size << 8 | static_cast<std::uint8_t>(c);
  return size == type.size() && blob.substr(4, size) == type;
}

}  // namespace

std::optional<KnownHostsLine> parse_known_hosts_line(std::string_view line) {
  KnownHostsLine result;
  std::string_view word = next_word(line);
  if (word.empty() || word.starts_with('#')) return std::nullopt;
  if (word.starts_with('@')) {
    if (word == "@revoked") {
      result.marker = KnownHostsLine::Marker::kRevoked;
    } else if (word == "@cert-authority") {
      result.marker = KnownHostsLine::Marker::kCertAuthority;
    } else {
      return std::nullopt;
    }
    word = next_word(line);
  }
  if (word.starts_with('|')) {
    if (!parse_hashed_name(word)) return std::nullopt;
    result.patterns.emplace_back(word);
  } else {
    while (!word.empty()) {
      const std::string_view pattern = word.substr(0, word.find(','));
      if (!pattern.empty()) result.patterns.push_back(lower(pattern));
      word.remove_prefix(std::min(pattern.size() + 1, word.size()));
    }
  }
  result.key_type = next_word(line);
  const auto blob = decode_base64(next_word(line));
  if (result.patterns.empty() || result.key_type.empty() || !blob ||
      !blob_is_of_type(*blob, result.key_type)) {
    return std::nullopt;
  }
  result.key = *blob;
  return result;
}

std::optional<HashedName> parse_hashed_name(std::string_view pattern) {
  constexpr std::string_view kMagic = "|1|";
  if (!pattern.starts_with(kMagic)) return std::nullopt;
  pattern.remove_prefix(kMagic.size());
  const auto bar = pattern.find('|');
  if (bar == std::string_view::npos) return std::nullopt;
  auto salt = decode_base64(pattern.substr(0, bar));
  auto hash = decode_base64(pattern.substr(bar + 1));
  if (!salt || !hash || salt->size() != kSha1Size || hash->size() != kSha1Size) {
    return std::nullopt;
  }
  return HashedName{std::move(*salt), std::move(*hash)};
}

std::string known_hosts_name(std::string_view host, std::uint16_t port) {
  std::string name = lower(host);
  return port == 22 ? name : fmt::format("[{}]:{}", name, port);
}

bool has_wildcard(std::string_view pattern) {
  return pattern.find_first_of("*?") != std::string_view::npos || pattern.starts_with('!');
}

bool patterns_match(const std::vector<std::string>& patterns, std::string_view name) {
  bool matched = false;
  for (std::string_view pattern : patterns) {
    const bool negated = pattern.starts_with('!');
    if (negated) pattern.remove_prefix(1);
    if (pattern.starts_with('|') || !wildcard_matches(pattern, name)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

}  // namespace netfleet::ssh

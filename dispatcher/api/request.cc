#include "dispatcher/api/request.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/utf8.h"

namespace netfleet {
namespace {

constexpr std::size_t kMostParts = 8;
constexpr std::size_t kMostParameters = 32;

bool is_control(char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

// %XX, and of queries '+'. Nothing: it cannot be decoded, or is no text.
std::optional<std::string> decode(std::string_view text, bool plus_is_blank) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3) return {};
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return {};
      c = static_cast<char>(high << 4 | low);
      i += 2;
    } else if (c == '+' && plus_is_blank) {
      c = ' ';
    }
    if (is_control(c)) return {};
    decoded += c;
  }
  if (to_utf8(decoded) != decoded) return {};
  return decoded;
}

bool is_loopback_number(std::string_view host) {
  if (!host.starts_with("127.")) return false;
  return std::ranges::all_of(host, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

}  // namespace

Refusal invalid(std::string message) { return {Refusal::Kind::kInvalid, std::move(message)}; }

Answer<Query> Query::parse(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    if (pair.empty()) continue;
    const std::string_view name = pair.substr(0, pair.find('='));
    const auto decoded = decode(name, true);
    auto value = decode(name.size() < pair.size() ? pair.substr(name.size() + 1) : "", true);
    if (!decoded || !value) return std::unexpected(invalid("the query is not well-formed"));
    if (std::ranges::find(query.values_, *decoded, &std::pair<std::string, std::string>::first) !=
        query.values_.end()) {
      return std::unexpected(invalid(fmt::format("the parameter '{}' is there twice", *decoded)));
    }
    if (query.values_.size() == kMostParameters) {
      return std::unexpected(invalid("too many parameters"));
    }
    query.values_.emplace_back(*decoded, *std::move(value));
  }
  return query;
}

Answer<void> Query::allow(std::initializer_list<std::string_view> names) const {
  for (const auto& [name, value] : values_) {
    if (std::ranges::find(names, name) == names.end()) {
      return std::unexpected(invalid(fmt::format("there is no parameter '{}' here", name)));
    }
  }
  return {};
}

std::string Query::text(std::string_view name) const {
  for (const auto& [one, value] : values_) {
    if (one == name) return value;
  }
  return {};
}

Answer<std::optional<std::uint32_t>> Query::number(std::string_view name, std::uint32_t least,
                                                   std::uint32_t most) const {
  for (const auto& [one, value] : values_) {
    if (one != name) continue;
    std::uint32_t number = 0;
    const char* const end = value.data() + value.size();
    const auto read = std::from_chars(value.data(), end, number);
    if (read.ec != std::errc() || read.ptr != end || number < least || number > most) {
      return std::unexpected(
          invalid(fmt::format("'{}' is a number from {} to {}", name, least, most)));
    }
    return number;
  }
  return std::optional<std::uint32_t>();
}

Answer<bool> Query::either(std::string_view name, std::string_view yes, std::string_view no,
                           bool otherwise) const {
  for (const auto& [one, value] : values_) {
    if (one != name) continue;
    if (value != yes && value != no) {
      return std::unexpected(invalid(fmt::format("'{}' is {} or {}", name, yes, no)));
    }
    return value == yes;
  }
  return otherwise;
}

Answer<Target> parse_target(std::string_view raw) {
  const std::string_view path = raw.substr(0, raw.find('?'));
  if (raw.size() > kLongestTarget) return std::unexpected(invalid("the path is too long"));
  if (!path.starts_with('/') || path.contains('#')) {
    return std::unexpected(invalid("the path is not well-formed"));
  }
  Target target;
  std::string_view rest = path.substr(1);
  while (true) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    auto decoded = decode(part, false);
    if (!decoded || decoded->empty() || *decoded == "." || *decoded == ".." ||
        decoded->contains('/') || target.parts.size() == kMostParts) {
      return std::unexpected(invalid("the path is not well-formed"));
    }
    target.parts.push_back(*std::move(decoded));
    if (part.size() == rest.size()) break;
    rest.remove_prefix(part.size() + 1);
  }
  auto query = Query::parse(path.size() < raw.size() ? raw.substr(path.size() + 1) : "");
  if (!query) return std::unexpected(query.error());
  target.query = *std::move(query);
  return target;
}

bool is_loopback_host(std::string_view host) {
  if (host.starts_with('[')) {
    return host.starts_with("[::1]") && (host.size() == 5 || host[5] == ':');
  }
  host = host.substr(0, host.find(':'));
  if (host.size() == 9) {
    std::string lower(host);
    std::ranges::transform(lower, lower.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    if (lower == "localhost") return true;
  }
  return is_loopback_number(host);
}

Answer<void> check_idempotency_key(std::string_view key) {
  if (key.size() > 128 || !std::ranges::all_of(key, [](char c) { return c > 0x20 && c < 0x7f; })) {
    return std::unexpected(
        invalid("an Idempotency-Key is up to 128 printable characters without blanks"));
  }
  return {};
}

}  // namespace netfleet

#include "common/host_text.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "common/problems.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxAddress = 255;  // a DNS name has 253
constexpr std::size_t kMaxUser = 255;
constexpr std::size_t kMaxLabel = 128;
constexpr std::size_t kMaxName = 255;

bool is_control(char c) { return (c >= 0 && c < 0x20) || c == 0x7F; }

bool has_control(std::string_view text) { return std::ranges::any_of(text, is_control); }

constexpr auto kNameBytes = [] {
  std::array<bool, 256> table{};
  for (int c = 0; c < 256; ++c) {
    table[static_cast<std::size_t>(c)] = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                         (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                                         c == '.' || c >= 0x80;
  }
  return table;
}();

bool is_name_byte(char c) { return kNameBytes[static_cast<unsigned char>(c)]; }

bool is_literal(int family, std::string_view text) {
  std::array<char, 64> buffer;
  if (text.size() >= buffer.size()) return false;
  std::memcpy(buffer.data(), text.data(), text.size());
  buffer[text.size()] = '\0';
  std::array<unsigned char, 16> address;
  return inet_pton(family, buffer.data(), address.data()) == 1;
}

Expected<void> check_ipv6(std::string_view text) {
  const std::size_t percent = text.find('%');
  if (!is_literal(AF_INET6, text.substr(0, percent))) {
    return fail(fmt::format("'{}' is no IPv6 address", shown(text)));
  }
  if (percent != std::string_view::npos) {
    const std::string_view zone = text.substr(percent + 1);
    if (zone.empty() || !std::ranges::all_of(zone, is_name_byte)) {
      return fail(fmt::format("'{}' has no valid zone after '%'", shown(text)));
    }
  }
  return {};
}

Expected<void> check_name(std::string_view text) {
  const auto bad = std::ranges::find_if_not(text, is_name_byte);
  if (bad != text.end()) {
    return fail(fmt::format("'{}' is no host name: '{}' is not allowed in one", shown(text),
                            shown({&*bad, 1})));
  }
  if (text.front() == '-' || text.front() == '.') {
    return fail(
        fmt::format("'{}' is no host name: it begins with '{}'", shown(text), text.front()));
  }
  const bool looks_like_ipv4 = std::ranges::count(text, '.') == 3 &&
                               text.find_first_not_of("0123456789.") == std::string_view::npos;
  if (looks_like_ipv4 && !is_literal(AF_INET, text)) {
    return fail(fmt::format("'{}' is no IPv4 address", shown(text)));
  }
  return {};
}

// host, host:port, [ipv6], [ipv6]:port or bare ipv6.
Expected<void> parse_endpoint(std::string_view text, HostText& result) {
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) {
      return fail(fmt::format("'{}' has '[' without ']'", shown(text)));
    }
    result.address = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') {
      return fail(fmt::format("'{}': expected ':port' after ']'", shown(text)));
    }
    has_port = !rest.empty();
    if (has_port) port = rest.substr(1);
    if (const auto checked = check_ipv6(result.address); !checked) return checked;
  } else {
    const std::size_t colon = text.find(':');
    has_port =
        colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos;
    result.address = has_port ? text.substr(0, colon) : text;
    if (has_port) port = text.substr(colon + 1);
    if (const auto checked = check_address(result.address); !checked) return checked;
  }
  if (has_port) {
    const auto number = parse_port(port);
    if (!number) return std::unexpected(number.error());
    result.port = *number;
  }
  return {};
}

}  // namespace

Expected<HostText> parse_host_text(std::string_view text) {
  HostText result;
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    result.user = text.substr(0, at);
    text.remove_prefix(at + 1);
    if (const auto checked = check_user(result.user); !checked) {
      return std::unexpected(checked.error());
    }
  }
  if (const auto parsed = parse_endpoint(text, result); !parsed) {
    return std::unexpected(parsed.error());
  }
  return result;
}

Expected<void> check_address(std::string_view address) {
  if (address.empty()) return fail("the host's address is empty");
  if (address.size() > kMaxAddress) {
    return fail(fmt::format("'{}' is longer than {} bytes", shown(address), kMaxAddress));
  }
  return address.find(':') != std::string_view::npos ? check_ipv6(address) : check_name(address);
}

Expected<void> check_user(std::string_view user) {
  if (user.empty()) return fail("the user name before '@' is empty");
  if (user.size() > kMaxUser) {
    return fail(fmt::format("the user name is longer than {} bytes", kMaxUser));
  }
  if (user.find(':') != std::string_view::npos) {
    return fail("a user name cannot hold ':' (a password does not belong before '@')");
  }
  if (has_control(user)) return fail("the user name holds a control character");
  return {};
}

Expected<std::uint16_t> parse_port(std::string_view text) {
  unsigned number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size() || number < 1 || number > 65535) {
    return fail(fmt::format("'{}' is no port: expected 1 to 65535", shown(text)));
  }
  return static_cast<std::uint16_t>(number);
}

Expected<double> parse_login_rate(std::string_view text) {
  constexpr double kMost = 1'000'000;
  double rate = 0;
  const auto [end, code] =
      std::from_chars(text.data(), text.data() + text.size(), rate, std::chars_format::fixed);
  if (code != std::errc() || end != text.data() + text.size() || !(rate > 0) || rate > kMost) {
    return fail(
        fmt::format("'{}' is no number of logins per second: expected one above 0, as 5 or "
                    "0.5",
                    shown(text)));
  }
  return rate;
}

Expected<void> check_label(std::string_view label, std::string_view what) {
  if (label.empty()) return fail(fmt::format("the {} is empty", what));
  if (label.size() > kMaxLabel) {
    return fail(fmt::format("the {} '{}' is longer than {} bytes", what, shown(label), kMaxLabel));
  }
  if (has_control(label)) {
    return fail(fmt::format("the {} '{}' holds a control character", what, shown(label)));
  }
  return {};
}

Expected<void> check_host_name(std::string_view name) {
  if (name.empty()) return fail("the host's name is empty");
  if (name.size() > kMaxName) {
    return fail(fmt::format("the host's name '{}' is longer than {} bytes", shown(name), kMaxName));
  }
  if (has_control(name)) {
    return fail(fmt::format("the host's name '{}' holds a control character", shown(name)));
  }
  if (name.front() == ' ' || name.back() == ' ') {
    return fail(fmt::format("the host's name '{}' begins or ends with a blank", shown(name)));
  }
  return {};
}

}  // namespace netfleet

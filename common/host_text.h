// common: [user@]host[:port], as people type it, and the checks of single fields that
// every reader shares. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/error.h"

namespace netfleet {

// Views into the parsed text.
struct HostText {
  std::string_view user;     // empty: not given; the last '@' ends it
  std::string_view address;  // without brackets
  std::uint16_t port = 0;    // 0: not given
};

// Takes names (letters, digits, '-', '_', '.', non-ASCII), IPv4, IPv6 bare or in brackets, with a
// zone (fe80::1%eth0). The error never shows the user part: people paste passwords there.
Expected<HostText> parse_host_text(std::string_view text);

// An address alone: no user, no port, no brackets.
Expected<void> check_address(std::string_view address);
Expected<void> check_user(std::string_view user);
// 1 to 65535.
Expected<std::uint16_t> parse_port(std::string_view text);
// Logins per second of a limit: above 0, at most a million, as "5" or "0.5".
Expected<double> parse_login_rate(std::string_view text);
// A word for a platform, region, group or credential: printable, not empty, at most 128 bytes.
// `what` is for the message.
Expected<void> check_label(std::string_view label, std::string_view what);
// A host's name: anything printable up to 255 bytes without blanks at its ends.
Expected<void> check_host_name(std::string_view name);

}  // namespace netfleet

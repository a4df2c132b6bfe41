// dispatcher/api: where a long-lived dispatcher is asked, as people type it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/error.h"

namespace netfleet {

struct ServerUrl {
  bool secure = false;  // https
  std::string host;     // a name or an address, without brackets
  std::uint16_t port = 0;

  // Whether what is sent there stays on this machine.
  bool is_loopback() const;
  // "http://127.0.0.1:7680"
  std::string text() const;
};

inline constexpr std::string_view kDefaultServer = "http://127.0.0.1:7680";

// http://HOST[:PORT] or https://HOST[:PORT], a '/' behind it or nothing. The error never shows what
// stands before an '@': people put passwords there.
Expected<ServerUrl> parse_server_url(std::string_view url);

// A word as it may stand in a path or a query: what is not a letter, digit or one of "-._~" becomes
// %XX.
std::string percent_encoded(std::string_view word);

}  // namespace netfleet

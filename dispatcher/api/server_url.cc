#include "dispatcher/api/server_url.h"

#include <fmt/format.h>

#include <iterator>

#include "common/host_text.h"

namespace netfleet {
namespace {

constexpr std::uint16_t kHttp = 80;
constexpr std::uint16_t kHttps = 443;

bool is_unreserved(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

// 127.0.0.1, written as four numbers: names that begin so are none.
bool is_loopback_v4(std::string_view host) {
  return host.starts_with("127.") &&
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

bool ServerUrl::is_loopback() const {
  return host == "localhost" || host == "::1" || is_loopback_v4(host);
}

std::string ServerUrl::text() const {
  const bool bracketed = host.contains(':');
  return fmt::format("{}://{}{}{}:{}", secure ? "https" : "http", bracketed ? "[" : "", host,
                     bracketed ? "]" : "", port);
}

Expected<ServerUrl> parse_server_url(std::string_view url) {
  ServerUrl server;
  std::string_view rest = url;
  if (rest.starts_with("https://")) {
    server.secure = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return fail("a server is http://HOST:PORT or https://HOST:PORT");
  }
  if (rest.contains('@')) {
    return fail("a server's address has no user and no password: see --token-file");
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#") != std::string_view::npos) {
    return fail(fmt::format("'{}': a server's address ends with its port", url));
  }
  const auto parsed = parse_host_text(rest);
  if (!parsed) return fail(fmt::format("'{}': {}", url, parsed.error().message));
  if (parsed->address.contains(':') && !rest.starts_with('[')) {
    return fail(fmt::format("'{}': an IPv6 address stands in brackets", url));
  }
  server.host = parsed->address;
  server.port = parsed->port != 0 ? parsed->port : server.secure ? kHttps : kHttp;
  return server;
}

std::string percent_encoded(std::string_view word) {
  std::string out;
  for (const char byte : word) {
    if (is_unreserved(byte)) {
      out.push_back(byte);
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(byte));
    }
  }
  return out;
}

}  // namespace netfleet

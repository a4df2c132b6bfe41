#include "common/endpoint.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>

#include "common/utf8.h"

namespace netfleet {
namespace {

// A name such as 127.example.net is not on the loopback; only literals and "localhost" are.
bool is_loopback(const std::string& host) {
  in_addr address{};
  if (inet_pton(AF_INET, host.c_str(), &address) == 1) return (ntohl(address.s_addr) >> 24) == 127;
  return host == "[::1]" || host == "localhost";
}

}  // namespace

Expected<Endpoint> Endpoint::parse(const std::string& text, std::uint32_t room) {
  Endpoint endpoint;
  endpoint.text_ = text;
  const auto scheme_end = text.find("://");
  const std::string rest = scheme_end == std::string::npos ? "" : text.substr(scheme_end + 3);
  endpoint.scheme_ = text.substr(0, scheme_end);
  if (rest.empty() || text.find('\0') != std::string::npos ||
      (endpoint.scheme_ != "tcp" && endpoint.scheme_ != "ipc" && endpoint.scheme_ != "inproc")) {
    return fail(
        fmt::format("'{}' is no endpoint: expected tcp://HOST:PORT or ipc://PATH", to_utf8(text)));
  }
  if (endpoint.scheme_ != "tcp") {
    endpoint.base_ = text;
    endpoint.local_ = true;
    constexpr std::size_t kLongestPath = 100;  // sun_path is 108, suffixes are added
    if (endpoint.scheme_ == "ipc" && rest.size() > kLongestPath) {
      return fail(
          fmt::format("'{}': a socket's path may have {} bytes", to_utf8(text), kLongestPath));
    }
    return endpoint;
  }
  const auto colon = rest.rfind(':');
  const std::string host = rest.substr(0, colon);
  const std::string port = colon == std::string::npos ? "" : rest.substr(colon + 1);
  const auto [end, code] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port_);
  if (host.empty() || code != std::errc() || end != port.data() + port.size() ||
      endpoint.port_ == 0 || endpoint.port_ > 65535 - room ||
      (host.find(':') != std::string::npos && host.front() != '[')) {
    return fail(
        fmt::format("'{}' is no endpoint: expected tcp://HOST:PORT with a port from 1 to {} (the "
                    "ports after it carry results and offers); IPv6 hosts stand in brackets",
                    to_utf8(text), 65535 - room));
  }
  endpoint.base_ = "tcp://" + host;
  endpoint.local_ = is_loopback(host);
  return endpoint;
}

std::string Endpoint::at(std::uint32_t offset) const {
  if (scheme_ == "tcp") return fmt::format("{}:{}", base_, port_ + offset);
  return offset == 0 ? base_ : fmt::format("{}.{}", base_, offset);
}

}  // namespace netfleet

#include "dispatcher/api/listen_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "common/utf8.h"

namespace netfleet {
namespace {

constexpr int kBacklog = 128;

std::uint16_t port_of(const sockaddr_storage& address) {
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace

Expected<ListenAddress> ListenAddress::parse(const std::string& text) {
  const auto wrong = [&](std::string_view why) {
    return fail(
        fmt::format("listen on '{}': {}; as in 127.0.0.1:7680 or [::1]:7680", to_utf8(text), why));
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return wrong("there is no port");
  ListenAddress parsed;
  parsed.text_ = text;
  parsed.host_ = text.substr(0, colon);
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + colon + 1, end, port);
  if (read.ec != std::errc() || read.ptr != end) return wrong("the port is no number up to 65535");
  std::string host = parsed.host_ == "localhost" ? "127.0.0.1" : parsed.host_;
  auto& inet = reinterpret_cast<sockaddr_in&>(parsed.address_);
  auto& inet6 = reinterpret_cast<sockaddr_in6&>(parsed.address_);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (inet_pton(AF_INET6, host.c_str(), &inet6.sin6_addr) != 1) return wrong("no IPv6 address");
    inet6.sin6_family = AF_INET6;
    inet6.sin6_port = htons(port);
    parsed.size_ = sizeof inet6;
    parsed.loopback_ = IN6_IS_ADDR_LOOPBACK(&inet6.sin6_addr) != 0;
  } else {
    if (inet_pton(AF_INET, host.c_str(), &inet.sin_addr) != 1) return wrong("no IP address");
    inet.sin_family = AF_INET;
    inet.sin_port = htons(port);
    parsed.size_ = sizeof inet;
    parsed.loopback_ = ntohl(inet.sin_addr.s_addr) >> 24 == 127;
  }
  return parsed;
}

Expected<ApiDescriptor> ListenAddress::listen(std::uint16_t& port) const {
  ApiDescriptor fd(socket(address_.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto failed = [&] {
    return fail(fmt::format("listen on {}: {}", text_, std::strerror(errno)));
  };
  if (fd.get() < 0) return failed();
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address_), size_) != 0 ||
      ::listen(fd.get(), kBacklog) != 0) {
    return failed();
  }
  sockaddr_storage got{};
  socklen_t size = sizeof got;
  if (getsockname(fd.get(), reinterpret_cast<sockaddr*>(&got), &size) != 0) return failed();
  port = port_of(got);
  return fd;
}

std::string ListenAddress::url(bool tls, std::uint16_t port) const {
  return fmt::format("{}://{}:{}", tls ? "https" : "http", host_, port);
}

}  // namespace netfleet

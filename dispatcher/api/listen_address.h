// dispatcher/api: where a server listens. Numbers, not names: who is let in hangs on it.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "common/error.h"
#include "dispatcher/api/descriptor.h"

namespace netfleet {

class ListenAddress {
 public:
  // "127.0.0.1:7680", "[::1]:7680", "localhost:0"; 0.0.0.0 and [::] are all addresses.
  static Expected<ListenAddress> parse(const std::string& text);
  bool is_loopback() const { return loopback_; }
  const std::string& text() const { return text_; }

  // Does not block. Sets `port` to the one it got.
  Expected<ApiDescriptor> listen(std::uint16_t& port) const;
  std::string url(bool tls, std::uint16_t port) const;

 private:
  std::string text_;
  std::string host_;  // as in a URL
  sockaddr_storage address_{};
  socklen_t size_ = 0;
  bool loopback_ = false;
};

}  // namespace netfleet

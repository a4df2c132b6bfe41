// worker/ssh: names to addresses without blocking a session thread: getaddrinfo in a small pool.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/thread_pool.hpp>
#include <string>
#include <vector>

#include "common/error.h"

namespace netfleet::ssh {

// Shared by all session threads; has its own synchronization. IP literals (IPv6 with a scope too)
// never reach the pool.
class Resolver {
 public:
  explicit Resolver(std::size_t threads = 4) : pool_(threads) {}
  // All addresses in getaddrinfo's order (RFC 6724). The error is the resolver's own text.
  asio::awaitable<Expected<std::vector<asio::ip::tcp::endpoint>>> resolve(std::string address,
                                                                          std::uint16_t port);

 private:
  asio::thread_pool pool_;
};

}  // namespace netfleet::ssh

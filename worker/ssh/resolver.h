// worker/ssh: names to addresses without blocking a session thread: getaddrinfo in a small pool.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <asio/thread_pool.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"

namespace netfleet::ssh {

// Shared by all session threads; has its own synchronization. IP literals (IPv6 with a scope too)
// never reach the pool. The destructor waits for the getaddrinfo calls that are under way (the
// system's resolver gives up by itself, after 5 s an attempt as a rule), not for those queued.
class Resolver {
 public:
  using Endpoints = std::vector<asio::ip::tcp::endpoint>;

  explicit Resolver(std::size_t threads = 4) : pool_(threads) {}
  ~Resolver() { pool_.stop(); }
  // All addresses in getaddrinfo's order (RFC 6724); the error is the resolver's own text. Nothing
  // when `until` expires or is cancelled first: a late answer is dropped. `until` belongs to the
  // caller and stays until the call ends.
  asio::awaitable<std::optional<Expected<Endpoints>>> resolve(std::string address,
                                                              std::uint16_t port,
                                                              asio::steady_timer& until);

 private:
  asio::thread_pool pool_;
};

}  // namespace netfleet::ssh

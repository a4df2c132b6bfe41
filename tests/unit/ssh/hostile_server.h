// tests: servers that misbehave, and a relay in front of a good one that cuts or stalls it.
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace netfleet::testing {

// Listens on a loopback port and hands every connection to `talk`, in a thread of its own. The
// destructor shuts all connections down, which ends every blocking read and write of `talk`.
class HostileServer {
 public:
  explicit HostileServer(std::function<void(int fd)> talk) : talk_(std::move(talk)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        listen(listener_, 512) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("cannot listen");
    }
    port = ntohs(address.sin_port);
    acceptor_ = std::jthread([this] { accept_all(); });
  }
  ~HostileServer() {
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : connections_) shutdown(fd, SHUT_RDWR);
    }
    talkers_.clear();
    for (const int fd : connections_) close(fd);
    close(listener_);
  }
  HostileServer(const HostileServer&) = delete;
  HostileServer& operator=(const HostileServer&) = delete;

  // For servers that connect onwards: closed with the rest.
  void keep(int fd) {
    const std::lock_guard lock(mutex_);
    connections_.push_back(fd);
  }

  std::uint16_t port = 0;

 private:
  void accept_all() {
    for (;;) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      keep(fd);
      talkers_.emplace_back([this, fd] {
        talk_(fd);
        shutdown(fd, SHUT_RDWR);
      });
    }
  }

  std::function<void(int)> talk_;
  int listener_ = -1;
  std::mutex mutex_;
  std::vector<int> connections_;
  std::vector<std::jthread> talkers_;  // only the acceptor's thread adds
  std::jthread acceptor_;
};

inline bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// Reads until the other side closes or the server is torn down.
inline void wait_for_end(int fd) {
  std::array<char, 4096> bytes;
  while (recv(fd, bytes.data(), bytes.size(), 0) > 0) {
  }
}

enum class Then { kClose, kStall };

// Relays to 127.0.0.1:`port` until `limit` bytes came from there; closes then, or passes nothing
// more on in either direction.
inline void relay(HostileServer& server, int client, std::uint16_t port, std::size_t limit,
                  Then then) {
  const int onward = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  server.keep(onward);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(onward, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return;
  std::array<char, 4096> bytes;
  std::size_t passed = 0;
  while (passed < limit) {
    pollfd watched[] = {{client, POLLIN, 0}, {onward, POLLIN, 0}};
    if (poll(watched, 2, -1) <= 0) break;
    if (watched[0].revents != 0) {
      const ssize_t size = recv(client, bytes.data(), bytes.size(), 0);
      if (size <= 0 || !send_all(onward, {bytes.data(), static_cast<std::size_t>(size)})) break;
    }
    if (watched[1].revents != 0) {
      const std::size_t wanted = std::min(bytes.size(), limit - passed);
      const ssize_t size = recv(onward, bytes.data(), wanted, 0);
      if (size <= 0 || !send_all(client, {bytes.data(), static_cast<std::size_t>(size)})) break;
      passed += static_cast<std::size_t>(size);
    }
  }
  if (then == Then::kStall && passed >= limit) wait_for_end(client);
  shutdown(onward, SHUT_RDWR);
}

}  // namespace netfleet::testing

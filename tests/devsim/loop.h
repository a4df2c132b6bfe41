// devsim: one thread's event loop: epoll over the listening sockets of its devices and their
// connections, and their timers. A connection stays on the thread that accepted it. Not for what is
// said on a connection (session.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>

#include "tests/devsim/acceptor.h"
#include "tests/devsim/session.h"

namespace netfleet::devsim {

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor();
  int get() const { return fd_; }

 private:
  int fd_;
};

// Binds the device's endpoint (port 0 is replaced by the one the system chose) and listens, unless
// the device refuses connections. Non-blocking; accepted sockets inherit TCP_NODELAY.
Expected<FileDescriptor> listen_for(Device& device);

class Loop {
 public:
  // `options` and `stats` outlive this.
  Loop(Acceptor acceptor, const SessionOptions& options, Stats& stats);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Before run(). `device` outlives this.
  void add(FileDescriptor listener, const Device& device);
  // Until stop(); closes all connections then.
  void run();
  // From any thread.
  void stop();

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  // What epoll's events point to; null is stop_.
  struct Watched {
    bool is_listener;
  };
  struct Listener : Watched {
    Listener(FileDescriptor listening, const Device& owner)
        : Watched{true}, fd(std::move(listening)), device(owner) {}
    FileDescriptor fd;
    const Device& device;
  };
  struct Connection : Watched {
    Connection(int fd, const Device& device, const Loop& loop)
        : Watched{false}, session(fd, device, loop.options_, loop.acceptor_, loop.stats_) {}
    Session session;
    TimePoint due;  // epoch: no timer
    bool writing = false;
  };

  void accept_some(Listener& listener);
  void refuse_one(int listener);
  void settle(Connection& connection);
  void run_timers();
  int timeout() const;

  Acceptor acceptor_;
  const SessionOptions& options_;
  Stats& stats_;
  FileDescriptor epoll_;
  FileDescriptor stop_;
  FileDescriptor spare_;  // given up for a moment to turn away a connection when fds are used up
  std::deque<Listener> listeners_;  // addresses stay
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections_;
  std::set<std::pair<TimePoint, Connection*>> timers_;
};

}  // namespace netfleet::devsim

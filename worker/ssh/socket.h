// worker/ssh: a TCP socket watched by asio: connects, waits with a deadline, can be aborted. Knows
// nothing of SSH: the bytes are read and written by libssh.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <expected>
#include <memory>
#include <string>

#include "common/clock.h"

namespace netfleet::ssh {

// Belongs to one thread. Owns its file descriptor until hand_over().
class Socket {
 public:
  enum class Event { kReady, kExpired, kAborted };

  explicit Socket(const asio::any_io_executor& executor);
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // Every wait from now on ends by `deadline`.
  void set_deadline(TimePoint deadline) { deadline_ = deadline; }
  TimePoint deadline() const { return deadline_; }

  // Connects without blocking, close-on-exec, no delay, keep-alive. The errno in the error is 0
  // when the event says why.
  struct NotConnected {
    Event event;
    int error;
  };
  asio::awaitable<std::expected<void, NotConnected>> connect(asio::ip::tcp::endpoint endpoint);

  // Takes over a connected, non-blocking stream instead. The descriptor is this one's in any case;
  // a stream that cannot be watched is found broken at its first use.
  void adopt(int fd);

  enum class For { kRead, kWrite, kReadOrWrite };
  // Until the descriptor is ready (or broken), the deadline passes, or abort() is called.
  asio::awaitable<Event> wait(For what);
  // The wait under way ends as if the descriptor were ready.
  void wake();
  // The wait under way, and every later one, ends with kAborted.
  void abort();
  bool aborted() const { return aborted_; }

  int fd() const { return fd_; }
  // From now on somebody else closes the descriptor; it is still waited for.
  void hand_over() { owned_ = false; }
  // Stops watching the descriptor and the time; must come before anybody else closes it, or
  // directly after.
  void forget();

 private:
  void arm();
  void on_timer();
  asio::awaitable<void> wait_either();

  asio::posix::stream_descriptor descriptor_;
  asio::steady_timer timer_;
  // The timer's handler may be on its way when the socket goes: it finds nullptr here then.
  std::shared_ptr<Socket*> self_;
  TimePoint deadline_ = TimePoint::max();
  TimePoint armed_until_ = TimePoint::max();
  int fd_ = -1;
  bool owned_ = false;
  bool waiting_ = false;
  bool expired_ = false;
  bool aborted_ = false;
};

}  // namespace netfleet::ssh

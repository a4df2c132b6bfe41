#include "dispatcher/api/connection.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace netfleet {
namespace {

constexpr Milliseconds kAfterStop{500};          // for answers that are being written
constexpr Milliseconds kForGoodbye{500};         // until a peer has read its answer
constexpr std::size_t kMostLeftover = 2u << 20;  // of a request that was not read

}  // namespace

Connection::Connection(ApiDescriptor socket, const TlsContext& tls, int stop_fd,
                       ConnectionLimits limits)
    : socket_(std::move(socket)), stop_fd_(stop_fd), limits_(limits) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (getpeername(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    if (address.ss_family == AF_INET) {
      const auto& inet = reinterpret_cast<const sockaddr_in&>(address);
      inet_ntop(AF_INET, &inet.sin_addr, text.data(), text.size());
      port_ = ntohs(inet.sin_port);
    } else {
      const auto& inet = reinterpret_cast<const sockaddr_in6&>(address);
      inet_ntop(AF_INET6, &inet.sin6_addr, text.data(), text.size());
      port_ = ntohs(inet.sin6_port);
    }
  }
  ip_ = text.data();
  peer_ = ip_.contains(':') ? fmt::format("[{}]:{}", ip_, port_) : fmt::format("{}:{}", ip_, port_);
  if (tls) {
    ssl_.reset(SSL_new(tls.get()));
    open_ = ssl_ && SSL_set_fd(ssl_.get(), socket_.get()) == 1;
  }
}

Connection::~Connection() = default;

Connection::Wait Connection::wait(short events, TimePoint until, bool heed_stop) const {
  while (true) {
    const auto left = std::chrono::ceil<Milliseconds>(until - BootClock::now()).count();
    if (left <= 0) return Wait::kOver;
    std::array<pollfd, 2> fds = {pollfd{socket_.get(), events, 0},
                                 pollfd{heed_stop ? stop_fd_ : -1, POLLIN, 0}};
    const int ready = poll(fds.data(), fds.size(), static_cast<int>(std::min<long>(left, 60'000)));
    if (ready < 0 && errno != EINTR) return Wait::kOver;
    if (ready <= 0) continue;
    if (fds[1].revents != 0) return Wait::kStop;
    return Wait::kReady;
  }
}

int Connection::ssl_wants(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return -POLLIN;
    case SSL_ERROR_WANT_WRITE:
      return -POLLOUT;
    default:
      ERR_clear_error();
      return 0;
  }
}

int Connection::try_read(char* bytes, size_t size) {
  if (ssl_) {
    const int got = SSL_read(ssl_.get(), bytes, static_cast<int>(size));
    return got > 0 ? got : ssl_wants(got);
  }
  while (true) {
    const ssize_t got = recv(socket_.get(), bytes, size, 0);
    if (got >= 0) return static_cast<int>(got);
    if (errno == EAGAIN || errno == EWOULDBLOCK) return -POLLIN;
    if (errno != EINTR) return 0;
  }
}

int Connection::try_write(const char* bytes, size_t size) {
  if (ssl_) {
    const int took = SSL_write(ssl_.get(), bytes, static_cast<int>(size));
    return took > 0 ? took : ssl_wants(took);
  }
  while (true) {
    const ssize_t took = send(socket_.get(), bytes, size, MSG_NOSIGNAL);
    if (took > 0) return static_cast<int>(took);
    if (took < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return -POLLOUT;
    if (took == 0 || errno != EINTR) return 0;
  }
}

bool Connection::handshake() {
  if (!ssl_) return open_;
  while (open_) {
    const int done = SSL_accept(ssl_.get());
    if (done == 1) return true;
    const int wants = ssl_wants(done);
    open_ =
        wants < 0 && wait(static_cast<short>(-wants), limits_.request_until, true) == Wait::kReady;
  }
  return false;
}

ssize_t Connection::read(char* bytes, size_t size) {
  while (ahead_begin_ == ahead_end_) {
    if (!open_ || ended_ || over_bytes_) return 0;
    const int got = try_read(ahead_.data(), ahead_.size());
    if (got > 0) {
      came_ += static_cast<std::size_t>(got);
      ahead_begin_ = 0;
      ahead_end_ = static_cast<std::size_t>(got);
      over_bytes_ = came_ > limits_.request_bytes;
      if (over_bytes_) return 0;
      break;
    }
    if (got == 0) {
      ended_ = true;
      return 0;
    }
    const Wait waited = wait(static_cast<short>(-got), limits_.request_until, true);
    if (waited == Wait::kReady) continue;
    too_slow_ = waited == Wait::kOver;
    ended_ = true;
    return 0;
  }
  const std::size_t part = std::min(size, ahead_end_ - ahead_begin_);
  std::memcpy(bytes, ahead_.data() + ahead_begin_, part);
  ahead_begin_ += part;
  return static_cast<ssize_t>(part);
}

ssize_t Connection::write(const char* bytes, size_t size) {
  std::size_t written = 0;
  while (open_ && written < size) {
    const std::size_t piece = std::min(size - written, kPiece);
    open_ = write_piece(bytes + written, piece);
    if (open_) written += piece;
  }
  return open_ ? static_cast<ssize_t>(size) : -1;
}

bool Connection::write_piece(const char* bytes, size_t size) {
  TimePoint until = BootClock::now() + limits_.write;
  bool heed_stop = true;
  while (size > 0) {
    const int took = try_write(bytes, size);
    if (took == 0) return false;
    if (took > 0) {
      bytes += took;
      size -= static_cast<std::size_t>(took);
      continue;
    }
    const Wait waited = wait(static_cast<short>(-took), until, heed_stop);
    if (waited == Wait::kOver) return false;
    if (waited == Wait::kStop) {
      heed_stop = false;
      until = std::min(until, BootClock::now() + kAfterStop);
    }
  }
  return true;
}

void Connection::finish(bool all_read) {
  if (!open_) return;
  if (ssl_) SSL_shutdown(ssl_.get());
  shutdown(socket_.get(), SHUT_WR);
  if (all_read) return;
  // What has come and is not read makes the kernel reset the connection, and the peer lose its
  // answer.
  const TimePoint until = BootClock::now() + kForGoodbye;
  std::array<char, 16384> rest;
  for (std::size_t all = 0; all < kMostLeftover;) {
    const ssize_t got = recv(socket_.get(), rest.data(), rest.size(), 0);
    if (got > 0) {
      all += static_cast<std::size_t>(got);
    } else if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) ||
               wait(POLLIN, until, true) != Wait::kReady) {
      return;
    }
  }
}

void Connection::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip = ip_;
  port = port_;
}

}  // namespace netfleet

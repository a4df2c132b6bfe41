#include "worker/ssh/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <utility>

namespace netfleet::ssh {
namespace {

// A device that vanished is noticed after about a minute: by what it does not acknowledge, or, when
// nothing is sent, by three probes that it does not answer.
constexpr int kUnacknowledgedMilliseconds = 60'000;
constexpr int kIdleSeconds = 30;
constexpr int kProbeSeconds = 10;
constexpr int kProbes = 3;

void set_option(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof(value));  // each only improves things: no error
}

}  // namespace

Socket::Socket(const asio::any_io_executor& executor)
    : descriptor_(executor), timer_(executor), self_(std::make_shared<Socket*>(this)) {}

Socket::~Socket() {
  *self_ = nullptr;
  forget();
  if (owned_) ::close(fd_);
}

void Socket::forget() {
  if (descriptor_.is_open()) descriptor_.release();
  if (armed_until_ != TimePoint::max()) timer_.cancel();  // it would keep the event loop busy
  armed_until_ = TimePoint::max();
}

asio::awaitable<std::expected<void, Socket::NotConnected>> Socket::connect(
    asio::ip::tcp::endpoint endpoint) {
  fd_ = ::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                 IPPROTO_TCP);
  if (fd_ < 0) co_return std::unexpected(NotConnected{Event::kReady, errno});
  owned_ = true;
  set_option(fd_, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd_, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd_, IPPROTO_TCP, TCP_KEEPIDLE, kIdleSeconds);
  set_option(fd_, IPPROTO_TCP, TCP_KEEPINTVL, kProbeSeconds);
  set_option(fd_, IPPROTO_TCP, TCP_KEEPCNT, kProbes);
  set_option(fd_, IPPROTO_TCP, TCP_USER_TIMEOUT, kUnacknowledgedMilliseconds);

  int error =
      ::connect(fd_, endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0 ? 0 : errno;
  Event event = Event::kReady;
  if (error == EINPROGRESS) {
    asio::error_code failed;
    descriptor_.assign(fd_, failed);
    if (failed) co_return std::unexpected(NotConnected{event, failed.value()});
    event = co_await wait(For::kWrite);
    socklen_t size = sizeof(error);
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    // Watched anew below: asio would go on watching for writability, and be woken for it.
    descriptor_.release();
  }
  if (event != Event::kReady || error != 0) {
    ::close(fd_);
    fd_ = -1;
    owned_ = false;
    co_return std::unexpected(NotConnected{event, error});
  }
  asio::error_code failed;
  descriptor_.assign(fd_, failed);
  if (failed) co_return std::unexpected(NotConnected{Event::kReady, failed.value()});
  co_return std::expected<void, NotConnected>();
}

void Socket::adopt(int fd) {
  fd_ = fd;
  owned_ = true;
  asio::error_code ignored;
  descriptor_.assign(fd_, ignored);
}

asio::awaitable<Socket::Event> Socket::wait(For what) {
  if (aborted_) co_return Event::kAborted;
  if (BootClock::now() >= deadline_) co_return Event::kExpired;
  arm();
  waiting_ = true;
  if (what == For::kReadOrWrite) {
    co_await wait_either();
  } else {
    asio::error_code ignored;  // a broken connection is found by what is done next
    auto token = asio::redirect_error(asio::use_awaitable, ignored);
    const auto type = what == For::kRead ? asio::posix::descriptor_base::wait_read
                                         : asio::posix::descriptor_base::wait_write;
    co_await descriptor_.async_wait(type, token);
  }
  waiting_ = false;
  if (aborted_) co_return Event::kAborted;
  co_return std::exchange(expired_, false) ? Event::kExpired : Event::kReady;
}

asio::awaitable<void> Socket::wait_either() {
  auto initiate = [this](auto handler) {
    struct Pending {
      decltype(handler) resume;
      bool done = false;
    };
    auto pending = std::make_shared<Pending>(std::move(handler));
    auto once = [this, pending](asio::error_code) {
      if (std::exchange(pending->done, true)) return;
      descriptor_.cancel();  // the other one; the waiting coroutine still holds this socket
      auto resume = std::move(pending->resume);
      resume();
    };
    descriptor_.async_wait(asio::posix::descriptor_base::wait_read, once);
    descriptor_.async_wait(asio::posix::descriptor_base::wait_write, once);
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(initiate,
                                                                       asio::use_awaitable);
}

void Socket::wake() {
  asio::error_code ignored;  // it may have been let go of
  if (waiting_) descriptor_.cancel(ignored);
}

void Socket::abort() {
  aborted_ = true;
  wake();
}

// One timer for the whole life, set again only when a deadline comes earlier: most sessions arm it
// once instead of once a wait.
void Socket::arm() {
  if (armed_until_ <= deadline_) return;
  armed_until_ = deadline_;
  timer_.expires_after(deadline_ - BootClock::now());
  timer_.async_wait([self = self_](asio::error_code error) {
    if (!error && *self != nullptr) (*self)->on_timer();
  });
}

void Socket::on_timer() {
  armed_until_ = TimePoint::max();
  if (!waiting_) return;
  if (BootClock::now() >= deadline_) {
    expired_ = true;
    descriptor_.cancel();
  } else {
    arm();
  }
}

}  // namespace netfleet::ssh

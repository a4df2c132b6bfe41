#include "tests/devsim/loop.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "common/check.h"

namespace netfleet::devsim {
namespace {

constexpr int kBacklog = 4096;

void watch(int epoll, int operation, int fd, std::uint32_t events, void* data) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = data;
  CHECK(epoll_ctl(epoll, operation, fd, &event) == 0);
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Expected<FileDescriptor> listen_for(Device& device) {
  const auto failed = [&device](std::string_view what) {
    return fail(
        fmt::format("{} {}: {}", what, format_endpoint(device.endpoint), std::strerror(errno)));
  };
  FileDescriptor listener(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (listener.get() < 0) return failed("open a socket for");
  const int on = 1;
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  setsockopt(listener.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(device.endpoint.address);
  address.sin_port = htons(device.endpoint.port);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener.get(), generic, size) != 0) return failed("bind");
  if (!device.faults.has(Fault::kRefuse) && listen(listener.get(), kBacklog) != 0) {
    return failed("listen on");
  }
  if (getsockname(listener.get(), generic, &size) != 0) return failed("read the port of");
  device.endpoint.port = ntohs(address.sin_port);
  return listener;
}

Loop::Loop(Acceptor acceptor, const SessionOptions& options, Stats& stats)
    : acceptor_(std::move(acceptor)),
      options_(options),
      stats_(stats),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      stop_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      spare_(open("/dev/null", O_RDONLY | O_CLOEXEC)) {
  CHECK(epoll_.get() >= 0 && stop_.get() >= 0);
  watch(epoll_.get(), EPOLL_CTL_ADD, stop_.get(), EPOLLIN, nullptr);
}

Loop::~Loop() = default;

void Loop::add(FileDescriptor listener, const Device& device) {
  Listener& added = listeners_.emplace_back(std::move(listener), device);
  if (device.faults.has(Fault::kRefuse)) return;
  watch(epoll_.get(), EPOLL_CTL_ADD, added.fd.get(), EPOLLIN, static_cast<Watched*>(&added));
}

void Loop::run() {
  std::array<epoll_event, 256> events;
  while (true) {
    const int count =
        epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout());
    CHECK(count >= 0 || errno == EINTR);
    // A connection ends only at its own event or timer, so that no event of this batch is for one
    // that is gone.
    for (int index = 0; index < count; ++index) {
      auto* const watched = static_cast<Watched*>(events[static_cast<std::size_t>(index)].data.ptr);
      if (watched == nullptr) return connections_.clear();
      if (watched->is_listener) {
        accept_some(static_cast<Listener&>(*watched));
      } else {
        auto& connection = static_cast<Connection&>(*watched);
        connection.session.on_ready();
        settle(connection);
      }
    }
    run_timers();
  }
}

void Loop::stop() {
  const std::uint64_t one = 1;
  CHECK(write(stop_.get(), &one, sizeof(one)) == sizeof(one));
}

void Loop::accept_some(Listener& listener) {
  constexpr int kAtOnce = 16;
  for (int count = 0; count < kAtOnce; ++count) {
    const int fd = accept4(listener.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE) refuse_one(listener.fd.get());
      return;
    }
    // libssh may close the fd in the first on_ready(): epoll forgets it then by itself.
    auto owned = std::make_unique<Connection>(fd, listener.device, *this);
    Connection& connection = *owned;
    connections_.emplace(&connection, std::move(owned));
    if (!connection.session.finished()) {
      watch(epoll_.get(), EPOLL_CTL_ADD, fd, EPOLLIN, static_cast<Watched*>(&connection));
      connection.session.on_ready();
    }
    settle(connection);
  }
}

// Otherwise the listener stays readable and the loop spins.
void Loop::refuse_one(int listener) {
  spare_ = FileDescriptor();
  FileDescriptor refused(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  refused = FileDescriptor();
  spare_ = FileDescriptor(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

void Loop::settle(Connection& connection) {
  Session& session = connection.session;
  const auto forget_timer = [&] {
    if (connection.due != TimePoint{}) timers_.erase({connection.due, &connection});
    connection.due = {};
  };
  if (session.finished()) {
    forget_timer();
    connections_.erase(&connection);
    return;
  }
  if (const auto timer = session.take_timer()) {
    forget_timer();
    connection.due = std::chrono::steady_clock::now() + *timer;
    timers_.emplace(connection.due, &connection);
  }
  if (session.wants_write() != connection.writing) {
    connection.writing = !connection.writing;
    watch(epoll_.get(), EPOLL_CTL_MOD, session.fd(),
          connection.writing ? EPOLLIN | EPOLLOUT : EPOLLIN, static_cast<Watched*>(&connection));
  }
}

void Loop::run_timers() {
  if (timers_.empty()) return;
  const TimePoint now = std::chrono::steady_clock::now();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    Connection& connection = *timers_.begin()->second;
    timers_.erase(timers_.begin());
    connection.due = {};
    connection.session.on_timer();
    settle(connection);
  }
}

int Loop::timeout() const {
  if (timers_.empty()) return -1;
  const auto left = timers_.begin()->first - std::chrono::steady_clock::now();
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<int>(std::clamp<std::int64_t>(milliseconds, 0, 60'000));
}

}  // namespace netfleet::devsim

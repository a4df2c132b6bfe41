#include "dispatcher/api/server_threads.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/blocked_signals.h"

namespace netfleet {
namespace {

constexpr Milliseconds kWhenFull{100};  // until connections are accepted again

}  // namespace

ServerThreads::ServerThreads(ApiDescriptor listening, std::uint32_t count, Work work,
                             const Stopping& stopping)
    : listening_(std::move(listening)), count_(count), work_(std::move(work)), stopping_(stopping) {
  const BlockedSignals blocked(all_signals());
  threads_.emplace_back([this] { accept_all(); });
  for (std::uint32_t i = 0; i < count_; ++i) threads_.emplace_back([this] { serve_some(); });
}

ServerThreads::~ServerThreads() {
  for (std::thread& thread : threads_) thread.join();
}

void ServerThreads::accept_all() {
  bool complained = false;
  while (!stopping_.begun()) {
    std::array<pollfd, 2> fds = {pollfd{listening_.get(), POLLIN, 0},
                                 pollfd{stopping_.fd(), POLLIN, 0}};
    if (poll(fds.data(), fds.size(), -1) > 0 && fds[0].revents != 0 && !stopping_.begun()) {
      accept_ready(complained);
    }
  }
  const std::lock_guard lock(mutex_);
  waiting_.clear();
  came_.notify_all();
}

void ServerThreads::accept_ready(bool& complained) {
  ApiDescriptor fd(accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (fd.get() < 0) {
    // What went wrong with one connection is over with it; what is short may come back.
    const bool short_of = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    if (!short_of) return;
    if (!complained) {
      work_.complain(fmt::format("the API accepts no connections: {}", std::strerror(errno)));
    }
    complained = true;
    stopping_.wait(kWhenFull);
    return;
  }
  complained = false;
  std::unique_lock lock(mutex_);
  if (waiting_.size() >= count_) {
    lock.unlock();
    work_.refuse(std::move(fd));
    return;
  }
  waiting_.push_back(std::move(fd));
  came_.notify_one();
}

void ServerThreads::serve_some() {
  while (true) {
    ApiDescriptor fd;
    {
      std::unique_lock lock(mutex_);
      came_.wait(lock, [this] { return !waiting_.empty() || stopping_.begun(); });
      if (stopping_.begun()) return;
      fd = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work_.serve(std::move(fd));
  }
}

}  // namespace netfleet

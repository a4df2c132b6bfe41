#include "worker/engine/events.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "common/check.h"

namespace netfleet {

EventQueue::EventQueue() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { CHECK(fd_ >= 0); }
EventQueue::~EventQueue() { close(fd_); }

void EventQueue::push(EngineEvent event) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = events_.empty();
    events_.push_back(std::move(event));
  }
  if (!first) return;  // the reader was told already
  const std::uint64_t one = 1;
  CHECK(write(fd_, &one, sizeof one) == sizeof one);
}

std::vector<EngineEvent> EventQueue::take() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto drained = read(fd_, &count, sizeof count);  // EAGAIN: nothing told
  const std::lock_guard lock(mutex_);
  return std::exchange(events_, {});
}

}  // namespace netfleet

// dispatcher/api: that the server is being stopped, for all who wait for something else, too.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <atomic>

#include "common/check.h"
#include "common/clock.h"
#include "dispatcher/api/descriptor.h"

namespace netfleet {

// For any thread.
class Stopping {
 public:
  Stopping() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { CHECK(event_.get() >= 0); }

  void begin() {
    begun_ = true;
    CHECK(eventfd_write(event_.get(), 1) == 0);
  }
  bool begun() const { return begun_; }
  // Readable from then on.
  int fd() const { return event_.get(); }
  // Whether it has begun, at the latest when the time is over.
  bool wait(Milliseconds at_most) const {
    const TimePoint until = BootClock::now() + at_most;
    while (!begun_) {
      const auto left = std::chrono::ceil<Milliseconds>(until - BootClock::now()).count();
      if (left <= 0) return false;
      pollfd one{event_.get(), POLLIN, 0};
      poll(&one, 1, static_cast<int>(std::min<long>(left, 60'000)));
    }
    return true;
  }

 private:
  ApiDescriptor event_;
  std::atomic<bool> begun_ = false;
};

}  // namespace netfleet

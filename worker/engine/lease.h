// worker/engine: how long a session may act. Not for deciding that: the lease holder does.
#pragma once

#include <atomic>
#include <cstdint>

#include "common/clock.h"

namespace netfleet {

// The end of one task's lease. Written by the lease holder's thread, read by the session's thread
// before every act on the device.
class Lease {
 public:
  explicit Lease(TimePoint end) : end_(end.time_since_epoch().count()) {}
  bool valid(TimePoint now) const { return now.time_since_epoch().count() < end_.load(); }
  TimePoint end() const { return TimePoint(Nanoseconds(end_.load())); }
  void extend(TimePoint end) {
    const auto count = end.time_since_epoch().count();
    if (count > end_.load()) end_.store(count);
  }

 private:
  std::atomic<std::int64_t> end_;
};

}  // namespace netfleet

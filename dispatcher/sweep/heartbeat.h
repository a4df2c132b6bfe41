// dispatcher/sweep: how often workers are heard. Pure.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/clock.h"

namespace netfleet {

// A lease must outlive a few lost heartbeats.
inline constexpr int kHeartbeatsALease = 6;
// Over the whole fleet: what the dispatcher's one thread answers beside its work.
inline constexpr int kHeartbeatsASecond = 50;
inline constexpr Milliseconds kShortestLease{1000};
inline constexpr Milliseconds kLongestLease{24 * 3'600'000};

// Between two heartbeats of each of `workers`: a seventh of the lease, unless they are too many.
constexpr Milliseconds heartbeat_for(Milliseconds lease, std::uint32_t workers) {
  return std::max(lease / (kHeartbeatsALease + 1),
                  Milliseconds(1000) * workers / kHeartbeatsASecond);
}

// The shortest lease that so many workers can renew in time.
constexpr Milliseconds shortest_lease(std::uint32_t workers) {
  return std::max(kShortestLease,
                  Milliseconds(1000) * workers * kHeartbeatsALease / kHeartbeatsASecond);
}

}  // namespace netfleet

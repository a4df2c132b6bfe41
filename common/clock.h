// common: the only place that reads a clock or asks for randomness. Deciding code gets the time
// passed in; shells ask a Clock, so that tests can steer it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace netfleet {

using Milliseconds = std::chrono::milliseconds;
using Nanoseconds = std::chrono::nanoseconds;

// Monotonic time that also counts while the machine is suspended (CLOCK_BOOTTIME), so that a lease
// does not outlive a suspended laptop.
struct BootClock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = std::chrono::nanoseconds;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
  static time_point now();
};
using TimePoint = BootClock::time_point;

// Wall-clock time, only for what people read (started_at, sweep ids); never for deadlines.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  virtual WallTime wall() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimePoint now() const override;
  WallTime wall() const override;
};

// RFC 3339 in UTC with milliseconds: 2026-11-22T19:15:48.123Z.
std::string format_wall_time(WallTime time);
// What that writes; nothing else.
std::optional<WallTime> parse_wall_time(std::string_view text);

// Which start of the machine this is (Linux's boot_id); empty where the system does not say.
std::string boot_id();

// 64 bits from the system's random source: seeds, sweep ids, incarnations.
std::uint64_t random_seed();

}  // namespace netfleet

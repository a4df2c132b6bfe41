// dispatcher/sweep: named caps on sessions at once and on logins per second, shared by the whole
// fleet, and the rule that a device is in one task at a time. Pure. The ledger asks before it
// offers or grants, parks what is refused here, and is given it back when there is room. A login is
// taken with the offer and given back when that comes to nothing, so within any time t at most
// 2 x burst + rate x (t + offer expiry) logins are granted, restarts included.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/clock.h"
#include "common/codec.h"

namespace netfleet {

struct LimitSpec {
  std::string name;
  std::uint32_t sessions = 0;    // at once; 0: any number
  double logins_per_second = 0;  // 0: as fast as can be
  std::uint32_t burst = 1;       // logins that may come together after a pause
  bool operator==(const LimitSpec&) const = default;
};

class Limits {
 public:
  // A task's place in this: which limits it is under, and the device it logs in to.
  struct Subject {
    std::uint16_t set = 0;     // of add_set(); 0: none
    std::uint64_t device = 0;  // 0: no other task can mean the same device
  };

  // Numbered from 0; a limit that is there already keeps its number and gets the new figures.
  std::uint16_t add(const LimitSpec& limit);
  // A set of limits, numbered from 1; the same set has the same number. Empty: 0.
  std::uint16_t add_set(std::vector<std::uint16_t> limits);

  // Takes a session and a login in every limit and the device, or nothing at all; then `task` waits
  // here, if `park`.
  bool acquire(TimePoint now, Subject subject, TaskKey task, bool park);
  // Gives the session and the device back; the login too when the device was never tried.
  void release(Subject subject, bool login_unused);
  // After a restart: what a lease holds, whatever the limits say.
  void adopt(Subject subject);
  // After a restart: how many logins came just before is not known, so none is saved up.
  void empty_buckets(TimePoint now);

  // Those parked that may try again now, in the order of parking. `wanted` says whether a task is
  // still pending; others are forgotten.
  std::vector<TaskKey> wake(TimePoint now, const std::function<bool(TaskKey)>& wanted);
  // When wake() may have something; max() for never.
  TimePoint next_wake(TimePoint now) const;
  // Names of the limits that tasks wait for, for people.
  std::vector<std::string> full() const;
  // Sessions that each limit counts, by number.
  std::vector<std::uint32_t> used() const;
  const std::vector<std::uint16_t>& in_set(std::uint16_t set) const { return sets_[set]; }

 private:
  struct Limit {
    LimitSpec spec;
    std::uint32_t used = 0;
    double logins = 0;  // the token bucket's content at `filled_at`
    TimePoint filled_at{};
    std::deque<TaskKey> parked;
  };
  struct Device {
    std::uint32_t holders = 0;  // one; more only among adopted leases
    std::deque<TaskKey> parked;
  };
  double logins_at(const Limit& limit, TimePoint now) const;
  bool has_room(const Limit& limit, TimePoint now) const;
  bool has_session(const Limit& limit) const {
    return limit.spec.sessions == 0 || limit.used < limit.spec.sessions;
  }

  std::vector<Limit> limits_;
  std::vector<std::vector<std::uint16_t>> sets_{{}};
  std::unordered_map<std::uint64_t, Device> devices_;  // that are busy or waited for
  std::vector<std::uint64_t> freed_;                   // devices with a task parked
  bool parked_ = false;                                // anything, in some limit
};

}  // namespace netfleet

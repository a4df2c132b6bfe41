#include "dispatcher/sweep/limits.h"

#include <algorithm>
#include <cmath>

#include "common/check.h"

namespace netfleet {

std::uint16_t Limits::add(const LimitSpec& spec) {
  CHECK(spec.burst > 0 && spec.logins_per_second >= 0);
  for (std::size_t i = 0; i < limits_.size(); ++i) {
    if (limits_[i].spec.name != spec.name) continue;
    limits_[i].spec = spec;
    return static_cast<std::uint16_t>(i);
  }
  CHECK(limits_.size() < UINT16_MAX);
  Limit limit;
  limit.spec = spec;
  limit.logins = spec.burst;
  limits_.push_back(std::move(limit));
  return static_cast<std::uint16_t>(limits_.size() - 1);
}

std::uint16_t Limits::add_set(std::vector<std::uint16_t> limits) {
  std::sort(limits.begin(), limits.end());
  limits.erase(std::unique(limits.begin(), limits.end()), limits.end());
  const auto known = std::find(sets_.begin(), sets_.end(), limits);
  if (known != sets_.end()) return static_cast<std::uint16_t>(known - sets_.begin());
  CHECK(sets_.size() < UINT16_MAX);
  sets_.push_back(std::move(limits));
  return static_cast<std::uint16_t>(sets_.size() - 1);
}

double Limits::logins_at(const Limit& limit, TimePoint now) const {
  const double seconds = std::chrono::duration<double>(now - limit.filled_at).count();
  return std::min<double>(limit.spec.burst,
                          limit.logins + std::max(0.0, seconds) * limit.spec.logins_per_second);
}

bool Limits::has_room(const Limit& limit, TimePoint now) const {
  constexpr double kWhole = 1.0 - 1e-9;  // of a sum of fractions
  return has_session(limit) &&
         (limit.spec.logins_per_second == 0 || logins_at(limit, now) >= kWhole);
}

bool Limits::acquire(TimePoint now, Subject subject, TaskKey task, bool park) {
  const auto& set = sets_[subject.set];
  const auto refusing = std::find_if(
      set.begin(), set.end(), [&](std::uint16_t limit) { return !has_room(limits_[limit], now); });
  if (refusing != set.end()) {
    if (park) limits_[*refusing].parked.push_back(task);
    parked_ |= park;
    return false;
  }
  if (subject.device != 0) {
    Device& device = devices_[subject.device];
    if (device.holders > 0) {
      if (park) device.parked.push_back(task);
      return false;
    }
    device.holders = 1;
  }
  for (const std::uint16_t number : set) {
    Limit& limit = limits_[number];
    ++limit.used;
    limit.logins = logins_at(limit, now) - 1;
    limit.filled_at = std::max(limit.filled_at, now);
  }
  return true;
}

void Limits::adopt(Subject subject) {
  for (const std::uint16_t number : sets_[subject.set]) ++limits_[number].used;
  if (subject.device != 0) ++devices_[subject.device].holders;
}

void Limits::empty_buckets(TimePoint now) {
  for (Limit& limit : limits_) {
    limit.logins = 0;
    limit.filled_at = now;
  }
}

void Limits::release(Subject subject, bool login_unused) {
  for (const std::uint16_t number : sets_[subject.set]) {
    Limit& limit = limits_[number];
    CHECK(limit.used > 0);
    --limit.used;
    if (login_unused) limit.logins = std::min<double>(limit.spec.burst, limit.logins + 1);
  }
  if (subject.device == 0) return;
  const auto device = devices_.find(subject.device);
  CHECK(device != devices_.end() && device->second.holders > 0);
  if (--device->second.holders > 0) return;
  if (device->second.parked.empty()) {
    devices_.erase(device);
  } else {
    freed_.push_back(subject.device);
  }
}

std::vector<TaskKey> Limits::wake(TimePoint now, const std::function<bool(TaskKey)>& wanted) {
  std::vector<TaskKey> woken;
  for (const std::uint64_t freed : std::exchange(freed_, {})) {
    const auto device = devices_.find(freed);
    if (device == devices_.end() || device->second.holders > 0) continue;
    // All of them: those that come too late are parked again.
    for (const TaskKey task : device->second.parked) {
      if (wanted(task)) woken.push_back(task);
    }
    devices_.erase(device);
  }
  if (!parked_) return woken;
  parked_ = false;
  for (Limit& limit : limits_) {
    double room = has_room(limit, now) ? UINT32_MAX : 0;
    if (limit.spec.sessions > 0) room = std::min<double>(room, limit.spec.sessions - limit.used);
    if (limit.spec.logins_per_second > 0) room = std::min(room, logins_at(limit, now) + 1e-9);
    while (!limit.parked.empty() && room >= 1) {
      const TaskKey task = limit.parked.front();
      limit.parked.pop_front();
      if (!wanted(task)) continue;
      woken.push_back(task);
      room -= 1;
    }
    parked_ |= !limit.parked.empty();
  }
  return woken;
}

TimePoint Limits::next_wake(TimePoint now) const {
  if (!freed_.empty()) return now;
  TimePoint next = TimePoint::max();
  if (!parked_) return next;
  for (const Limit& limit : limits_) {
    if (limit.parked.empty() || !has_session(limit)) continue;
    if (has_room(limit, now)) return now;
    constexpr double kLongest = 3600;  // s; a very slow rate is looked at again
    const double missing = 1 - logins_at(limit, now);
    const double seconds = std::min(kLongest, missing / limit.spec.logins_per_second);
    const auto wait = Nanoseconds(static_cast<std::int64_t>(std::ceil(seconds * 1e9)));
    next = std::min(next, now + wait);
  }
  return next;
}

std::vector<std::uint32_t> Limits::used() const {
  std::vector<std::uint32_t> counts;
  for (const Limit& limit : limits_) counts.push_back(limit.used);
  return counts;
}

std::vector<std::string> Limits::full() const {
  std::vector<std::string> names;
  for (const Limit& limit : limits_) {
    if (!limit.parked.empty()) names.push_back(limit.spec.name);
  }
  return names;
}

}  // namespace netfleet

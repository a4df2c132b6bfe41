// Attempts that are closed here without a result: fenced, or given back before they were started.
// This worker never starts them again, nor earlier ones of the same task: an offer or a grant of
// one that still comes is an old one.
#include <algorithm>
#include <utility>

#include "common/breach.h"
#include "worker/fleet/lease_holder.h"

namespace netfleet {
namespace {

constexpr std::size_t kMostRemembered = 4096;  // of the newest

}  // namespace

void LeaseHolder::close(TaskKey key, std::uint32_t attempt) {
  closed_[key] = std::max(closed_[key], attempt);
  closed_order_.push_back(key);
  if (closed_order_.size() <= kMostRemembered) return;
  closed_.erase(closed_order_.front());
  closed_order_.pop_front();
}

bool LeaseHolder::is_closed(TaskKey key, std::uint32_t attempt) const {
  const auto closed = closed_.find(key);
  return closed != closed_.end() && closed->second >= attempt && !BROKEN(kReleaseAfterStart);
}

// A Release that is lost would cost a lease, and a task that changes its device for good.
void LeaseHolder::send_release(v1::Release release) {
  for (const auto& ref : release.tasks()) {
    if (!BROKEN(kControlOutOfOrder)) close(key_of(ref), ref.attempt());
    Released& one = released_[key_of(ref)];
    if (ref.attempt() > one.attempt) one = {.attempt = ref.attempt()};
  }
  *add_message().mutable_release() = std::move(release);
}

void LeaseHolder::list_released(TimePoint now, Refs& released) {
  if (BROKEN(kReleaseSaidOnce)) return;
  for (auto& [key, one] : released_) {
    *released.Add() = make_ref(key, one.attempt);
    one.listed = std::min(one.listed, now);
  }
}

void LeaseHolder::give_back(TaskKey key) {
  const auto found = held_.find(key);
  if (found == held_.end() || found->second.state != State::kRunning) return;
  v1::Release given;
  *given.add_tasks() = make_ref(key, found->second.attempt);
  forget(key);
  full_since_ = TimePoint::max();  // a slot is free
  send_release(std::move(given));
}

}  // namespace netfleet

// What the lease holder does because time has passed; what it hears is in lease_holder.cc.
#include <algorithm>
#include <utility>

#include "common/breach.h"
#include "worker/fleet/lease_holder.h"

namespace netfleet {
namespace {

constexpr Milliseconds kLeaveLanesAfter{100};  // full for so long: 1-2 round trips
constexpr Milliseconds kFreeNoMoreOftenThan{10};
constexpr int kSilentHeartbeats = 3;
// A claim that is given up after its last saying was granted, and the grant lost, costs a lease. So
// it is said more often than any but a dead network loses its answers.
constexpr int kLeasesOfAClaim = 2;

std::uint64_t stamp_of(TimePoint now) {
  return static_cast<std::uint64_t>(now.time_since_epoch().count());
}

}  // namespace

void LeaseHolder::send_claim(TimePoint now, v1::Claim claim) {
  claim.set_sent_at(stamp_of(now));
  for (const v1::Offer& offer : claim.offers()) held_.at(key_of(offer.task())).claimed = now;
  *add_message().mutable_claim() = std::move(claim);
}

void LeaseHolder::heartbeat(TimePoint now) {
  next_heartbeat_ = now + heartbeat_;
  v1::Heartbeat& beat = *add_message().mutable_heartbeat();
  beat.set_sent_at(stamp_of(now));
  list_held(*beat.mutable_running(), *beat.mutable_finished());
  list_released(now, *beat.mutable_released());
}

// Looks at every held task: leases that ended, claims and results that got no answer.
void LeaseHolder::scan(TimePoint now) {
  next_scan_ = now + lease_ / 20;
  v1::Claim claim;
  std::vector<TaskKey> unanswered;
  for (auto& [key, held] : held_) {
    if (held.state == State::kRunning && !held.lease->valid(now)) {
      stop(key, held, StopReason::kLeaseEnded);
    } else if (held.state == State::kClaimed && now - held.since > lease_ * kLeasesOfAClaim) {
      unanswered.push_back(key);
    } else if (held.state == State::kClaimed && held.retry <= now && welcomed_ &&
               !BROKEN(kR4ClaimSaidOnce)) {
      held.retry = now + lease_ / 4;
      v1::Offer& offer = *claim.add_offers();
      *offer.mutable_task() = make_ref(key, held.attempt);
      offer.set_round(held.round);
    } else if (held.state == State::kFinished && held.retry <= now && welcomed_ &&
               !BROKEN(kR9SentOnce)) {
      held.retry = now + lease_ / 4;
      actions_.push_back(SendResult{key});
    }
  }
  for (const TaskKey key : unanswered) forget(key);
  if (claim.offers_size() > 0) send_claim(now, std::move(claim));
}

void LeaseHolder::tick(TimePoint now) {
  if (parted_) return;
  if (now >= next_scan_) scan(now);
  if (welcomed_ && now - last_heard_ > heartbeat_ * kSilentHeartbeats) {
    last_heard_ = now;
    say_hello(now);
  } else if (now >= next_hello_) {
    say_hello(now);
  } else if (now >= next_heartbeat_) {
    heartbeat(now);
  }
  part_if_drained();
  tell_free(now);
  mind_lanes(now);
}

std::uint32_t LeaseHolder::free_slots() const {
  const bool full = unacknowledged_ >= options_.most_unacknowledged ||
                    unacknowledged_bytes_ >= options_.most_unacknowledged_bytes;
  if (!welcomed_ || draining_ || outbox_full_ || busy_ >= options_.slots) return 0;
  if (full && !BROKEN(kR18OutboxUnbounded)) return 0;
  return options_.slots - busy_;
}

// Slots that became free without a message that says so (a denied claim) are told; a rise from none
// at once, others at most every 10 ms.
void LeaseHolder::tell_free(TimePoint now) {
  if (!welcomed_ || parted_ || free_slots() <= told_free_) return;
  if (told_free_ > 0 && now - told_free_at_ < kFreeNoMoreOftenThan) return;
  told_free_at_ = now;
  add_message().mutable_free_slots();
}

void LeaseHolder::mind_lanes(TimePoint now) {
  if (!welcomed_ || parted_) return;
  if (free_slots() > 0) {
    full_since_ = TimePoint::max();
    if (!in_lanes_) actions_.push_back(lanes_);
    in_lanes_ = true;
    return;
  }
  if (full_since_ == TimePoint::max()) full_since_ = now;
  if (in_lanes_ && (now - full_since_ >= kLeaveLanesAfter || BROKEN(kR21LeaveAtOnce))) {
    in_lanes_ = false;
    actions_.push_back(LeaveLanes{});
  }
}

TimePoint LeaseHolder::next_deadline() const {
  if (parted_) return TimePoint::max();
  TimePoint next = std::min({next_heartbeat_, next_scan_, next_hello_});
  if (welcomed_ && told_free_ > 0 && free_slots() > told_free_) {
    next = std::min(next, told_free_at_ + kFreeNoMoreOftenThan);
  }
  if (in_lanes_ && full_since_ != TimePoint::max()) {
    next = std::min(next, full_since_ + kLeaveLanesAfter);
  }
  return next;
}

std::vector<WorkerAction> LeaseHolder::take_actions() {
  reopening_ = false;  // it is carried out now
  return std::exchange(actions_, {});
}

}  // namespace netfleet

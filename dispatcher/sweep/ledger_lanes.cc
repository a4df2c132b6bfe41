// The ledger's lanes: which task is offered next, and what happens to those that nobody serves.
#include <fmt/format.h>

#include <algorithm>

#include "common/breach.h"
#include "common/check.h"
#include "dispatcher/sweep/ledger.h"

namespace netfleet {
namespace {

constexpr Milliseconds kUnservedToldAfter{2000};

}  // namespace

std::uint16_t Ledger::add_lane(std::string_view region) {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (lanes_[i].region == region) return static_cast<std::uint16_t>(i);
  }
  CHECK(lanes_.size() < UINT16_MAX);
  lanes_.emplace_back().region = region;
  for (const auto& [incarnation, worker] : workers_) {
    if (BROKEN(kNewLanesUntold)) break;
    v1::ToWorker again;
    again.mutable_hello_again();
    send(incarnation, std::move(again));
  }
  return static_cast<std::uint16_t>(lanes_.size() - 1);
}

bool Ledger::has_lane(std::string_view region) const {
  return std::ranges::find(lanes_, region, &Lane::region) != lanes_.end();
}

// What is held is left out: it is queued when its batch begins, or when the sweep goes on.
void Ledger::queue(TaskKey key, bool in_front) {
  if (held(sweeps_.at(key.sweep), key.index)) return ask_once(key.sweep);
  Lane& lane = lanes_[task_at(key).lane];
  auto& indexes = lane.pending[key.sweep];
  if (in_front) {
    indexes.push_front(key.index);
  } else {
    indexes.push_back(key.index);
  }
  if (lane.workers == 0) next_lane_check_ = std::min(next_lane_check_, now_);
}

Milliseconds Ledger::back_off(std::uint32_t attempt) {
  constexpr std::int64_t kFirst = 1000, kLongest = 30'000;  // ms
  const std::int64_t full = std::min(kLongest, kFirst << std::min<std::uint32_t>(attempt - 1, 10));
  // splitmix64: spreads the retries of devices that failed together.
  random_ += 0x9E3779B97F4A7C15u;
  std::uint64_t mixed = random_;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
  return Milliseconds(full / 2 + static_cast<std::int64_t>((mixed >> 33) % (full / 2 + 1)));
}

void Ledger::retry_later(TimePoint now, TaskKey key, Task& task) {
  ++task.retries_used;
  task.until = now + back_off(task.attempt);
  next_attempt(key, task);
  task.state = State::kWaiting;
  due_.push({task.until, key, task.attempt});
}

bool Ledger::wants_to_offer(std::uint16_t lane_number) const {
  const Lane& lane = lanes_[lane_number];
  return started_ && !paused_ && holding_until_ <= now_ && !lane.pending.empty() &&
         (lane.credit > lane.offered || BROKEN(kCreditIgnored));
}

// The sweep with the highest priority; among equals the one with the least under way, so that
// sweeps share the slots evenly. 0: none.
std::uint32_t Ledger::next_sweep(const Lane& lane) const {
  std::uint32_t best = 0;
  const Sweep* best_sweep = nullptr;
  for (const auto& [number, indexes] : lane.pending) {
    const Sweep& sweep = sweeps_.at(number);
    if (best_sweep == nullptr || sweep.priority > best_sweep->priority ||
        (sweep.priority == best_sweep->priority && sweep.in_flight < best_sweep->in_flight &&
         !BROKEN(kSharesIgnored))) {
      best = number;
      best_sweep = &sweep;
    }
  }
  return best;
}

v1::OfferFrame Ledger::make_offers(TimePoint now, std::uint16_t lane_number) {
  now_ = now;
  Lane& lane = lanes_[lane_number];
  const std::uint32_t credit = lane.credit - lane.offered;
  // Small frames while there is little credit, so that no worker is handed everybody's share.
  const std::uint32_t most =
      std::clamp(credit / std::max(1u, lane.workers), 1u, options_.offers_per_frame);
  v1::OfferFrame frame;
  frame.set_epoch(options_.epoch);
  while (static_cast<std::uint32_t>(frame.offers_size()) < most) {
    const std::uint32_t number = next_sweep(lane);
    if (number == 0) break;
    auto& indexes = lane.pending.at(number);
    const TaskKey key{number, indexes.front()};
    indexes.pop_front();
    if (indexes.empty()) lane.pending.erase(number);
    Sweep& sweep = sweeps_.at(number);
    Task& task = sweep.tasks[key.index];
    if (task.state != State::kPending) continue;  // claimed late, ended: left here lazily
    if (held(sweep, key.index)) continue;
    if (!limits_.acquire(now, subject_of(key, task), key, true)) continue;  // parked there
    task.state = State::kOffered;
    task.until = now + expiry_;
    ++task.round;
    ++lane.offered;
    ++sweep.in_flight;
    offers_due_.push_back({task.until, key, task.attempt, task.round});
    v1::Offer& offer = *frame.add_offers();
    *offer.mutable_task() = make_ref(key, task.attempt);
    offer.set_round(task.round);
  }
  return frame;
}

// An offer that comes to nothing gives back what it held.
void Ledger::leave_offered(TaskKey key, Task& task) {
  if (task.state != State::kOffered) return;
  --lanes_[task.lane].offered;
  --sweeps_.at(key.sweep).in_flight;
  limits_.release(subject_of(key, task), true);
  task.state = State::kPending;
}

// They go first again: one that is lost twice must not be the sweep's last.
void Ledger::expire_offers(TimePoint now) {
  std::vector<TaskKey> expired;
  while (!offers_due_.empty() && offers_due_.front().at <= now && !BROKEN(kR15OffersNeverExpire)) {
    const OfferDue due = offers_due_.front();
    offers_due_.pop_front();
    Task* task = find(due.task);
    if (task == nullptr || task->state != State::kOffered || task->attempt != due.attempt ||
        task->round != due.round) {
      continue;
    }
    leave_offered(due.task, *task);
    expired.push_back(due.task);
  }
  queue_in_front(expired);
}

// The first of them first.
void Ledger::queue_in_front(const std::vector<TaskKey>& keys) {
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) queue(*key, true);
}

void Ledger::wake_parked(TimePoint now) {
  const auto wanted = [this](TaskKey key) {
    const Task* task = find(key);
    return task != nullptr && task->state == State::kPending;
  };
  queue_in_front(limits_.wake(now, wanted));
}

// A lane with tasks and without workers: said once, given up in the end.
void Ledger::check_lanes(TimePoint now) {
  if (now < next_lane_check_) return;
  next_lane_check_ = TimePoint::max();
  for (std::uint16_t number = 0; number < lanes_.size(); ++number) {
    Lane& lane = lanes_[number];
    if (lane.workers > 0 || lane.pending.empty()) {
      lane.unserved_since = TimePoint::max();
      lane.told = false;
      continue;
    }
    if (lane.unserved_since == TimePoint::max()) lane.unserved_since = now;
    if (now - lane.unserved_since >= options_.region_timeout) {
      give_up_lane(number);
      continue;
    }
    if (!lane.told && started_ && now - lane.unserved_since >= kUnservedToldAfter) {
      lane.told = true;
      actions_.push_back(Noted{Noted::What::kRegionWaits, lane.region});
    }
    TimePoint next = lane.unserved_since + options_.region_timeout;
    if (!lane.told && started_) next = std::min(next, lane.unserved_since + kUnservedToldAfter);
    next_lane_check_ = std::min(next_lane_check_, next);
  }
}

void Ledger::give_up_lane(std::uint16_t number) {
  Lane& lane = lanes_[number];
  actions_.push_back(Noted{Noted::What::kRegionGivenUp, lane.region});
  const std::string error = lane.region.empty() ? "no worker serves the default region"
                                                : "no worker serves region " + lane.region;
  for (const auto& [sweep_number, indexes] : std::exchange(lane.pending, {})) {
    Sweep& sweep = sweeps_.at(sweep_number);
    for (std::uint32_t index = 0; index < sweep.tasks.size(); ++index) {
      Task& task = sweep.tasks[index];
      if (task.lane == number && unstarted(task)) {
        end_task({sweep_number, index}, task, Outcome::kUnreachable, error);
      }
    }
  }
  lane.unserved_since = TimePoint::max();
  lane.told = false;
}

}  // namespace netfleet

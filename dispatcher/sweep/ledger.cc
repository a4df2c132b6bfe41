// The ledger's tasks: offers, leases, ends. What workers say is in ledger_workers.cc.
#include "dispatcher/sweep/ledger.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/check.h"

namespace netfleet {

std::uint16_t Ledger::add_lane(const std::string& region) {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (lanes_[i].region == region) return static_cast<std::uint16_t>(i);
  }
  lanes_.push_back({region, {}, 0, 0});
  return static_cast<std::uint16_t>(lanes_.size() - 1);
}

void Ledger::add_sweep(const SweepPlan& plan) {
  CHECK(plan.sweep > 0 && !sweeps_.contains(plan.sweep));
  Sweep& sweep = sweeps_[plan.sweep];
  sweep.credentials = plan.credentials;
  sweep.auth_failures.assign(plan.credentials.size(), 0);
  sweep.retries = plan.retries;
  sweep.max_auth_failures = plan.max_auth_failures;
  sweep.changes_device = plan.changes_device;
  sweep.open = static_cast<std::uint32_t>(plan.tasks.size());
  sweep.tasks.resize(plan.tasks.size());
  for (std::uint32_t index = 0; index < plan.tasks.size(); ++index) {
    CHECK(plan.tasks[index].lane < lanes_.size());
    CHECK(plan.tasks[index].credential < plan.credentials.size());
    sweep.tasks[index].lane = plan.tasks[index].lane;
    sweep.tasks[index].credential = plan.tasks[index].credential;
    lanes_[plan.tasks[index].lane].pending.push_back({plan.sweep, index});
  }
}

Ledger::Task* Ledger::find(TaskKey key) {
  const auto sweep = sweeps_.find(key.sweep);
  if (sweep == sweeps_.end() || key.index >= sweep->second.tasks.size()) return nullptr;
  return &sweep->second.tasks[key.index];
}

bool Ledger::wants_to_offer(std::uint16_t lane_number) const {
  const Lane& lane = lanes_[lane_number];
  return started_ && !lane.pending.empty() && lane.credit > lane.offered;
}

v1::OfferFrame Ledger::make_offers(TimePoint now, std::uint16_t lane_number) {
  Lane& lane = lanes_[lane_number];
  const std::uint32_t credit = lane.credit - lane.offered;
  const auto workers = std::max<std::uint32_t>(1, static_cast<std::uint32_t>(workers_.size()));
  // Small frames while there is little credit, so that no worker is handed everybody's share.
  const std::uint32_t most = std::clamp(credit / workers, 1u, options_.offers_per_frame);
  v1::OfferFrame frame;
  frame.set_epoch(options_.epoch);
  while (!lane.pending.empty() && static_cast<std::uint32_t>(frame.offers_size()) < most) {
    const TaskKey key = lane.pending.front();
    lane.pending.pop_front();
    Task& task = *find(key);
    if (task.state != State::kPending) continue;  // claimed late, ended: left here lazily
    task.state = State::kOffered;
    task.until = now + options_.offer_expiry;
    ++task.round;
    ++lane.offered;
    offers_due_.push_back({task.until, key, task.attempt, task.round});
    v1::Offer& offer = *frame.add_offers();
    *offer.mutable_task() = make_ref(key, task.attempt);
    offer.set_round(task.round);
  }
  return frame;
}

void Ledger::leave_offered(Task& task) {
  if (task.state == State::kOffered) --lanes_[task.lane].offered;
}

void Ledger::lease(TimePoint now, std::uint64_t from, TaskKey key, Task& task) {
  leave_offered(task);
  task.state = State::kLeased;
  task.owner = from;
  task.until = now + options_.lease;
  ++leased_;
  workers_.at(from).leased.insert(key);
  due_.push({task.until, key, task.attempt});
  note(Noted::What::kGranted, from, key, task.attempt);
}

void Ledger::unlease(TaskKey key, Task& task) {
  CHECK(task.state == State::kLeased);
  --leased_;
  if (const auto worker = workers_.find(task.owner); worker != workers_.end()) {
    worker->second.leased.erase(key);
  }
}

void Ledger::requeue(TaskKey key, Task& task) {
  ++task.attempt;
  task.round = 0;
  task.state = State::kPending;
  task.owner = 0;
  lanes_[task.lane].pending.push_back(key);
}

void Ledger::lease_ended(TaskKey key, Task& task) {
  const std::uint64_t owner = task.owner;
  note(Noted::What::kLeaseEnded, owner, key, task.attempt);
  unlease(key, task);
  ++task.deaths;
  task.state = State::kPending;
  const std::string name = worker_name(owner);
  if (sweeps_.at(key.sweep).changes_device) {
    end_task(
        key, task, Outcome::kLost,
        fmt::format("worker {} was lost while it ran this task, which changes the device: it is "
                    "not repeated; look at the device",
                    name));
  } else if (task.deaths >= options_.worker_deaths) {
    end_task(key, task, Outcome::kLost,
             fmt::format("{} workers were lost while they ran this task, {} last: quarantined",
                         task.deaths, name));
  } else {
    requeue(key, task);
  }
}

void Ledger::end_task(TaskKey key, Task& task, Outcome outcome, std::string error) {
  leave_offered(task);
  if (task.state == State::kLeased) unlease(key, task);
  actions_.push_back(
      TaskEnded{key, task.attempt, outcome, std::move(error), worker_name(task.owner)});
  task.state = State::kDone;
  --sweeps_.at(key.sweep).open;
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

Verdict Ledger::on_result(TimePoint now, std::uint64_t from, TaskKey key, std::uint32_t attempt,
                          Outcome outcome, bool command_sent) {
  Task* task = find(key);
  const bool current = task != nullptr && task->attempt == attempt && task->owner == from;
  if (current && task->state == State::kStoring) return Verdict::kIgnore;  // acknowledged when safe
  if (!current || task->state != State::kLeased) {
    acknowledge(from, key, attempt);
    return Verdict::kIgnore;
  }
  Sweep& sweep = sweeps_.at(key.sweep);
  unlease(key, *task);
  const bool repeatable = !(sweep.changes_device && command_sent);
  if (may_retry(outcome, command_sent) && repeatable && task->retries_used < sweep.retries &&
      !sweep.ending) {
    note(Noted::What::kRetry, from, key, attempt, outcome);
    acknowledge(from, key, attempt);
    ++task->retries_used;
    task->until = now + back_off(task->attempt);
    ++task->attempt;
    task->round = 0;
    task->owner = 0;
    task->state = State::kWaiting;
    due_.push({task->until, key, task->attempt});
    return Verdict::kRetry;
  }
  task->state = State::kStoring;
  if (outcome == Outcome::kAuthFailed) count_auth_failure(key.sweep, task->credential);
  return Verdict::kFinal;
}

void Ledger::stored(TaskKey key) {
  Task* task = find(key);
  if (task == nullptr || task->state != State::kStoring) return;
  task->state = State::kDone;
  --sweeps_.at(key.sweep).open;
  acknowledge(task->owner, key, task->attempt);
}

void Ledger::count_auth_failure(std::uint32_t number, std::uint16_t credential) {
  Sweep& sweep = sweeps_.at(number);
  const std::uint32_t failures = ++sweep.auth_failures[credential];
  if (sweep.max_auth_failures == 0 || failures < sweep.max_auth_failures || sweep.guarded) return;
  sweep.guarded = true;
  note(Noted::What::kGuard, 0, {number, 0});
  end_unstarted(
      number, Outcome::kSkipped,
      fmt::format("not started: the authentication guard ended the sweep after {} refused "
                  "login{} with credential '{}'",
                  failures, failures == 1 ? "" : "s", sweep.credentials[credential]));
}

void Ledger::end_unstarted(std::uint32_t number, Outcome outcome, const std::string& error) {
  Sweep& sweep = sweeps_.at(number);
  sweep.ending = true;
  for (std::uint32_t index = 0; index < sweep.tasks.size(); ++index) {
    Task& task = sweep.tasks[index];
    if (task.state == State::kPending || task.state == State::kOffered ||
        task.state == State::kWaiting) {
      end_task({number, index}, task, outcome, error);
    }
  }
  for (Lane& lane : lanes_) {
    std::erase_if(lane.pending, [&](TaskKey key) { return key.sweep == number; });
  }
}

void Ledger::drain(std::uint32_t sweep) {
  end_unstarted(sweep, Outcome::kCancelled, "not started: interrupted");
}

void Ledger::cancel_running(std::uint32_t sweep) {
  sweeps_.at(sweep).ending = true;
  for (const auto& [incarnation, worker] : workers_) {
    v1::ToWorker message;
    message.mutable_cancel()->set_sweep(sweep);
    send(incarnation, std::move(message));
  }
}

void Ledger::abandon(std::uint32_t number) {
  Sweep& sweep = sweeps_.at(number);
  for (std::uint32_t index = 0; index < sweep.tasks.size(); ++index) {
    Task& task = sweep.tasks[index];
    if (task.state == State::kDone || task.state == State::kStoring) continue;
    const bool ran = task.state == State::kLeased;
    end_task({number, index}, task, Outcome::kCancelled,
             ran ? "stopped while it ran: interrupted twice" : "not started: interrupted");
  }
}

void Ledger::tick(TimePoint now) {
  while (!offers_due_.empty() && offers_due_.front().at <= now) {
    const OfferDue due = offers_due_.front();
    offers_due_.pop_front();
    Task& task = *find(due.task);
    if (task.state != State::kOffered || task.attempt != due.attempt || task.round != due.round) {
      continue;
    }
    leave_offered(task);
    task.state = State::kPending;
    lanes_[task.lane].pending.push_back(due.task);
  }
  while (!due_.empty() && due_.top().at <= now) {
    const Due due = due_.top();
    due_.pop();
    Task& task = *find(due.task);
    if (task.attempt != due.attempt) continue;
    if (task.state == State::kLeased) {
      if (task.until <= now) {
        lease_ended(due.task, task);
      } else {
        due_.push({task.until, due.task, due.attempt});  // renewed meanwhile
      }
    } else if (task.state == State::kWaiting && task.until <= now) {
      task.state = State::kPending;
      lanes_[task.lane].pending.push_back(due.task);
    }
  }
  check_workers(now);
}

TimePoint Ledger::next_deadline() const {
  TimePoint next = next_worker_check_;
  if (!offers_due_.empty()) next = std::min(next, offers_due_.front().at);
  if (!due_.empty()) next = std::min(next, due_.top().at);
  return next;
}

bool Ledger::finished(std::uint32_t sweep) const { return sweeps_.at(sweep).open == 0; }
bool Ledger::guarded(std::uint32_t sweep) const { return sweeps_.at(sweep).guarded; }

std::vector<Action> Ledger::take_actions() { return std::exchange(actions_, {}); }

}  // namespace netfleet

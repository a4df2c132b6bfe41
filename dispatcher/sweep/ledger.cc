// The ledger's tasks: leases, results, ends. Offers are in ledger_lanes.cc, what workers say in
// ledger_workers.cc, what holds a sweep back or ends it early in ledger_ends.cc.
#include "dispatcher/sweep/ledger.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/breach.h"
#include "common/check.h"

namespace netfleet {
void Ledger::add_sweep(TimePoint now, const SweepPlan& plan) {
  CHECK(plan.sweep > 0 && !sweeps_.contains(plan.sweep));
  now_ = now;
  Sweep& sweep = sweeps_[plan.sweep];
  sweep.credentials = plan.credentials;
  sweep.auth_failures.assign(plan.credentials.size(), 0);
  sweep.locked.assign(plan.credentials.size(), {});
  sweep.retries = std::min<std::uint32_t>(plan.retries, UINT8_MAX);  // what retries_used can count
  sweep.max_auth_failures = plan.max_auth_failures;
  sweep.never_twice = plan.changes_device && !plan.retry_unsafe;
  sweep.journaled = plan.journaled;
  sweep.priority = plan.priority;
  sweep.closes = plan.closes;
  sweep.why_closed = plan.why_closed;
  sweep.open = static_cast<std::uint32_t>(plan.tasks.size());
  sweep.tasks.resize(plan.tasks.size());
  if (plan.rollout.brakes()) sweep.rollout.emplace(plan.rollout, sweep.open);
  for (std::uint32_t index = 0; index < plan.tasks.size(); ++index) {
    const SweepPlan::Task& planned = plan.tasks[index];
    CHECK(planned.lane < lanes_.size() && planned.credential < plan.credentials.size());
    Task& task = sweep.tasks[index];
    task.lane = planned.lane;
    task.credential = planned.credential;
    task.limits = planned.subject.set;
    if (planned.subject.device != 0) {
      sweep.devices.resize(plan.tasks.size());
      sweep.devices[index] = planned.subject.device;
    }
  }
  Milliseconds lease = std::max(options_.lease, plan.lease_before);
  if (BROKEN(kLeaseLengthForgotten)) lease = options_.lease;
  for (const auto& restored : plan.restored) {
    CHECK(restored.index < sweep.tasks.size());
    restore(now + lease, {plan.sweep, restored.index}, sweep.tasks[restored.index], restored);
  }
  if (sweep.rollout) restore_rollout(sweep, plan.restored);
  if (!plan.restored.empty()) {
    if (!BROKEN(kMinWorkersAgain)) started_ = true;  // they were there once
    if (!BROKEN(kBurstAfterRestart)) limits_.empty_buckets(now);
  }
  // With numbers of its own a late claim does no harm any more: they are a second guard.
  sweep.least_attempt = BROKEN(kR13ClaimsInHold) ? 1 : plan.least_attempt;
  for (std::uint32_t index = 0; index < plan.tasks.size(); ++index) {
    if (sweep.tasks[index].state != State::kPending) continue;
    Task& task = sweep.tasks[index];
    task.attempt = std::max(task.attempt, sweep.least_attempt);
    if (plan.tasks[index].not_before > now && !BROKEN(kTurnsIgnored)) {
      task.state = State::kWaiting;
      task.until = plan.tasks[index].not_before;
      due_.push({task.until, {plan.sweep, index}, task.attempt});
    } else {
      queue({plan.sweep, index});
    }
  }
  if (plan.journal_uncertain && !BROKEN(kR13NoHold)) {
    holding_until_ = std::max(holding_until_, now + lease);
  }
  for (std::uint16_t i = 0; i < sweep.credentials.size(); ++i) guard(plan.sweep, i);
}

void Ledger::restore(TimePoint until, TaskKey key, Task& task,
                     const SweepPlan::Restored& restored) {
  Sweep& sweep = sweeps_.at(key.sweep);
  task.attempt = restored.attempt;
  task.owner = restored.owner;
  task.deaths = restored.deaths;
  task.retries_used = restored.retries_used;
  if (restored.outcome) {
    task.state = State::kDone;
    --sweep.open;
    task.lost = *restored.outcome == Outcome::kLost;
    if (*restored.outcome == Outcome::kAuthFailed) ++sweep.auth_failures[task.credential];
  } else if (restored.owner != 0 && !BROKEN(kR11LeasesNotRestored)) {
    // It may still be at work: it has a whole lease to say so.
    task.state = State::kLeased;
    task.until = until;
    ++leased_;
    ++sweep.leased;
    ++sweep.in_flight;
    limits_.adopt(subject_of(key, task));
    due_.push({task.until, key, task.attempt});
  }
}

void Ledger::forget_sweep(std::uint32_t number) {
  CHECK(finished(number));
  for (Lane& lane : lanes_) lane.pending.erase(number);
  for (auto& [incarnation, worker] : workers_) worker.jobs.erase(number);
  sweeps_.erase(number);
}

const Ledger::Task* Ledger::find(TaskKey key) const {
  const auto sweep = sweeps_.find(key.sweep);
  if (sweep == sweeps_.end() || key.index >= sweep->second.tasks.size()) return nullptr;
  return &sweep->second.tasks[key.index];
}

Ledger::Task* Ledger::find(TaskKey key) {
  return const_cast<Task*>(std::as_const(*this).find(key));
}

Limits::Subject Ledger::subject_of(TaskKey key, const Task& task) const {
  const auto& devices = sweeps_.at(key.sweep).devices;
  return {task.limits, devices.empty() ? 0 : devices[key.index]};
}

void Ledger::journal(TaskKey key, const Task& task) {
  if (!sweeps_.at(key.sweep).journaled) return;
  actions_.push_back(Journal{key, task.attempt, task.owner, task.deaths, task.retries_used});
}

void Ledger::lease(TimePoint now, std::uint64_t from, TaskKey key, Task& task) {
  if (task.state == State::kOffered) {
    --lanes_[task.lane].offered;  // what it holds of the limits it keeps
  } else {
    ++sweeps_.at(key.sweep).in_flight;
  }
  task.state = State::kLeased;
  task.owner = from;
  task.until = now + options_.lease;
  ++leased_;
  ++sweeps_.at(key.sweep).leased;
  workers_.at(from).leased.insert(key);
  due_.push({task.until, key, task.attempt});
  journal(key, task);
  note(Noted::What::kGranted, from, key, task.attempt);
}

// `linger`: its session may go on for a while, and holds what it holds.
void Ledger::unlease(TaskKey key, Task& task, bool linger) {
  CHECK(task.state == State::kLeased);
  --leased_;
  --sweeps_.at(key.sweep).leased;
  --sweeps_.at(key.sweep).in_flight;
  if (linger) {
    lingering_.push({task.until, subject_of(key, task)});
  } else {
    limits_.release(subject_of(key, task), false);
  }
  if (const auto worker = workers_.find(task.owner); worker != workers_.end()) {
    worker->second.leased.erase(key);
  }
}

void Ledger::next_attempt(TaskKey key, Task& task) {
  task.attempt = std::max(task.attempt + 1, sweeps_.at(key.sweep).least_attempt);
  task.round = 0;
  task.owner = 0;
  journal(key, task);
}

void Ledger::requeue(TaskKey key, Task& task, bool in_front) {
  next_attempt(key, task);
  task.state = State::kPending;
  queue(key, in_front);
}

void Ledger::lease_ended(TaskKey key, Task& task) {
  const std::uint64_t owner = task.owner;
  note(Noted::What::kLeaseEnded, owner, key, task.attempt);
  unlease(key, task);
  ++task.deaths;
  task.state = State::kPending;
  const std::string known = worker_name(owner);
  const std::string name = known.empty() ? "of before the restart" : known;
  const Sweep& sweep = sweeps_.at(key.sweep);
  if (sweep.never_twice) {
    end_task(
        key, task, Outcome::kLost,
        fmt::format("worker {} was lost while it ran this task, which changes the device: it is "
                    "not repeated; look at the device",
                    name));
  } else if (task.deaths >= options_.worker_deaths && !BROKEN(kNoQuarantine)) {
    end_task(key, task, Outcome::kLost,
             fmt::format("{} workers were lost while they ran this task, {} last: quarantined",
                         task.deaths, name));
  } else if (stopped(sweep, task)) {
    const bool cancelled = sweep.ending && sweep.ending->first == Outcome::kCancelled;
    end_task(
        key, task, cancelled ? Outcome::kCancelled : Outcome::kLost,
        fmt::format("worker {} was lost while it ran this task, and the sweep is ending", name));
  } else {
    requeue(key, task);
  }
}

void Ledger::end_task(TaskKey key, Task& task, Outcome outcome, std::string error) {
  leave_offered(key, task);
  if (task.state == State::kLeased) unlease(key, task);
  actions_.push_back(
      TaskEnded{key, task.attempt, outcome, std::move(error), worker_name(task.owner)});
  task.state = State::kDone;
  task.lost = outcome == Outcome::kLost;
  Sweep& sweep = sweeps_.at(key.sweep);
  --sweep.open;
  count_end(sweep, key.index, outcome);
  if (sweep.rollout) sweep.rollout->done(key.index);
}

bool Ledger::holds(std::uint64_t worker, TaskKey key, std::uint32_t attempt) const {
  const Task* const task = find(key);
  return task != nullptr && task->state == State::kLeased && task->owner == worker &&
         task->attempt == attempt;
}

Verdict Ledger::on_result(TimePoint now, std::uint64_t from, TaskKey key, std::uint32_t attempt,
                          Outcome outcome, bool command_sent, bool way_lost) {
  now_ = now;
  const auto worker = workers_.find(from);
  if (worker == workers_.end()) return Verdict::kIgnore;  // it says Hello first, then this again
  Task* task = find(key);
  const bool current = task != nullptr && ((task->attempt == attempt && task->owner == from) ||
                                           BROKEN(kR19AnyAttemptTaken));
  if (current && task->state == State::kStoring) return Verdict::kIgnore;  // acknowledged when safe
  if (!current || task->state != State::kLeased) {
    if (current && std::exchange(task->lost, false)) {
      note(Noted::What::kLateResult, from, key, attempt, outcome);
    }
    if (!BROKEN(kR17RepeatedNotAcked)) acknowledge(from, key, attempt);
    return Verdict::kIgnore;
  }
  Sweep& sweep = sweeps_.at(key.sweep);
  unlease(key, *task);
  ++worker->second.done;
  const bool repeatable = !(sweep.never_twice && command_sent);
  const bool at_once = way_lost && !task->way_lost && sweep.retries > 0;
  if (may_retry(outcome, command_sent) && repeatable && !stopped(sweep, *task) &&
      (at_once || task->retries_used < sweep.retries)) {
    note(Noted::What::kRetry, from, key, attempt, outcome);
    if (at_once) {
      task->way_lost = true;
      requeue(key, *task, true);
    } else {
      retry_later(now, key, *task);
    }
    acknowledge(from, key, attempt);
    return Verdict::kRetry;
  }
  task->state = State::kStoring;
  count_end(sweep, key.index, outcome);
  if (outcome == Outcome::kAuthFailed) {
    ++sweep.auth_failures[task->credential];
    guard(key.sweep, task->credential);
  }
  return Verdict::kFinal;
}

void Ledger::stored(TaskKey key) {
  Task* task = find(key);
  if (task == nullptr || task->state != State::kStoring) return;
  task->state = State::kDone;
  Sweep& sweep = sweeps_.at(key.sweep);
  --sweep.open;
  if (sweep.rollout) sweep.rollout->done(key.index);
  acknowledge(task->owner, key, task->attempt);
}

// After too many refused logins: the sweep ends, and nothing more is started with that credential
// in any other sweep that runs now and has a guard.
void Ledger::guard(std::uint32_t number, std::uint16_t credential) {
  Sweep& sweep = sweeps_.at(number);
  if (BROKEN(kGuardAsleep)) return;
  const std::uint32_t failures = sweep.auth_failures[credential];
  if (sweep.max_auth_failures == 0 || failures < sweep.max_auth_failures) return;
  const std::string& name = sweep.credentials[credential];
  const std::string why = fmt::format("after {} refused login{} with credential '{}'", failures,
                                      failures == 1 ? "" : "s", name);
  if (!sweep.guarded) {
    sweep.guarded = true;
    actions_.push_back(Noted{
        .what = Noted::What::kGuard, .worker = {}, .task = {number, 0}, .credential = credential});
    end_unstarted(number, Outcome::kSkipped,
                  "not started: the authentication guard ended the sweep " + why);
  }
  for (auto& [other_number, other] : sweeps_) {
    const auto same = std::find(other.credentials.begin(), other.credentials.end(), name);
    if (other_number == number || other.max_auth_failures == 0 || same == other.credentials.end() ||
        BROKEN(kGuardOneSweep)) {
      continue;
    }
    lock_credential(other_number, static_cast<std::uint16_t>(same - other.credentials.begin()),
                    "not started: the authentication guard stopped another sweep " + why);
  }
}

void Ledger::lock_credential(std::uint32_t number, std::uint16_t credential,
                             const std::string& error) {
  Sweep& sweep = sweeps_.at(number);
  if (sweep.ending || !sweep.locked[credential].empty()) return;
  sweep.locked[credential] = error;
  actions_.push_back(Noted{
      .what = Noted::What::kGuard, .worker = {}, .task = {number, 0}, .credential = credential});
  for (std::uint32_t index = 0; index < sweep.tasks.size(); ++index) {
    Task& task = sweep.tasks[index];
    if (task.credential == credential && unstarted(task)) {
      end_task({number, index}, task, Outcome::kSkipped, error);
    }
  }
}

void Ledger::tick(TimePoint now) {
  now_ = now;
  expire_offers(now);
  while (!due_.empty() && due_.top().at <= now) {
    const Due due = due_.top();
    due_.pop();
    Task* task = find(due.task);
    if (task == nullptr || task->attempt != due.attempt) continue;
    if (task->state == State::kLeased) {
      if (task->until <= now) {
        lease_ended(due.task, *task);
      } else {
        due_.push({task->until, due.task, due.attempt});  // renewed meanwhile
      }
    } else if (task->state == State::kWaiting && task->until <= now) {
      task->state = State::kPending;
      queue(due.task);
    }
  }
  release_lingering(now);
  close_sweeps(now);
  step_rollouts(now);
  wake_parked(now);
  check_workers(now);
  check_lanes(now);
}

void Ledger::release_lingering(TimePoint now) {
  for (; !lingering_.empty() && lingering_.top().until <= now; lingering_.pop()) {
    limits_.release(lingering_.top().subject, false);
  }
}

TimePoint Ledger::next_deadline() const {
  TimePoint next = std::min({next_worker_check_, next_lane_check_, limits_.next_wake(now_)});
  if (!offers_due_.empty()) next = std::min(next, offers_due_.front().at);
  if (!due_.empty()) next = std::min(next, due_.top().at);
  if (!lingering_.empty()) next = std::min(next, lingering_.top().until);
  if (holding_until_ > now_) next = std::min(next, holding_until_);
  for (const auto& [number, sweep] : sweeps_) {
    if (sweep.ending || sweep.open == 0) continue;
    next = std::min(next, sweep.closes);
    if (sweep.rollout) next = std::min(next, sweep.rollout->next_deadline());
  }
  return next;
}

bool Ledger::finished(std::uint32_t sweep) const { return sweeps_.at(sweep).open == 0; }
bool Ledger::guarded(std::uint32_t sweep) const { return sweeps_.at(sweep).guarded; }

std::vector<Action> Ledger::take_actions() { return std::exchange(actions_, {}); }

}  // namespace netfleet

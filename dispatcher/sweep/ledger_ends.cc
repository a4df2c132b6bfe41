// What holds a sweep back, and what ends it before its time.
#include <algorithm>
#include <utility>

#include "common/breach.h"
#include "common/check.h"
#include "dispatcher/sweep/ledger.h"

namespace netfleet {
namespace {

constexpr const char* kInterrupted = "not started: interrupted";

}  // namespace

bool Ledger::held(const Sweep& sweep, std::uint32_t index) {
  return sweep.rollout && !sweep.rollout->may_start(index) && !BROKEN(kBatchesIgnored);
}

void Ledger::restore_rollout(Sweep& sweep, const std::vector<SweepPlan::Restored>& restored) {
  for (const SweepPlan::Restored& task : restored) {
    if (!task.outcome) continue;
    count_end(sweep, task.index, *task.outcome);
    sweep.rollout->done(task.index);
  }
  // Those that the roll-out or a guard ended were never begun. Where grants are not written down,
  // results tell.
  constexpr OutcomeSet kNotBegun = {Outcome::kSkipped, Outcome::kCancelled, Outcome::kDeferred,
                                    Outcome::kUnreachable};
  for (const SweepPlan::Restored& task : restored) {
    if (task.owner != 0 || (task.outcome && !kNotBegun.contains(*task.outcome))) {
      sweep.rollout->begun(task.index);
    }
  }
  sweep.rollout->catch_up();
}

void Ledger::count_end(Sweep& sweep, std::uint32_t index, Outcome outcome) {
  if (sweep.rollout && !BROKEN(kFailuresUncounted)) sweep.rollout->ended(index, outcome);
}

void Ledger::step_rollouts(TimePoint now) {
  for (auto& [number, sweep] : sweeps_) {
    while (sweep.rollout && !sweep.ending && sweep.open > 0) {
      Rollout::Step step = sweep.rollout->step(now);
      if (step.kind == Rollout::Step::Kind::kNone) break;
      take_step(number, sweep, std::move(step));
    }
  }
}

void Ledger::take_step(std::uint32_t number, Sweep& sweep, Rollout::Step step) {
  using Kind = Rollout::Step::Kind;
  const bool any_left = std::ranges::any_of(sweep.tasks, unstarted);
  if (step.kind == Kind::kBatch) {
    note_rollout(Noted::What::kBatch, number, std::move(step.why));
    return queue_pending(number, step.first, step.end);
  }
  // Nothing more of it is offered: what is parked or waits finds itself held when its time comes.
  for (Lane& lane : lanes_) lane.pending.erase(number);
  if (step.kind == Kind::kStop && any_left) return stop_rollout(number, step.why);
  // What runs may come back unfinished.
  if (step.kind == Kind::kStop) sweep.ending.emplace(Outcome::kSkipped, "not started: " + step.why);
  if (step.kind == Kind::kAsk && any_left) ask_once(number);
}

// When there is something left to ask about: maybe only once a task comes back unfinished.
void Ledger::ask_once(std::uint32_t number) {
  Sweep& sweep = sweeps_.at(number);
  if (!sweep.rollout->asks() || std::exchange(sweep.asked, true)) return;
  note_rollout(Noted::What::kRolloutAsks, number, sweep.rollout->why_held());
}

void Ledger::stop_rollout(std::uint32_t number, const std::string& why) {
  note_rollout(Noted::What::kRolloutStopped, number, why);
  end_unstarted(number, Outcome::kSkipped, "not started: " + why);
}

void Ledger::answer(std::uint32_t number, bool go_on) {
  const auto found = sweeps_.find(number);
  if (found == sweeps_.end() || !found->second.rollout || !found->second.rollout->asks()) return;
  Rollout& rollout = *found->second.rollout;
  if (!go_on) return stop_rollout(number, rollout.why_held());
  rollout.go_on();
  found->second.asked = false;
  queue_pending(number, 0, rollout.released());
}

void Ledger::queue_pending(std::uint32_t number, std::uint32_t first, std::uint32_t end) {
  const Sweep& sweep = sweeps_.at(number);
  for (std::uint32_t index = first; index < end; ++index) {
    if (sweep.tasks[index].state == State::kPending) queue({number, index});
  }
}

void Ledger::note_rollout(Noted::What what, std::uint32_t number, std::string why) {
  actions_.push_back(Noted{.what = what, .worker = {}, .task = {number, 0}, .why = std::move(why)});
}

void Ledger::end_unstarted(std::uint32_t number, Outcome outcome, const std::string& error) {
  Sweep& sweep = sweeps_.at(number);
  sweep.ending.emplace(outcome, error);
  for (std::uint32_t index = 0; index < sweep.tasks.size(); ++index) {
    Task& task = sweep.tasks[index];
    if (unstarted(task)) end_task({number, index}, task, outcome, error);
  }
  for (Lane& lane : lanes_) lane.pending.erase(number);
}

// Nobody began it, and nobody may any more: it ends as those that were left.
void Ledger::end_returned(TaskKey key, Task& task) {
  const Sweep& sweep = sweeps_.at(key.sweep);
  const End locked{Outcome::kSkipped, sweep.locked[task.credential]};
  const End& end = sweep.ending ? *sweep.ending : locked;
  task.state = State::kPending;
  end_task(key, task, end.first, end.second);
}

void Ledger::drain(std::uint32_t sweep) { end_unstarted(sweep, Outcome::kCancelled, kInterrupted); }

void Ledger::journal_failed(std::uint32_t sweep, const std::vector<TaskKey>& withheld) {
  const std::string error =
      "not started: the store cannot be written, and what is not written down could be repeated";
  if (!sweeps_.at(sweep).ending) end_unstarted(sweep, Outcome::kSkipped, error);
  for (const TaskKey key : withheld) {
    Task& task = task_at(key);
    if (task.state == State::kLeased) end_task(key, task, Outcome::kSkipped, error);
  }
}

// A grant that nobody was told of was none: no death, no login.
void Ledger::pause(const std::vector<TaskKey>& withheld) {
  paused_ = !BROKEN(kRoomIgnored);
  if (BROKEN(kWithheldNotTaken)) return;
  for (const TaskKey key : withheld) {
    Task* task = find(key);
    if (task == nullptr || task->state != State::kLeased) continue;
    unlease(key, *task);
    if (stopped(sweeps_.at(key.sweep), *task)) {
      end_returned(key, *task);
    } else {
      requeue(key, *task, true);
    }
  }
}

void Ledger::set_closing(std::uint32_t sweep, TimePoint closes) {
  if (const auto found = sweeps_.find(sweep); found != sweeps_.end()) {
    found->second.closes = closes;
  }
}

void Ledger::close_sweeps(TimePoint now) {
  for (auto& [number, sweep] : sweeps_) {
    if (BROKEN(kClosingIgnored)) return;
    if (sweep.closes > now || sweep.ending || sweep.open == 0) continue;
    if (std::ranges::any_of(sweep.tasks, unstarted)) {
      note_rollout(Noted::What::kClosed, number, sweep.why_closed);
    }
    end_unstarted(number, Outcome::kDeferred, "not started: " + sweep.why_closed);
  }
}

void Ledger::cancel_running(std::uint32_t sweep) {
  sweeps_.at(sweep).ending.emplace(Outcome::kCancelled, kInterrupted);
  sweeps_.at(sweep).cancelled = true;
  for (const auto& [incarnation, worker] : workers_) send_cancel(incarnation, sweep);
}

void Ledger::abandon(std::uint32_t number) {
  Sweep& sweep = sweeps_.at(number);
  for (std::uint32_t index = 0; index < sweep.tasks.size(); ++index) {
    Task& task = sweep.tasks[index];
    if (task.state == State::kDone || task.state == State::kStoring) continue;
    const bool ran = task.state == State::kLeased;
    if (ran) {
      unlease({number, index}, task, !BROKEN(kAbandonFreesAtOnce));
      task.state = State::kPending;
    }
    end_task({number, index}, task, Outcome::kCancelled,
             ran ? "stopped while it ran: interrupted twice" : kInterrupted);
  }
}

}  // namespace netfleet

// What is done to a dispatcher's sweeps from outside, and what must be true of it in the end.
#include <algorithm>

#include "tests/simulation/dispatcher.h"

namespace netfleet::simulation {

void Dispatcher::strike(Blow blow, std::uint32_t script) {
  if (!alive()) return;
  receive([this, blow, script] {
    for (Sweep& sweep : sweeps_) {
      if (sweep.script != script || sweep.over || sweep.forgotten) continue;
      if (blow == Blow::kMoveWindow) move_window(sweep);
      if (blow != Blow::kMoveWindow) end_early(sweep, blow);
    }
  });
}

void Dispatcher::end_early(Sweep& sweep, Blow blow) {
  trace_("dispatcher: sweep {} is {}", sweep.id,
         blow == Blow::kDrainSweep    ? "drained"
         : blow == Blow::kCancelSweep ? "cancelled"
                                      : "abandoned");
  books_.interrupted(sweep.id);
  if (blow == Blow::kAbandonSweep) return ledger_->abandon(sweep.number);
  ledger_->drain(sweep.number);
  if (blow == Blow::kCancelSweep) cancel(sweep);
}

// Somebody has set the clock.
void Dispatcher::move_window(Sweep& sweep) {
  if (sweep.closes == TimePoint::max()) return;
  const Nanoseconds after = random_.between(Nanoseconds(0), Nanoseconds(scenario_.lease));
  trace_("dispatcher: sweep {} closes in {:.3f} s", sweep.id, Seconds(after).count());
  sweep.has_closed |= sweep.closes <= now();
  sweep.closes = now() + after;
  ledger_->set_closing(sweep.number, sweep.closes);
}

// Lost Cancels are repeated, so sessions end within a few heartbeats and their own patience.
void Dispatcher::cancel(const Sweep& sweep) {
  ledger_->cancel_running(sweep.number);
  if (scenario_.kind != Kind::kLossy) return;
  const Nanoseconds soon = Nanoseconds(scenario_.heartbeat) * 6 + std::chrono::seconds(4) +
                           (scenario_.latest + scenario_.latency) * 3;
  loop_.after(soon, [this, id = sweep.id] { books_.check_cancelled(id); });
}

// Whoever is asked answers after a while.
void Dispatcher::on_rollout(const Noted& noted) {
  if (noted.why.empty()) return;
  trace_("dispatcher: sweep {}: {}", noted.task.sweep, noted.why);
  if (noted.what != Noted::What::kRolloutAsks) return;
  const bool go_on = random_.chance(0.6);
  const auto answer = [this, go_on, number = noted.task.sweep, life = life()] {
    if (!alive() || this->life() != life) return;
    receive([this, go_on, number] {
      const Sweep* sweep = sweep_of(number);
      if (sweep == nullptr || sweep->over) return;
      if (go_on) books_.brakes(sweep->id).went_on();
      ledger_->answer(number, go_on);
    });
  };
  loop_.after(random_.between(Nanoseconds(0), std::chrono::seconds(3)), answer);
}

void Dispatcher::check_acknowledged(const v1::TaskRef& ref, std::uint64_t incarnation) const {
  const TaskKey key = key_of(ref);
  const SweepPlan::Restored* safe = disk_->find(key);
  if (scenario_.may_lose_grants || safe == nullptr || safe->outcome) return;
  if (safe->owner == incarnation && safe->attempt == ref.attempt() &&
      !ended_without_.contains(key)) {
    books_.fail("acknowledged is stored",
                fmt::format("{}/{} attempt {}", key.sweep, key.index, ref.attempt()));
  }
}

bool Dispatcher::all_over() const {
  if (!due_.empty()) return false;
  for (std::uint32_t script = 0; script < scenario_.sweeps.size(); ++script) {
    const bool over = std::any_of(sweeps_.begin(), sweeps_.end(), [&](const Sweep& sweep) {
      return sweep.script == script && sweep.over && sweep.ended > Nanoseconds(0);
    });
    if (!over) return false;
  }
  return true;
}

std::string Dispatcher::what_is_open() const {
  std::string text = fmt::format("{} leased, limits full:", ledger_->running());
  for (const std::string& limit : ledger_->limits_full()) text += " " + limit;
  for (const WorkerView& view : ledger_->workers()) {
    text += fmt::format("; {} {} free{}", view.name, view.free, view.silent ? " silent" : "");
  }
  return text;
}

void Dispatcher::check_at_end() {
  ledger_->audit();
  if (ledger_->running() != 0) books_.fail("the books balance", "tasks are leased in the end");
  for (const WorkerView& view : ledger_->workers()) {
    if (view.running != 0) books_.fail("the books balance", view.name + " holds a lease");
  }
  std::size_t tasks = 0;
  for (const SweepScript& sweep : scenario_.sweeps) tasks += sweep.hosts.size();
  if (scenario_.kind == Kind::kCalm && declines_ > 20 * tasks + 200) {
    books_.fail("offers follow credit", fmt::format("{} declines of {} tasks", declines_, tasks));
  }
}

}  // namespace netfleet::simulation

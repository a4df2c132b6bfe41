// A dispatcher and its disk: what its sweeps' recorders write, what it does at their news, and
// while there is no room.
#include <algorithm>

#include "common/breach.h"
#include "tests/simulation/dispatcher.h"

namespace netfleet::simulation {
namespace {

constexpr Milliseconds kTryAgain{2000};

}  // namespace

void Dispatcher::fill_disk(Nanoseconds length) {
  disk_full_until_ = std::max(disk_full_until_, loop_.now() + length);
}

void Dispatcher::store(TaskKey key, std::uint32_t attempt, Outcome outcome) {
  if (!ended_.insert(key).second) books_.fail("a task ends once", host_of(key).text());
  recorders_[key.sweep].waiting.push_back({.task = key, .attempt = attempt, .outcome = outcome});
}

// Each sweep has its own recorder: none waits for another one's.
void Dispatcher::begin_commits() {
  for (auto& [number, recorder] : recorders_) {
    if (recorder.batch > 0 || recorder.waiting.empty()) continue;
    recorder.batch = recorder.waiting.size();
    const bool slow = random_.chance(0.02) && scenario_.kind == Kind::kStorm;
    const Nanoseconds takes = random_.between(Nanoseconds(50'000), Milliseconds(slow ? 800 : 8));
    loop_.after(takes, [this, number, life = life()] {
      if (alive() && this->life() == life) write(number);
    });
  }
}

void Dispatcher::write(std::uint32_t number) {
  Recorder& recorder = recorders_.at(number);
  if (loop_.now() < disk_full_until_) {
    if (!recorder.stalled) trace_("dispatcher: no room for sweep {}", number);
    recorder.stalled = true;
    loop_.after(kTryAgain, [this, number, life = life()] {
      if (alive() && this->life() == life) write(number);
    });
    return tell_news();
  }
  for (std::size_t i = 0; i < recorder.batch; ++i) {
    const Entry& entry = recorder.waiting[i];
    if (entry.outcome) recorder.stored.push_back(entry.task);
    if (!entry.outcome) ++recorder.journaled;
  }
  disk_->commit(recorder.waiting, std::exchange(recorder.batch, 0),
                (scenario_.durable && !BROKEN(kR13ChangesNotSynced)) || random_.chance(0.05));
  if (disk_->again() > 0) books_.fail("a task is final once", std::to_string(number));
  recorder.stalled = false;
  tell_news();
}

// A turn, soon or when it goes on; one that begins before finds the news, too.
void Dispatcher::tell_news() {
  loop_.after(random_.between(Nanoseconds(0), Milliseconds(1)), [this, life = life()] {
    if (alive() && this->life() == life) receive([] {});
  });
}

void Dispatcher::collect_news() {
  for (auto& [number, recorder] : recorders_) {
    if (!BROKEN(kR12GrantBeforeJournal)) gate_.journaled(number, recorder.journaled);
    for (const TaskKey key : std::exchange(recorder.stored, {})) {
      Sweep& sweep = *sweep_of(number);
      ledger_->stored(key);
      books_.brakes(sweep.id).done(key.index);
      auto& [order, shown] = orders_.at(number);
      for (const std::uint32_t index : order.arrived(key.index)) shown.push_back(index);
      ++sweep.done;
    }
  }
  mind_room();
}

void Dispatcher::mind_room() {
  const bool stalled =
      std::ranges::any_of(recorders_, [](const auto& recorder) { return recorder.second.stalled; });
  if (stalled == std::exchange(stalled_, stalled)) return;
  trace_("dispatcher: there is {}room", stalled ? "no " : "");
  if (!stalled) return ledger_->go_on();
  if (!BROKEN(kWithheldTooEarly)) collect();  // so that what was granted just now is among them
  ledger_->pause(gate_.withhold());
}

void Dispatcher::finish_sweeps() {
  for (Sweep& sweep : sweeps_) {
    if (sweep.over || sweep.number == 0) continue;
    const auto hosts = static_cast<std::uint32_t>(scenario_.sweeps[sweep.script].hosts.size());
    if (sweep.done * 2 >= hosts && sweep.half_done == Nanoseconds(0)) {
      sweep.half_done = loop_.now();
      for (const Sweep& other : sweeps_) sweep.done_at_half.push_back(other.done);
    }
    if (!sweep.forgotten && ledger_->finished(sweep.number) && !gate_.holds_end(sweep.number)) {
      sweep.forgotten = true;
      ledger_->forget_sweep(sweep.number);
      gate_.forget(sweep.number);
    }
    if (sweep.done < hosts) continue;
    sweep.over = true;
    sweep.ended = loop_.now();
    trace_("dispatcher: sweep {} is over", sweep.id);
    if (!sweep.forgotten) books_.fail("a sweep ends with its tasks", std::to_string(sweep.id));
    const auto& shown = orders_.at(sweep.number).second;
    for (std::uint32_t index = 0; index < hosts; ++index) {
      if (shown.size() != hosts || shown[index] != index) {
        books_.fail("inventory order", fmt::format("sweep {}", sweep.id));
      }
    }
  }
}

}  // namespace netfleet::simulation

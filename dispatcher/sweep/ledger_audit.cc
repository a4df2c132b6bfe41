// The ledger counts itself: for tests and for the simulation.
#include <algorithm>
#include <span>

#include "common/check.h"
#include "dispatcher/sweep/ledger.h"

namespace netfleet {

void Ledger::audit() const {
  struct Sums {
    std::uint32_t offered = 0, credit = 0, workers = 0;
  };
  std::vector<Sums> lanes(lanes_.size());
  std::uint32_t leased = 0;
  for (const auto& [number, sweep] : sweeps_) {
    std::uint32_t open = 0, in_flight = 0;
    const std::uint32_t leased_before = leased;
    for (const Task& task : sweep.tasks) {
      open += task.state != State::kDone ? 1 : 0;
      leased += task.state == State::kLeased ? 1 : 0;
      lanes[task.lane].offered += task.state == State::kOffered ? 1 : 0;
      in_flight += task.state == State::kLeased || task.state == State::kOffered ? 1 : 0;
    }
    CHECK(open == sweep.open);
    CHECK(leased - leased_before == sweep.leased);
    if (sweep.rollout) {
      const auto released = std::span(sweep.tasks).first(sweep.rollout->released());
      const auto undone = std::ranges::count_if(
          released, [](const Task& task) { return task.state != State::kDone; });
      CHECK(sweep.rollout->open() == static_cast<std::uint32_t>(undone));
    }
    CHECK(in_flight == sweep.in_flight);
  }
  CHECK(leased == leased_);
  for (const auto& [incarnation, worker] : workers_) {
    CHECK(worker.free <= worker.slots);
    for (const std::uint16_t lane : worker.lanes) {
      lanes[lane].credit += worker.free;
      lanes[lane].workers += worker.suspect ? 0 : 1;
    }
    for (const TaskKey key : worker.leased) {
      const auto sweep = sweeps_.find(key.sweep);
      CHECK(sweep != sweeps_.end());
      const Task& task = sweep->second.tasks[key.index];
      CHECK(task.state == State::kLeased && task.owner == incarnation);
    }
  }
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    CHECK(lanes[lane].offered == lanes_[lane].offered);
    CHECK(lanes[lane].credit == lanes_[lane].credit);
    CHECK(lanes[lane].workers == lanes_[lane].workers);
  }
  audit_limits();
}

// What is offered, leased or lingers, and nothing else, is counted by its limits.
void Ledger::audit_limits() const {
  std::vector<std::uint32_t> used(limits_.used().size());
  const auto count = [&](std::uint16_t set) {
    for (const std::uint16_t limit : limits_.in_set(set)) ++used[limit];
  };
  for (const auto& [number, sweep] : sweeps_) {
    for (const Task& task : sweep.tasks) {
      if (task.state == State::kLeased || task.state == State::kOffered) count(task.limits);
    }
  }
  for (auto lingering = lingering_; !lingering.empty(); lingering.pop()) {
    count(lingering.top().subject.set);
  }
  CHECK(used == limits_.used());
}

}  // namespace netfleet

// tests/simulation: the dispatcher's store as its journal: what is in its log is safe from the end
// of the process, and a part of it from a power cut.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "dispatcher/sweep/ledger.h"
#include "tests/simulation/random.h"

namespace netfleet::simulation {

struct Entry {
  TaskKey task;
  std::uint32_t attempt = 1;
  std::uint64_t owner = 0;
  std::uint8_t deaths = 0;
  std::uint8_t retries_used = 0;
  std::optional<Outcome> outcome;  // a result, not a grant
};

class Disk {
 public:
  explicit Disk(std::uint64_t identity) : identity_(identity) {}

  std::uint64_t identity() const { return identity_; }
  // Takes the first `count` of what waits. Results of tasks that have one already are counted in
  // again().
  void commit(std::deque<Entry>& waiting, std::size_t count, bool synced) {
    for (; count > 0; --count, waiting.pop_front()) {
      log_.push_back(waiting.front());
      again_ += apply(safe_, log_.back()) ? 0 : 1;
    }
    if (synced) synced_ = log_.size();
  }
  std::size_t again() const { return again_; }
  void power_cut(Random& random) {
    const auto left = random.between(static_cast<std::uint32_t>(synced_),
                                     static_cast<std::uint32_t>(log_.size()));
    log_.resize(left);
    synced_ = left;
    safe_.clear();
    for (const Entry& entry : log_) apply(safe_, entry);
  }

  // What is safe from the end of the process.
  const SweepPlan::Restored* find(TaskKey task) const {
    const auto found = safe_.find(task);
    return found == safe_.end() ? nullptr : &found->second;
  }
  std::vector<SweepPlan::Restored> restored(std::uint32_t sweep) const {
    std::vector<SweepPlan::Restored> found;
    for (auto one = safe_.lower_bound({sweep, 0}); one != safe_.end() && one->first.sweep == sweep;
         ++one) {
      found.push_back(one->second);
    }
    return found;
  }
  // Above every attempt that a life on this disk can have begun; raised after each power cut, and
  // synced before it is used.
  std::uint32_t least_attempt(std::uint32_t sweep, bool raise) {
    std::uint32_t& least = least_attempts_.try_emplace(sweep, 1).first->second;
    if (!raise) return least;
    for (const auto& task : restored(sweep)) least = std::max(least, task.attempt);
    return least += 16;
  }
  // Results in the order in which they became safe.
  std::vector<std::uint32_t> results(std::uint32_t sweep) const {
    std::vector<std::uint32_t> indexes;
    for (const Entry& entry : log_) {
      if (entry.outcome && entry.task.sweep == sweep) indexes.push_back(entry.task.index);
    }
    return indexes;
  }

 private:
  using Tasks = std::map<TaskKey, SweepPlan::Restored>;
  // False: a second result.
  static bool apply(Tasks& tasks, const Entry& entry) {
    SweepPlan::Restored& task = tasks[entry.task];
    task.index = entry.task.index;
    if (task.outcome) return !entry.outcome;  // the first one counts
    task.attempt = entry.attempt;
    if (entry.outcome) {
      task.outcome = entry.outcome;
      return true;
    }
    task.owner = entry.owner;
    task.deaths = entry.deaths;
    task.retries_used = entry.retries_used;
    return true;
  }

  std::uint64_t identity_;
  std::vector<Entry> log_;
  std::size_t synced_ = 0;
  std::size_t again_ = 0;
  Tasks safe_;
  std::map<std::uint32_t, std::uint32_t> least_attempts_;  // by sweep
};

}  // namespace netfleet::simulation

#include "dispatcher/fleet/action_gate.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace netfleet {

std::vector<Journal> ActionGate::add(std::vector<Action> actions) {
  std::vector<Journal> entries;
  for (Action& action : actions) {
    if (const auto* send = std::get_if<SendToWorker>(&action);
        send != nullptr && send->message.has_renewal()) {
      renewals_.push_back(std::move(action));
      continue;
    }
    std::uint64_t ordinal = 0;
    if (const auto* entry = std::get_if<Journal>(&action)) {
      entries.push_back(*entry);
      ordinal = ++seen_[entry->task.sweep];
    }
    waiting_.push_back({std::move(action), ordinal});
  }
  return entries;
}

bool ActionGate::is_safe(const Journal& entry, std::uint64_t ordinal) const {
  const auto safe = safe_.find(entry.task.sweep);
  return safe != safe_.end() && ordinal <= safe->second;
}

std::vector<Action> ActionGate::take() {
  std::vector<Action> released = std::exchange(renewals_, {});
  for (; !waiting_.empty(); waiting_.pop_front()) {
    Waiting& next = waiting_.front();
    const auto* entry = std::get_if<Journal>(&next.action);
    if (entry != nullptr && !is_safe(*entry, next.ordinal)) break;
    if (entry == nullptr) released.push_back(std::move(next.action));
  }
  return released;
}

std::vector<Journal> ActionGate::unsafe(const std::function<bool(const Journal&)>& which) const {
  std::vector<Journal> entries;
  for (const Waiting& waiting : waiting_) {
    const auto* entry = std::get_if<Journal>(&waiting.action);
    if (entry != nullptr && !is_safe(*entry, waiting.ordinal) && which(*entry)) {
      entries.push_back(*entry);
    }
  }
  return entries;
}

// One that its owner asked for again has no entry of its own, and was told: it stays.
void ActionGate::drop_grants(const std::vector<Journal>& entries) {
  std::set<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>> dropped;
  for (const Journal& entry : entries) {
    if (entry.owner != 0) dropped.emplace(entry.task.sweep, entry.task.index, entry.attempt);
  }
  const auto emptied = [&dropped](Waiting& waiting) {
    auto* send = std::get_if<SendToWorker>(&waiting.action);
    if (send == nullptr || !send->message.has_grant()) return false;
    auto& tasks = *send->message.mutable_grant()->mutable_tasks();
    const auto kept = std::remove_if(tasks.begin(), tasks.end(), [&](const v1::TaskSpec& task) {
      const v1::TaskRef& ref = task.task();
      return dropped.contains({ref.sweep(), ref.index(), ref.attempt()});
    });
    tasks.erase(kept, tasks.end());
    return tasks.empty();
  };
  std::erase_if(waiting_, emptied);
}

std::vector<Journal> ActionGate::give_up(std::uint32_t sweep) {
  std::vector<Journal> entries =
      unsafe([sweep](const Journal& entry) { return entry.task.sweep == sweep; });
  drop_grants(entries);
  std::erase_if(waiting_, [sweep](const Waiting& waiting) {
    const auto* entry = std::get_if<Journal>(&waiting.action);
    return entry != nullptr && entry->task.sweep == sweep;
  });
  return entries;
}

std::vector<TaskKey> ActionGate::withhold() {
  const auto entries = unsafe([](const Journal& entry) { return entry.owner != 0; });
  drop_grants(entries);
  std::vector<TaskKey> tasks;
  for (const Journal& entry : entries) tasks.push_back(entry.task);
  return tasks;
}

bool ActionGate::holds_end(std::uint32_t sweep) const {
  return std::ranges::any_of(waiting_, [sweep](const Waiting& waiting) {
    const auto* ended = std::get_if<TaskEnded>(&waiting.action);
    return ended != nullptr && ended->task.sweep == sweep;
  });
}

void ActionGate::forget(std::uint32_t sweep) {
  give_up(sweep);
  seen_.erase(sweep);
  safe_.erase(sweep);
}

}  // namespace netfleet

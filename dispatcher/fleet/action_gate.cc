#include "dispatcher/fleet/action_gate.h"

#include <algorithm>
#include <utility>

#include "common/breach.h"

namespace netfleet {

namespace {

bool passes(const v1::ToWorker& message) {
  return message.has_renewal() ||
         ((message.has_welcome() || message.has_hello_again()) && !BROKEN(kWelcomeWaits));
}

}  // namespace

std::vector<Journal> ActionGate::add(std::vector<Action> actions) {
  std::vector<Journal> entries;
  for (Action& action : actions) {
    if (const auto* send = std::get_if<SendToWorker>(&action);
        send != nullptr && passes(send->message)) {
      passing_.push_back(std::move(action));
      continue;
    }
    std::uint64_t ordinal = 0;
    if (const auto* entry = std::get_if<Journal>(&action)) {
      entries.push_back(*entry);
      if (entry->owner != 0) untold_[entry->task] = entry->attempt;
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
  std::vector<Action> released = std::exchange(passing_, {});
  for (; !waiting_.empty(); waiting_.pop_front()) {
    Waiting& next = waiting_.front();
    const auto* entry = std::get_if<Journal>(&next.action);
    if (entry != nullptr && !is_safe(*entry, next.ordinal)) break;
    if (entry != nullptr) continue;
    if (const auto* send = std::get_if<SendToWorker>(&next.action)) told(send->message.grant());
    released.push_back(std::move(next.action));
  }
  return released;
}

void ActionGate::told(const v1::Grant& grant) {
  for (const v1::TaskSpec& task : grant.tasks()) {
    const auto granted = untold_.find(key_of(task.task()));
    if (granted != untold_.end() && granted->second == task.task().attempt()) {
      untold_.erase(granted);
    }
  }
}

// One that its owner asked for again, and was told of before, is not among them: it stays.
void ActionGate::drop_grants(const std::map<TaskKey, std::uint32_t>& attempts) {
  const auto emptied = [&attempts](Waiting& waiting) {
    auto* send = std::get_if<SendToWorker>(&waiting.action);
    if (send == nullptr || !send->message.has_grant()) return false;
    auto& tasks = *send->message.mutable_grant()->mutable_tasks();
    const auto kept = std::remove_if(tasks.begin(), tasks.end(), [&](const v1::TaskSpec& task) {
      const auto dropped = attempts.find(key_of(task.task()));
      return dropped != attempts.end() && dropped->second == task.task().attempt();
    });
    tasks.erase(kept, tasks.end());
    return tasks.empty();
  };
  std::erase_if(waiting_, emptied);
}

std::vector<Journal> ActionGate::give_up(std::uint32_t sweep) {
  std::vector<Journal> entries;
  std::map<TaskKey, std::uint32_t> granted;
  std::erase_if(waiting_, [&](const Waiting& waiting) {
    const auto* entry = std::get_if<Journal>(&waiting.action);
    if (entry == nullptr || entry->task.sweep != sweep) return false;
    if (is_safe(*entry, waiting.ordinal)) return true;
    entries.push_back(*entry);
    if (entry->owner != 0) granted[entry->task] = entry->attempt;
    return true;
  });
  drop_grants(granted);
  for (const auto& [task, attempt] : granted) untold_.erase(task);
  return entries;
}

// Those whose own entry is safe, too: they stand behind one that is not.
std::vector<TaskKey> ActionGate::withhold() {
  const auto untold = std::exchange(untold_, {});
  if (!BROKEN(kWithheldTold)) drop_grants(untold);
  std::vector<TaskKey> tasks;
  for (const auto& [task, attempt] : untold) tasks.push_back(task);
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

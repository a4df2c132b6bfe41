#include "dispatcher/fleet/action_gate.h"

#include <algorithm>
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
    if (const auto* entry = std::get_if<Journal>(&action)) {
      entries.push_back(*entry);
      ++entries_;
    }
    waiting_.push_back({entries_, std::move(action)});
  }
  return entries;
}

std::vector<Action> ActionGate::take(std::uint64_t journaled) {
  safe_ = std::max(safe_, journaled);
  std::vector<Action> released = std::exchange(renewals_, {});
  while (!waiting_.empty() && waiting_.front().needs <= safe_) {
    if (!std::holds_alternative<Journal>(waiting_.front().action)) {
      released.push_back(std::move(waiting_.front().action));
    }
    waiting_.pop_front();
  }
  return released;
}

std::vector<Journal> ActionGate::give_up() {
  std::vector<Journal> unsafe;
  const auto dropped = [&unsafe](const Waiting& waiting) {
    if (const auto* entry = std::get_if<Journal>(&waiting.action)) {
      unsafe.push_back(*entry);
      return true;
    }
    const auto* send = std::get_if<SendToWorker>(&waiting.action);
    return send != nullptr && send->message.has_grant();
  };
  std::erase_if(waiting_, dropped);
  safe_ = entries_;
  return unsafe;
}

}  // namespace netfleet

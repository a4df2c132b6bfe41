// What the ledger wants done, done by the hub.
#include <algorithm>
#include <utility>

#include "common/secret.h"
#include "dispatcher/fleet/grants.h"
#include "dispatcher/fleet/hub.h"
#include "dispatcher/fleet/log.h"

namespace netfleet {

void Hub::act() {
  for (const Journal& entry : gate_.add(ledger_.take_actions())) {
    if (Live* live = find(entry.task.sweep)) {
      live->recorder->journal({.index = entry.task.index,
                               .attempt = entry.attempt,
                               .owner = entry.owner,
                               .deaths = entry.deaths,
                               .retries_used = entry.retries_used});
    }
  }
  for (auto& [number, live] : sweeps_) {
    if (live.journal_failed && !live.ending) withhold(number);
  }
  for (Action& action : gate_.take()) {
    std::visit([this](auto& one) { act(one); }, action);
  }
}

// What was granted and is not on the disk has not been told to anybody, and never will be: after a
// restart nobody would know who runs it.
void Hub::withhold(std::uint32_t number) {
  std::vector<TaskKey> withheld;
  for (const Journal& entry : gate_.give_up(number)) {
    if (entry.owner != 0) withheld.push_back(entry.task);
  }
  ledger_.journal_failed(number, withheld);
  gate_.add(ledger_.take_actions());
  gate_.give_up(number);
}

void Hub::act(const Journal&) {}  // the gate keeps them

void Hub::act(SendToWorker& action) {
  const std::string to = routing_id(action.incarnation);
  if (action.message.has_grant()) return grant(to, action.message);
  if (action.message.has_job()) {
    const std::uint32_t number = action.message.job().sweep();
    const Live* live = find(number);
    if (live == nullptr) return;
    *action.message.mutable_job() = to_wire(live->run.job, number);
  }
  send_to(to, action.message);
  if (!action.message.has_welcome()) return;
  for (const auto& [name, credential] : options_.credentials) {
    send_credential(to, name, *credential);
  }
}

void Hub::grant(const std::string& to, v1::ToWorker& message) {
  auto& tasks = *message.mutable_grant()->mutable_tasks();
  const auto kept = std::remove_if(tasks.begin(), tasks.end(), [this](const v1::TaskSpec& task) {
    return find(task.task().sweep()) == nullptr;  // it has ended meanwhile
  });
  tasks.erase(kept, tasks.end());
  send_grant(
      message,
      [this](TaskKey key) -> const TaskSpec& { return find(key.sweep)->run.tasks[key.index]; },
      [&](const v1::ToWorker& part) { send_to(to, part); });
}

void Hub::send_credential(const std::string& to, const std::string& name,
                          const Credential& credential) {
  v1::ToWorker message;
  message.mutable_credential()->set_name(name);
  const std::string_view password = credential.password.reveal();
  const std::string_view enable = credential.enable_password.reveal();
  std::string plain;
  plain.reserve(password.size() + 1 + enable.size());
  plain.append(password).append(1, '\0').append(enable);
  send_to(to, message, plain);
  wipe(plain.data(), plain.size());
}

void Hub::act(const TaskEnded& ended) {
  Live* live = find(ended.task.sweep);
  if (live == nullptr) return;
  TaskResult result;
  result.index = ended.task.index;
  result.attempt = ended.attempt;
  result.outcome = ended.outcome;
  result.error = ended.error;
  result.worker = ended.worker;
  result.platform = live->run.tasks[ended.task.index].platform;
  live->parts.forget(ended.task.index);
  record(ended.task.sweep, std::move(result));
}

void Hub::act(const Noted& noted) {
  if (noted.what == Noted::What::kRetry) {
    ++figures_.retries;
    return;  // logged with its error where the result came in
  }
  if (noted.what == Noted::What::kLeaseEnded) ++figures_.leases_lost;
  if (!is_warning(noted.what) && noted.why.empty() && !options_.verbose) return;
  LogSubject subject = subject_of(noted.task);
  subject.region_timeout = options_.ledger.region_timeout;
  if (noted.what == Noted::What::kRegionWaits) {
    for (const auto& [number, live] : sweeps_) {
      subject.region_hosts += static_cast<std::uint32_t>(
          std::ranges::count(live.run.tasks, noted.worker, &TaskSpec::region));
    }
  }
  log(log_noted(noted, subject));
  if (noted.what == Noted::What::kRolloutAsks) {
    Live* live = find(noted.task.sweep);
    if (live != nullptr && live->run.question != nullptr) live->run.question->ask();
  }
}

LogSubject Hub::subject_of(TaskKey task) const {
  const auto live = sweeps_.find(task.sweep);
  if (live == sweeps_.end() || task.index >= live->second.run.tasks.size()) return {};
  const SweepRun& run = live->second.run;
  return {run.job.sweep, run.tasks[task.index].host.str()};
}

}  // namespace netfleet

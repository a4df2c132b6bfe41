#include "dispatcher/fleet/sweep_plan.h"

#include <map>

#include "common/check.h"
#include "dispatcher/fleet/hub.h"

namespace netfleet {
namespace {

// The ledger's numbers of the sweep's sets of limits.
std::vector<std::uint16_t> add_limits(const LimitPlan& plan, Limits& limits) {
  std::vector<std::uint16_t> numbers;
  for (const LimitSpec& limit : plan.limits) numbers.push_back(limits.add(limit));
  std::vector<std::uint16_t> sets;
  for (std::vector<std::uint16_t> set : plan.sets) {
    for (std::uint16_t& limit : set) limit = numbers[limit];
    sets.push_back(limits.add_set(std::move(set)));
  }
  return sets;
}

void add_tasks(SweepPlan& plan, const SweepRun& run, PlanSharing sharing, Ledger& ledger) {
  const std::vector<std::uint16_t> sets = add_limits(run.limits, ledger.limits());
  const std::vector<std::uint64_t> devices =
      sharing.many_sweeps ? all_devices(run.tasks) : shared_devices(run.tasks);
  std::map<std::string, std::uint16_t, std::less<>> credentials;
  const TaskSpec* before = nullptr;  // neighbours mostly agree
  plan.tasks.reserve(run.tasks.size());
  for (const TaskSpec& task : run.tasks) {
    SweepPlan::Task planned;
    if (before != nullptr && before->credential == task.credential &&
        before->region == task.region) {
      planned.lane = plan.tasks.back().lane;
      planned.credential = plan.tasks.back().credential;
    } else {
      const auto next = static_cast<std::uint16_t>(credentials.size());
      const auto [entry, added] = credentials.try_emplace(task.credential.str(), next);
      if (added) plan.credentials.push_back(entry->first);
      planned.lane = sharing.any_region ? 0 : ledger.add_lane(task.region);
      planned.credential = entry->second;
    }
    before = &task;
    if (!run.limits.set_of_task.empty()) {
      planned.subject.set = sets[run.limits.set_of_task[task.index]];
    }
    if (!run.not_before.empty()) planned.not_before = run.not_before[task.index];
    if (!devices.empty()) planned.subject.device = devices[task.index];
    plan.tasks.push_back(planned);
  }
  CHECK(credentials.size() < UINT16_MAX);
}

}  // namespace

SweepPlan make_sweep_plan(const SweepRun& run, PlanSharing sharing, Ledger& ledger) {
  CHECK(run.not_before.empty() || run.not_before.size() == run.tasks.size());
  CHECK(run.limits.set_of_task.empty() || run.limits.set_of_task.size() == run.tasks.size());
  SweepPlan plan;
  plan.sweep = run.number;
  plan.changes_device = run.job.changes_device;
  plan.retries = run.retries;
  plan.max_auth_failures = run.max_auth_failures;
  plan.retry_unsafe = run.retry_unsafe;
  plan.journaled = run.journaled;
  plan.lease_before = run.lease_before;
  plan.journal_uncertain = run.journal_uncertain;
  plan.least_attempt = run.least_attempt;
  plan.rollout = run.rollout;
  for (const TaskState& state : run.states) {
    const GrantRecord& grant = state.grant;
    plan.restored.push_back(
        {grant.index, grant.attempt, grant.owner, grant.deaths, grant.retries_used, state.outcome});
  }
  plan.closes = run.closes;
  plan.why_closed = run.why_closed;
  add_tasks(plan, run, sharing, ledger);
  return plan;
}

}  // namespace netfleet

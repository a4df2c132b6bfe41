// dispatcher/sweep: from hosts to tasks. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/task.h"
#include "dispatcher/inventory/inventory.h"
#include "dispatcher/sweep/limits.h"

namespace netfleet {

// What the command line says of every host. The inventory's own user, port and credential go before
// these; a platform given here goes before the inventory's.
struct PlanDefaults {
  std::string user;
  std::uint16_t port = 22;
  std::string platform;  // empty: the inventory's, else auto
  std::string credential = "default";
};

// One task a host, in order; index = position.
std::vector<TaskSpec> plan_tasks(const std::vector<Host>& hosts, const PlanDefaults& defaults);

// The distinct regions of the tasks, in order of appearance.
std::vector<std::string> regions_of(std::span<const TaskSpec> tasks);

// The limits of a sweep, and which of them each task is under.
struct LimitPlan {
  std::vector<LimitSpec> limits;
  std::vector<std::vector<std::uint16_t>> sets;  // of positions in `limits`; [0] is the empty one
  std::vector<std::uint16_t> set_of_task;        // by index, positions in `sets`; empty: no limits
};

// `inventory` has its limits resolved; `hosts` are those of it that become tasks, in order.
LimitPlan plan_limits(const Inventory& inventory, const std::vector<Host>& hosts);

// By index, what Limits::Subject::device says of each task: tasks of one region that log in to the
// same address and port, directly or from the same jump hosts, have the same number, those that are
// alone with theirs have 0. Empty when all are alone. Names are compared, not what they resolve to.
std::vector<std::uint64_t> shared_devices(std::span<const TaskSpec> tasks);
// The same where other sweeps may run meanwhile: each task has its device's number.
std::vector<std::uint64_t> all_devices(std::span<const TaskSpec> tasks);

}  // namespace netfleet

// dispatcher/sweep: from hosts to tasks. Pure.
#pragma once

#include <string>
#include <vector>

#include "common/task.h"
#include "dispatcher/inventory/inventory.h"

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
std::vector<std::string> regions_of(const std::vector<TaskSpec>& tasks);

}  // namespace netfleet

#include "dispatcher/sweep/plan.h"

#include <algorithm>

namespace netfleet {

std::vector<TaskSpec> plan_tasks(const std::vector<Host>& hosts, const PlanDefaults& defaults) {
  std::vector<TaskSpec> tasks;
  tasks.reserve(hosts.size());
  for (const Host& host : hosts) {
    TaskSpec task;
    task.index = static_cast<std::uint32_t>(tasks.size());
    task.host = host.name;
    task.address = host.address;
    task.port = host.port != 0 ? host.port : defaults.port;
    task.user = host.user.empty() ? defaults.user : host.user;
    task.platform = !defaults.platform.empty() ? defaults.platform : host.platform;
    if (task.platform.empty()) task.platform = "auto";
    task.region = host.region;
    task.credential = host.credential.empty() ? defaults.credential : host.credential;
    tasks.push_back(std::move(task));
  }
  return tasks;
}

std::vector<std::string> regions_of(const std::vector<TaskSpec>& tasks) {
  std::vector<std::string> regions;
  for (const TaskSpec& task : tasks) {
    if (std::find(regions.begin(), regions.end(), task.region) == regions.end()) {
      regions.push_back(task.region);
    }
  }
  return regions;
}

}  // namespace netfleet

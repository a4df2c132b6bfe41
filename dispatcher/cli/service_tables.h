// dispatcher/cli: what a long-lived dispatcher says of itself, as people read it. Formatting only.
#pragma once

#include <string>
#include <vector>

#include "dispatcher/api/client_messages.h"

namespace netfleet {

// "netfleet 0.1.0 at URL: 3 workers, ...", then what is wrong, a line each.
std::string render_health(const Health& health, const std::string& url);
std::string render_sweeps(const std::vector<SweepView>& sweeps);
// Some lines about one.
std::string render_sweep(const SweepView& sweep);
std::string render_schedules(const std::vector<ScheduleView>& schedules);
// With those that have no schedule, and what is wrong with their files.
std::string render_jobs(const std::vector<JobView>& jobs,
                        const std::vector<ScheduleView>& schedules);
std::string render_firings(const std::vector<FiringView>& firings);

}  // namespace netfleet

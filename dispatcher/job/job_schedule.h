// dispatcher/job: when a job becomes a sweep, as its file says it. What that means is
// dispatcher/schedule's.
#pragma once

#include <string>
#include <vector>

#include "common/problems.h"
#include "common/yaml_tree.h"
#include "dispatcher/schedule/agenda.h"

namespace netfleet {

struct JobSchedule {
  std::string cron;  // as written
  std::string zone;  // an IANA name; "UTC" when none is given
  Schedule schedule;
  Milliseconds splay{0};       // each host begins by a part of this later, always the same
  std::vector<Window> not_in;  // nothing is started then
};

// `node` is the value of `schedule`: an expression, or a map.
JobSchedule read_job_schedule(const YamlTree& tree, const YamlNode& node, const std::string& source,
                              Problems& problems);

}  // namespace netfleet

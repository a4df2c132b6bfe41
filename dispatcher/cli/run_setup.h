// dispatcher/cli: what `netfleet run` finds out before it touches a device: hosts, tasks,
// commands, credentials. Bad input ends here, with nothing started.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "common/credential.h"
#include "dispatcher/cli/options.h"
#include "dispatcher/cli/terminal.h"
#include "dispatcher/cli/worker_side.h"
#include "dispatcher/sweep/plan.h"

namespace netfleet {

struct RunSetup {
  JobSpec job;  // with its sweep id
  std::vector<TaskSpec> tasks;
  LimitPlan limits;
  CredentialStore credentials;
  std::vector<std::string> warnings;
};

// The failure is an input error, or an interrupt at the password prompt.
std::expected<RunSetup, PromptFailure> set_up_run(const RunOptions& options,
                                                  const WorkerSide& worker_side);

// 20261122-191548-3fa9: when it started, and something that differs within a second.
std::string make_sweep_id(WallTime now, std::uint64_t random);

}  // namespace netfleet

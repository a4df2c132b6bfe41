// dispatcher/cli: what `netfleet run` finds out before it touches a device: hosts, tasks,
// commands, credentials; for a sweep that goes on, from its store. Bad input ends here, with
// nothing started.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "common/credential.h"
#include "dispatcher/cli/options.h"
#include "dispatcher/cli/terminal.h"
#include "dispatcher/cli/worker_side.h"
#include "dispatcher/store/store.h"
#include "dispatcher/sweep/plan.h"

namespace netfleet {

// What is known of a sweep that an earlier process began.
struct Resumed {
  std::vector<TaskState> states;
  SweepLock lock;
  bool journal_uncertain = false;  // the machine was started anew since it was begun
};

struct RunSetup {
  SweepRecord record;  // has a number only if it is resumed
  std::vector<TaskSpec> tasks;
  std::optional<Resumed> resumed;
  LimitPlan limits;
  RolloutSpec rollout;
  CredentialStore credentials;
  std::vector<SharedText> groups;  // of --git-shard group: each task's first one
  std::vector<std::string> warnings;
};

// The failure is an input error, or an interrupt at the password prompt.
std::expected<RunSetup, PromptFailure> set_up_run(const RunOptions& options,
                                                  const WorkerSide& worker_side);
// The same for the sweep that `options.resume` names. An inventory is read for passwords only.
std::expected<RunSetup, PromptFailure> set_up_resume(const RunOptions& options, Store& store,
                                                     const WorkerSide& worker_side);
// A new sweep of the job of the one that `options.resume` names, over those of its hosts that ended
// as `options.only` says.
std::expected<RunSetup, PromptFailure> set_up_repeat(const RunOptions& options, Store& store,
                                                     const WorkerSide& worker_side);

// Whether netfleet-worker processes are told the passwords that are known here: on this machine
// always, elsewhere when the command line says so. False for an embedded worker, which has them.
bool sends_credentials(const RunOptions& options);

// 20261122-191548-3fa9: when it started, and something that differs within a second.
std::string make_sweep_id(WallTime now, std::uint64_t random);

}  // namespace netfleet

// dispatcher/cli: the verbs of `netfleet`. Each carries out one parsed command line and returns the
// exit status (design: 0 ok, 1 some tasks not ok, 2 usage or input, 3 internal, 4 authentication
// guard, 130 interrupted). Errors go to stderr.
#pragma once

#include "dispatcher/cli/options.h"
#include "dispatcher/cli/worker_side.h"
#include "dispatcher/fleet/hub.h"
#include "dispatcher/store/store.h"

namespace netfleet {

inline constexpr int kExitOk = 0;
inline constexpr int kExitSomeFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitInternal = 3;
inline constexpr int kExitGuarded = 4;
inline constexpr int kExitInterrupted = 130;

int run_verb(const RunOptions& options, const WorkerSide& worker_side);
int results_verb(const ResultsOptions& options, const WorkerSide& worker_side);
int workers_verb(const WorkersOptions& options);

// What a sweep that has ended means for the exit status.
int exit_status(const SweepEnd& end);

// The store's path: the option's, else the default place; an error without a home directory.
Expected<std::string> store_path(const std::string& given);
// That store, which must be there already: nobody's first sweep is looked for.
Expected<Store> open_kept_store(const std::string& given);

}  // namespace netfleet

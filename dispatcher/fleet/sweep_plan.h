// dispatcher/fleet: what the ledger must know of a sweep, made of what the hub is given.
#pragma once

#include "dispatcher/sweep/ledger.h"

namespace netfleet {

struct SweepRun;

// Adds the sweep's regions and limits to `ledger` on the way.
SweepPlan make_sweep_plan(const SweepRun& run, Ledger& ledger);

}  // namespace netfleet

// dispatcher/fleet: what the ledger must know of a sweep, made of what the hub is given.
#pragma once

#include "dispatcher/sweep/ledger.h"

namespace netfleet {

struct SweepRun;

// What the sweep shares with others.
struct PlanSharing {
  bool many_sweeps = false;  // devices: other sweeps may run at the same time
  bool any_region = false;   // one lane for all regions
};

// Adds the sweep's regions and limits to `ledger` on the way.
SweepPlan make_sweep_plan(const SweepRun& run, PlanSharing sharing, Ledger& ledger);

}  // namespace netfleet

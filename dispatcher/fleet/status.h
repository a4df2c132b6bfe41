// dispatcher/fleet: what a dispatcher says of itself to those who ask (AskWorkers). Formatting of
// facts only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dispatcher/sweep/ledger.h"

namespace netfleet {

struct RunningSweep {
  std::string id;
  std::uint32_t total = 0;
  std::uint32_t done = 0;  // stored
  std::uint32_t running = 0;
};

// Workers by name. An answer stays well below the size of a control frame: what does not fit is
// counted in left_out.
v1::ToWorker worker_list(std::vector<WorkerView> workers, const std::vector<RunningSweep>& sweeps,
                         TimePoint now, std::uint64_t epoch);

}  // namespace netfleet

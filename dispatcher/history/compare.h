// dispatcher/history: two sweeps beside each other, host by host. Not for how that is printed.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "dispatcher/store/store.h"

namespace netfleet {

// What makes of an output what is compared, with as many lines: what changes by itself is masked.
using VolatileMask = std::function<std::string(std::string_view platform, std::string_view text)>;

// One host. Nothing of it differs when all lists are empty.
struct HostComparison {
  struct Changed {
    std::string command;
    std::string hunks;  // of a unified diff
  };
  std::string host;
  std::vector<Changed> changed;
  // What is no difference of the device: it is in one sweep only, its task failed, a command ran
  // only once, an output was cut. One line each, without the host.
  std::vector<std::string> not_compared;
};

struct CompareOptions {
  VolatileMask mask;   // empty: everything counts
  std::string limits;  // an expression (inventory/limit.h) over names, regions, platforms; or empty
  std::function<bool()> go_on{};  // asked for each host; false: stops. Empty: to the end
};

// Both sweeps as they are in the store. Visits hosts of which something differs or is not compared,
// in the order of `after`, then those of `before` alone; some are in memory at a time (with limits:
// all names). Returns how many hosts there were. Return false from `visit` to stop.
Expected<std::size_t> compare_sweeps(Store& store, const SweepRecord& before,
                                     const SweepRecord& after, const CompareOptions& options,
                                     const std::function<bool(const HostComparison&)>& visit);

}  // namespace netfleet

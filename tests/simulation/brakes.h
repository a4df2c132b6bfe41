// tests/simulation: the brakes of sweeps, counted once more: which batch a host is in, what is
// done, what has failed. By rules of its own, not by dispatcher/sweep's.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/simulation/scenario.h"

namespace netfleet::simulation {

// As the dispatcher that lives now can know it.
class Brakes {
 public:
  explicit Brakes(const SweepScript& script)
      : script_(&script), done_(script.hosts.size()), failed_(script.hosts.size()) {}

  void ended(std::uint32_t index, Outcome outcome);
  void done(std::uint32_t index) { done_[index] = true; }
  void went_on() { forgiven_ = count(); }
  // Why this host may not be granted now; empty: it may.
  std::string why_not(std::uint32_t index) const;
  bool too_many() const;

 private:
  std::uint32_t count() const;
  std::uint32_t batch_begin(std::uint32_t index) const;
  std::uint32_t part(Share share, double rounded_up) const;

  const SweepScript* script_;
  std::vector<bool> done_;
  std::vector<bool> failed_;
  std::uint32_t forgiven_ = 0;
};

}  // namespace netfleet::simulation

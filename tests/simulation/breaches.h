// tests/simulation: the list of breaches: each rule of PROTOCOL.md §11 broken on purpose.
#pragma once

#include <string_view>
#include <vector>

#include "common/breach.h"
#include "tests/simulation/scenario.h"

namespace netfleet::simulation {

struct BreachInfo {
  Breach breach;
  std::string_view name;   // of --breach
  std::string_view rule;   // R1 .. R21, or a word
  std::string_view where;  // ledger, holder (the real code) or shell (the simulation's model)
  std::string_view what;
  Theme theme = Theme::kDrawn;  // of the scenarios that look for it
};

const std::vector<BreachInfo>& all_breaches();

}  // namespace netfleet::simulation

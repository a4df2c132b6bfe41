// tests/simulation: themes: scenarios that lean on one part of the protocol, where chance alone
// would seldom come. Some seeds draw one; a breach names the one that is about what it breaks.
#pragma once

#include <string_view>
#include <vector>

#include "tests/simulation/scenario.h"

namespace netfleet::simulation {

struct ThemeInfo {
  Theme theme;
  std::string_view name;  // of --theme
  Kind kind;
  std::string_view what;
  void (*shape)(Scenario& scenario, Random& random);  // what was drawn for the kind
};

const std::vector<ThemeInfo>& all_themes();
const ThemeInfo& info_of(Theme theme);  // not of kDrawn, kNone

}  // namespace netfleet::simulation

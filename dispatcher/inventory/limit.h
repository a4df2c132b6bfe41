// dispatcher/inventory: limit expressions as trees. Pure; select.cc applies them to hosts.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"

namespace netfleet {

// One condition or the combination of several.
struct Limit {
  enum class Kind : std::uint8_t { kName, kGroup, kRegion, kPlatform, kData, kAnd, kOr, kNot };
  Kind kind = Kind::kName;
  std::string key;      // kData: what follows "data."
  std::string text;     // the value as meant
  std::string pattern;  // the value as a glob; empty: `text` holds nothing special
  std::vector<Limit> parts;
};

// expression = and_terms { ("or" | "," | nothing) and_terms }
// and_terms  = factor { "and" factor }
// factor     = "not" factor | "(" expression ")" | word
// word       = name | group:G | region:R | platform:P | data.KEY:VALUE, globs allowed after the
//              colon and in names; '...' and "..." take blanks and special characters as they are.
// Between two conditions nothing and a comma mean "or"; "not" must follow a written "and" or "or",
// since "a, not b" would select nearly everything while people mean "a and not b".
Expected<Limit> parse_limit(std::string_view expression);

}  // namespace netfleet

// dispatcher/inventory: the jump hosts that hosts name, and whether they are defined. Pure.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/error.h"
#include "common/jump_host.h"
#include "dispatcher/inventory/inventory.h"

namespace netfleet {

// The value of a host that is reached directly, whatever its group or the command line say.
inline constexpr std::string_view kNoJump = "none";

// Collects the names on routes, each once, with the place where it is read first. One thread.
class JumpReferences {
 public:
  // `route` as hosts have it; "none" names nobody.
  void add(std::string_view route, std::string_view source, std::size_t line);
  std::vector<JumpReference> take() { return std::move(references_); }

 private:
  std::vector<JumpReference> references_;
  std::set<std::string, std::less<>> names_;
  std::set<std::string, std::less<>> routes_;
};

// A route of one line, for formats without lists: "a,b" is a chain, '|' parts alternatives that
// share by weight, ';' tiers. "none" stays as it is.
Expected<std::string> parse_typed_route(std::string_view text);

// By name, the first of each.
JumpHosts hosts_of(std::span<const JumpDefinition> jumps);

// Whether every jump host that is named is defined, and can be reached. With `workers_know` a name
// without a definition is a warning: workers may have it in a file of their own. The error has a
// line for each thing that is wrong ("file:line: ...").
Expected<void> resolve_jumps(Inventory& inventory, bool workers_know);

// Puts `hosts`, which are of this inventory after resolve_limits(), under the limits of all jump
// hosts that their routes may lead over. `all`: no host was left out, so that a limit without any
// is worth a warning.
Expected<void> limit_jumps(Inventory& inventory, const JumpHosts& jumps, std::span<Host> hosts,
                           bool all);

}  // namespace netfleet

// dispatcher/inventory: the section `limits:` of a YAML inventory. Pure.
//
//   limits:
//     tacacs-eu:  {logins_per_second: 5, burst: 10}      # for those that say `limits: [tacacs-eu]`
//     core-group: {group: core, sessions: 20}            # for these, and for all of a group,
//     eu:         {region: eu, sessions: 200}            # a region,
//     bastion:    {jump: bastion-eu, sessions: 50}       # or behind a jump host
#pragma once

#include <string>
#include <vector>

#include "common/problems.h"
#include "common/yaml_tree.h"
#include "dispatcher/inventory/inventory.h"

namespace netfleet {

// `node` is a map. What is wrong goes to `problems`, with its line.
std::vector<NamedLimit> read_limits(const YamlTree& tree, const YamlNode& node,
                                    const std::string& source, Problems& problems);

// The limits that jump hosts bring with them, as "jump NAME".
void add_jump_limits(const std::vector<JumpDefinition>& jumps, std::vector<NamedLimit>& limits);

}  // namespace netfleet

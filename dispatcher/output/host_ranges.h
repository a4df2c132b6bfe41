// dispatcher/output: many hosts in few words, as ClusterShell's nodeset writes them. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace netfleet {

// "sw[1-40,42],edge": names that differ in one number only are folded into ranges; names with
// several numbers in each of them, from the last one on ("rack[1-2]sw[1-40]"), so that what is
// written stands for just these names. Zeros in front are kept ("sw[08-10]"). In the order in which
// they come, by the first of those that are folded. Names that hold one of "[],", which the ranges
// are written with, stay as they are.
std::string fold_hosts(const std::vector<std::string_view>& hosts);

}  // namespace netfleet

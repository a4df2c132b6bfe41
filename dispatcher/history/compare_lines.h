// dispatcher/history: a comparison as JSON lines, as `netfleet diff -o jsonl` prints it and the API
// sends it: one for each host of which something differs or is not compared, then one for all. In
// ASCII, each with its '\n'. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "dispatcher/history/compare.h"

namespace netfleet {

// host, changed (command, hunks), not_compared.
std::string json_line_of(const HostComparison& host);

struct ComparisonTotals {
  std::string before;  // ids
  std::string after;
  std::size_t hosts = 0;
  std::size_t changed = 0;       // hosts
  std::size_t not_compared = 0;  // hosts; one may count in both
};
// before, after, hosts, changed, not_compared.
std::string json_line_of(const ComparisonTotals& totals);

}  // namespace netfleet

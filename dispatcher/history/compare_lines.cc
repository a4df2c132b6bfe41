#include "dispatcher/history/compare_lines.h"

#include <nlohmann/json.hpp>

namespace netfleet {
namespace {

using Json = nlohmann::json;

// Bytes that are no UTF-8 become U+FFFD.
std::string line_of(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace) + '\n';
}

}  // namespace

std::string json_line_of(const HostComparison& host) {
  Json line = {{"host", host.host}, {"changed", Json::array()}};
  for (const auto& [command, hunks] : host.changed) {
    line["changed"].push_back({{"command", command}, {"hunks", hunks}});
  }
  line["not_compared"] = host.not_compared;
  return line_of(line);
}

std::string json_line_of(const ComparisonTotals& totals) {
  return line_of({{"before", totals.before},
                  {"after", totals.after},
                  {"hosts", totals.hosts},
                  {"changed", totals.changed},
                  {"not_compared", totals.not_compared}});
}

}  // namespace netfleet

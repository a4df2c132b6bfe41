#include "dispatcher/output/worker_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "common/duration.h"
#include "common/utf8.h"
#include "dispatcher/output/table.h"
#include "dispatcher/output/visible.h"

namespace netfleet {
namespace {

// Results a second since the worker joined.
double rate_of(const v1::WorkerStatus& worker) {
  const auto age_ms = std::max<std::uint64_t>(1, worker.joined_ms_ago());
  return static_cast<double>(worker.done()) * 1000 / static_cast<double>(age_ms);
}

WallTime time_of(WallTime now, std::uint64_t ms_ago) {
  return now - Milliseconds(static_cast<std::int64_t>(ms_ago));
}

std::string regions_of(const v1::WorkerStatus& worker) {
  std::string regions;
  for (const std::string& region : worker.regions()) {
    regions += (regions.empty() ? "" : ",") + (region.empty() ? "(default)" : one_line(region));
  }
  return regions.empty() ? "-" : regions;
}

using Row = std::vector<std::string>;

Row row_of(const v1::WorkerStatus& worker, WallTime now) {
  return {one_line(worker.name()),
          worker.silent() ? "silent" : "here",
          regions_of(worker),
          std::to_string(worker.slots()),
          std::to_string(worker.free()),
          std::to_string(worker.running()),
          std::to_string(worker.done()),
          fmt::format("{:.1f}", rate_of(worker)),
          format_wall_time(time_of(now, worker.joined_ms_ago())).substr(0, 19) + "Z",
          fmt::format("{:.1f}s ago", static_cast<double>(worker.seen_ms_ago()) / 1000)};
}

constexpr auto kLeft = Align::kLeft;
constexpr auto kRight = Align::kRight;

}  // namespace

std::string render_worker_table(const v1::WorkerList& list, WallTime now) {
  std::vector<Row> rows = {{"worker", "state", "regions", "slots", "free", "running", "done",
                            "done/s", "since", "last seen"}};
  for (const auto& worker : list.workers()) rows.push_back(row_of(worker, now));
  std::string text = "no workers\n";
  if (rows.size() > 1) {
    text = render_table(
        rows, {kLeft, kLeft, kLeft, kRight, kRight, kRight, kRight, kRight, kLeft, kLeft});
  }
  if (list.left_out() > 0) text += fmt::format("... and {} more workers\n", list.left_out());
  for (const auto& sweep : list.sweeps()) {
    text += fmt::format("sweep {}: {} of {} done, {} running\n", one_line(sweep.id()), sweep.done(),
                        sweep.total(), sweep.running());
  }
  return text;
}

std::string render_worker_jsonl(const v1::WorkerList& list, WallTime now) {
  using Json = nlohmann::ordered_json;
  std::string text;
  const auto add = [&](const Json& object) {
    text += object.dump(-1, ' ', true, Json::error_handler_t::replace) + '\n';
  };
  for (const auto& worker : list.workers()) {
    Json regions = Json::array();
    for (const std::string& region : worker.regions()) regions.push_back(region);
    add({{"type", "worker"},
         {"worker", worker.name()},
         {"silent", worker.silent()},
         {"regions", regions},
         {"slots", worker.slots()},
         {"free", worker.free()},
         {"running", worker.running()},
         {"done", worker.done()},
         {"rate", rate_of(worker)},
         {"since", format_wall_time(time_of(now, worker.joined_ms_ago()))},
         {"last_seen", format_wall_time(time_of(now, worker.seen_ms_ago()))}});
  }
  for (const auto& sweep : list.sweeps()) {
    add({{"type", "sweep"},
         {"sweep", sweep.id()},
         {"total", sweep.total()},
         {"done", sweep.done()},
         {"running", sweep.running()}});
  }
  return text;
}

}  // namespace netfleet

// dispatcher/api: what a long-lived dispatcher answers, from its JSON. Pure; whatever the answer
// is, it becomes these values or an error.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/error.h"
#include "dispatcher/api/service.h"
#include "dispatcher/history/compare.h"

namespace netfleet {

// A sweep, live or ended.
struct SweepView {
  std::string id;
  std::string job;     // empty: not known
  std::string origin;  // the same
  std::string state;   // "running", "asking", "draining", "ending", "ended", "unfinished"
  std::string why;     // of "asking"
  WallTime started_at;
  std::optional<WallTime> ended_at;
  std::vector<std::string> commands;
  bool changes = false;
  bool guarded = false;  // the authentication guard ended it; not said by every dispatcher
  std::uint32_t total = 0;
  std::uint32_t running = 0;
  std::optional<std::uint32_t> done;  // none: not said
  std::array<std::uint32_t, kOutcomeCount> by_outcome{};

  bool is_live() const { return state != "ended" && state != "unfinished"; }
};

// The last line of a comparison.
struct ComparisonEnd {
  std::string before;
  std::string after;
  std::size_t hosts = 0;
};

Expected<SweepView> parse_sweep(std::string_view json);
Expected<std::vector<SweepView>> parse_sweeps(std::string_view json);
Expected<std::vector<JobView>> parse_jobs(std::string_view json);
Expected<std::vector<ScheduleView>> parse_schedules(std::string_view json);
Expected<std::vector<FiringView>> parse_firings(std::string_view json);
Expected<std::vector<WorkerInfo>> parse_workers(std::string_view json);
Expected<Health> parse_health(std::string_view json);
Expected<std::variant<HostComparison, ComparisonEnd>> parse_comparison(std::string_view line);
// The id of {"sweep": "..."}.
Expected<std::string> parse_sweep_id(std::string_view json);

// The objects of the list that is called so, one a line, in ASCII.
Expected<std::string> json_lines(std::string_view json, const char* list);
// An object on one line, in ASCII.
Expected<std::string> json_line(std::string_view json);

// What is sent.
std::string submission_json(const Submission& submission);
std::string cancel_json(bool now);
std::string retry_json(OutcomeSet only);
std::string answer_json(bool go_on);

}  // namespace netfleet

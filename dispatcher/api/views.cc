#include "dispatcher/api/views.h"

#include <nlohmann/json.hpp>
#include <numeric>

namespace netfleet {
namespace {

using Json = nlohmann::json;

Json or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json or_null(const std::optional<WallTime>& time) {
  return time ? Json(format_wall_time(*time)) : Json();
}

Json outcomes_view(const OutcomeCounts& counts) {
  Json outcomes = Json::object();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) outcomes[outcome_name(static_cast<Outcome>(i))] = counts[i];
  }
  return outcomes;
}

}  // namespace

Json sweep_view(const SweepRecord& sweep, const LiveSweep* live,
                const std::optional<OutcomeCounts>& counts) {
  Json view = {{"sweep", sweep.id},
               {"job", or_null(sweep.job_name)},
               {"origin", or_null(sweep.origin)},
               {"state", sweep.ended_at ? "ended" : "unfinished"},
               {"why", Json()},
               {"started_at", format_wall_time(sweep.started_at)},
               {"ended_at", or_null(sweep.ended_at)},
               {"commands", sweep.job.commands},
               {"changes", sweep.job.changes_device},
               {"guarded", sweep.guarded},
               {"total", sweep.total},
               {"running", 0}};
  if (live != nullptr) {
    view["state"] = live->state;
    view["why"] = or_null(live->why);
    view["running"] = live->running;
    view["done"] = live->done;
    view["outcomes"] = outcomes_view(live->by_outcome);
  } else if (counts) {
    view["done"] = std::accumulate(counts->begin(), counts->end(), std::uint32_t{0});
    view["outcomes"] = outcomes_view(*counts);
  }
  return view;
}

Json view(const JobView& job) {
  return {{"name", job.name},
          {"path", job.path},
          {"error", or_null(job.error)},
          {"changes", job.changes},
          {"scheduled", job.scheduled}};
}

Json view(const ScheduleView& schedule) {
  return {{"job", schedule.job},
          {"cron", schedule.cron},
          {"zone", schedule.zone},
          {"next", or_null(schedule.next)},
          {"paused", schedule.paused},
          {"running", schedule.running ? Json(*schedule.running) : Json()},
          {"warning", or_null(schedule.warning)}};
}

Json view(const FiringView& firing) {
  return {{"job", firing.job},
          {"due", format_wall_time(firing.due)},
          {"what", firing.what},
          {"sweep", or_null(firing.sweep)},
          {"why", or_null(firing.why)}};
}

Json view(const WorkerInfo& worker) {
  return {{"name", worker.name},
          {"regions", worker.regions},
          {"slots", worker.slots},
          {"free", worker.free},
          {"running", worker.running},
          {"done", worker.done},
          {"joined_ago_ms", worker.joined_ago.count()},
          {"seen_ago_ms", worker.seen_ago.count()},
          {"silent", worker.silent}};
}

Json view(const Health& health) {
  return {{"ok", health.ok},
          {"version", health.version},
          {"since", format_wall_time(health.since)},
          {"problems", health.problems},
          {"workers", health.workers},
          {"slots", health.slots},
          {"running", health.running},
          {"sweeps", health.sweeps}};
}

std::string json_text(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace netfleet

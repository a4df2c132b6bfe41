#include "dispatcher/cli/service_tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "common/duration.h"
#include "dispatcher/output/renderer.h"
#include "dispatcher/output/table.h"
#include "dispatcher/output/visible.h"

namespace netfleet {
namespace {

constexpr auto kLeft = Align::kLeft;
constexpr auto kRight = Align::kRight;
using Rows = std::vector<std::vector<std::string>>;

// To the second: 2026-11-22T19:15:48Z.
std::string short_time(WallTime time) { return format_wall_time(time).substr(0, 19) + "Z"; }

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

std::string took(const SweepView& sweep) {
  if (!sweep.ended_at) return "-";
  const auto seconds = std::chrono::round<std::chrono::seconds>(*sweep.ended_at - sweep.started_at);
  return format_duration(std::max(seconds, std::chrono::seconds(0)));
}

// Results that are there and not ok.
std::string not_ok(const SweepView& sweep) {
  if (!sweep.done) return "-";
  return std::to_string(*sweep.done - std::min(*sweep.done, sweep.by_outcome[0]));
}

const char* plural(std::uint64_t count) { return count == 1 ? "" : "s"; }

std::string state_of(const ScheduleView& schedule) {
  if (schedule.running) return "running " + *schedule.running;
  return schedule.paused ? "paused" : "waiting";
}

std::string warnings_of(const std::vector<ScheduleView>& schedules) {
  std::string text;
  for (const ScheduleView& schedule : schedules) {
    if (schedule.warning.empty()) continue;
    text += fmt::format("{}: {}\n", one_line(schedule.job), one_line(schedule.warning));
  }
  return text;
}

}  // namespace

std::string render_health(const Health& health, const std::string& url) {
  std::string text = fmt::format("netfleet {} at {}", one_line(health.version), url);
  if (health.since != WallTime()) {
    text += fmt::format(" since {}: {} worker{}, {} slot{}, {} task{} at work, {} live sweep{}",
                        short_time(health.since), health.workers, plural(health.workers),
                        health.slots, plural(health.slots), health.running, plural(health.running),
                        health.sweeps, plural(health.sweeps));
  }
  text += health.ok ? "\n" : "; something is wrong\n";
  for (const std::string& problem : health.problems) text += "problem: " + one_line(problem) + "\n";
  return text;
}

std::string render_sweeps(const std::vector<SweepView>& sweeps) {
  if (sweeps.empty()) return "no sweeps\n";
  Rows rows = {{"sweep", "job", "state", "started", "took", "hosts", "done", "running", "not ok",
                "started by"}};
  for (const SweepView& sweep : sweeps) {
    rows.push_back({sweep.id, or_dash(sweep.job), sweep.state, short_time(sweep.started_at),
                    took(sweep), std::to_string(sweep.total),
                    sweep.done ? std::to_string(*sweep.done) : "-",
                    sweep.is_live() ? std::to_string(sweep.running) : "-", not_ok(sweep),
                    or_dash(sweep.origin)});
  }
  return render_table(rows,
                      {kLeft, kLeft, kLeft, kLeft, kRight, kRight, kRight, kRight, kRight, kLeft});
}

std::string render_sweep(const SweepView& sweep) {
  std::string text = fmt::format("sweep {}: {}", one_line(sweep.id), one_line(sweep.state));
  if (!sweep.job.empty()) text += fmt::format(", job {}", one_line(sweep.job));
  if (!sweep.origin.empty()) text += fmt::format(", started by {}", one_line(sweep.origin));
  text += fmt::format("\nstarted {}", short_time(sweep.started_at));
  if (sweep.ended_at) text += fmt::format(", took {}", took(sweep));
  text += '\n';
  if (!sweep.commands.empty()) {
    text += one_line(fmt::format("commands: {}", fmt::join(sweep.commands, "; "))) + '\n';
  }
  if (sweep.changes) text += "it may change devices\n";
  if (sweep.guarded) text += "the authentication guard ended it\n";
  if (!sweep.why.empty()) {
    text += fmt::format("it asks whether it goes on: {}\n", one_line(sweep.why));
  }
  Summary summary{.sweep = sweep.id, .total = sweep.total, .by_outcome = sweep.by_outcome};
  text += fmt::format("{} host{}", sweep.total, plural(sweep.total));
  if (sweep.is_live()) text += fmt::format(", {} running", sweep.running);
  if (sweep.done) text += fmt::format(", {} done", *sweep.done);
  text += '\n';
  for (int i = 0; i < kOutcomeCount; ++i) {
    const std::uint32_t count = sweep.by_outcome[static_cast<std::size_t>(i)];
    if (count > 0) text += fmt::format("{:>9} {}\n", count, outcome_name(static_cast<Outcome>(i)));
  }
  return text;
}

std::string render_schedules(const std::vector<ScheduleView>& schedules) {
  if (schedules.empty()) return "no job has a schedule\n";
  Rows rows = {{"job", "schedule", "zone", "next", "state"}};
  for (const ScheduleView& schedule : schedules) {
    rows.push_back({schedule.job, schedule.cron, schedule.zone,
                    schedule.next ? short_time(*schedule.next) : "-", state_of(schedule)});
  }
  return render_table(rows, {kLeft, kLeft, kLeft, kLeft, kLeft}) + warnings_of(schedules);
}

std::string render_jobs(const std::vector<JobView>& jobs,
                        const std::vector<ScheduleView>& schedules) {
  if (jobs.empty()) return "no jobs\n";
  Rows rows = {{"job", "schedule", "zone", "next", "state", "changes", "file"}};
  std::string errors;
  for (const JobView& job : jobs) {
    const auto found = std::ranges::find(schedules, job.name, &ScheduleView::job);
    const ScheduleView* schedule = found == schedules.end() ? nullptr : &*found;
    rows.push_back({job.name, schedule ? schedule->cron : "-", schedule ? schedule->zone : "-",
                    schedule && schedule->next ? short_time(*schedule->next) : "-",
                    schedule ? state_of(*schedule) : "-", job.changes ? "yes" : "no", job.path});
    if (!job.error.empty()) errors += one_line(job.error) + "\n";
  }
  return render_table(rows, {kLeft, kLeft, kLeft, kLeft, kLeft, kLeft, kLeft}) +
         warnings_of(schedules) + errors;
}

std::string render_firings(const std::vector<FiringView>& firings) {
  if (firings.empty()) return "nothing has been due yet\n";
  Rows rows = {{"due", "job", "what", "sweep", "why"}};
  for (const FiringView& firing : firings) {
    rows.push_back(
        {short_time(firing.due), firing.job, firing.what, or_dash(firing.sweep), firing.why});
  }
  return render_table(rows, {kLeft, kLeft, kLeft, kLeft, kLeft});
}

}  // namespace netfleet

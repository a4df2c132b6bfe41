// netfleet status, schedule and workers: what a long-lived dispatcher says of itself.
#include <fmt/format.h>

#include <algorithm>

#include "common/standard_streams.h"
#include "dispatcher/api/client_messages.h"
#include "dispatcher/cli/server.h"
#include "dispatcher/cli/service_tables.h"
#include "dispatcher/cli/service_verbs.h"
#include "dispatcher/cli/verbs.h"
#include "dispatcher/output/visible.h"
#include "dispatcher/output/worker_table.h"

namespace netfleet {
namespace {

int print(const std::string& text, int status = kExitOk) {
  const auto printed = print_output(text);
  return printed ? status : say_error(printed.error(), kExitUsage);
}

// Prints what `read` makes of the answer: a text.
template <typename Read>
int print_answer(const ClientAnswer<std::string>& answer, Read read) {
  const auto text = parse_answer(answer, read);
  return text ? print(*text) : say_failure(text.error());
}

int print_one(ApiClient& client, const StatusOptions& options) {
  const auto answer = client.get(sweep_target(options.sweep));
  if (options.jsonl) return print_answer(answer, json_line);
  const auto sweep = parse_answer(answer, parse_sweep);
  return sweep ? print(render_sweep(*sweep)) : say_failure(sweep.error());
}

int set_paused(ApiClient& client, const ScheduleOptions& options) {
  const bool pauses = options.action == ScheduleAction::kPause;
  const auto answer = client.post(
      fmt::format("/v1/schedules/{}/{}", percent_encoded(options.job), pauses ? "pause" : "resume"),
      "{}");
  if (!answer) return say_failure(answer.error());
  print_error(fmt::format("netfleet: the schedule of {} {}\n", one_line(options.job),
                          pauses ? "pauses until it is resumed" : "goes on"));
  return kExitOk;
}

int list_schedules(ApiClient& client, const ScheduleOptions& options) {
  const auto answer = client.get("/v1/schedules");
  if (options.jsonl && !options.all) {
    return print_answer(answer,
                        [](std::string_view json) { return json_lines(json, "schedules"); });
  }
  const auto schedules = parse_answer(answer, parse_schedules);
  if (!schedules) return say_failure(schedules.error());
  if (!options.all) return print(render_schedules(*schedules));
  const auto listed = client.get("/v1/jobs");
  if (options.jsonl) {
    return print_answer(listed, [](std::string_view json) { return json_lines(json, "jobs"); });
  }
  const auto jobs = parse_answer(listed, parse_jobs);
  return jobs ? print(render_jobs(*jobs, *schedules)) : say_failure(jobs.error());
}

ClientAnswer<std::string> firings_of(ApiClient& client, const std::string& job,
                                     std::uint32_t firings) {
  return client.get(
      fmt::format("/v1/schedules/{}/firings?limit={}", percent_encoded(job), firings));
}

int history(ApiClient& client, const ScheduleOptions& options) {
  std::vector<std::string> jobs = {options.job};
  if (options.job.empty()) {
    const auto schedules = parse_answer(client.get("/v1/schedules"), parse_schedules);
    if (!schedules) return say_failure(schedules.error());
    jobs.clear();
    for (const ScheduleView& schedule : *schedules) jobs.push_back(schedule.job);
  }
  std::vector<FiringView> all;
  std::string lines;
  for (const std::string& job : jobs) {
    const auto answer = firings_of(client, job, options.firings);
    const auto firings = parse_answer(answer, parse_firings);
    if (!firings) return say_failure(firings.error());
    all.insert(all.end(), firings->begin(), firings->end());
    lines += json_lines(*answer, "firings").value_or("");
  }
  if (options.jsonl) return print(lines);
  std::ranges::sort(all, [](const FiringView& left, const FiringView& right) {
    return left.due != right.due ? left.due > right.due : left.job < right.job;
  });
  return print(render_firings(all));
}

v1::WorkerList as_list(const std::vector<WorkerInfo>& workers) {
  v1::WorkerList list;
  for (const WorkerInfo& worker : workers) {
    v1::WorkerStatus& status = *list.add_workers();
    status.set_name(worker.name);
    for (const std::string& region : worker.regions) status.add_regions(region);
    status.set_slots(worker.slots);
    status.set_free(worker.free);
    status.set_running(worker.running);
    status.set_done(worker.done);
    status.set_joined_ms_ago(static_cast<std::uint64_t>(worker.joined_ago.count()));
    status.set_seen_ms_ago(static_cast<std::uint64_t>(worker.seen_ago.count()));
    status.set_silent(worker.silent);
  }
  return list;
}

}  // namespace

int status_verb(const StatusOptions& options) {
  auto client = open_client(options.server);
  if (!client) return say_error(client.error(), kExitUsage);
  if (!options.sweep.empty()) return print_one(*client, options);
  const auto health = parse_answer(client->get("/v1/health"), parse_health);
  if (!health) return say_failure(health.error());
  const int status = health->ok ? kExitOk : kExitSomeFailed;
  if (!options.jsonl) {
    if (print(render_health(*health, client->server().text())) != kExitOk) return kExitUsage;
  }
  std::string target = fmt::format("/v1/sweeps?limit={}", options.sweeps);
  if (!options.job.empty()) target += "&job=" + percent_encoded(options.job);
  const auto answer = client->get(target);
  if (options.jsonl) {
    const auto lines =
        parse_answer(answer, [](std::string_view json) { return json_lines(json, "sweeps"); });
    return lines ? print(*lines, status) : say_failure(lines.error());
  }
  const auto sweeps = parse_answer(answer, parse_sweeps);
  return sweeps ? print(render_sweeps(*sweeps), status) : say_failure(sweeps.error());
}

int schedule_verb(const ScheduleOptions& options) {
  auto client = open_client(options.server);
  if (!client) return say_error(client.error(), kExitUsage);
  switch (options.action) {
    case ScheduleAction::kList:
      return list_schedules(*client, options);
    case ScheduleAction::kHistory:
      return history(*client, options);
    case ScheduleAction::kPause:
    case ScheduleAction::kResume:
      return set_paused(*client, options);
  }
  std::unreachable();
}

int server_workers(const WorkersOptions& options) {
  auto client = open_client(options.server);
  if (!client) return say_error(client.error(), kExitUsage);
  const auto workers = parse_answer(client->get("/v1/workers"), parse_workers);
  if (!workers) return say_failure(workers.error());
  const v1::WorkerList list = as_list(*workers);
  const WallTime now = SystemClock().wall();
  return print(options.jsonl ? render_worker_jsonl(list, now) : render_worker_table(list, now));
}

}  // namespace netfleet

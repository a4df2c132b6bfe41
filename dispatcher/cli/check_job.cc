#include "dispatcher/cli/check_job.h"

#include <date/tz.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "common/duration.h"
#include "common/utf8.h"
#include "dispatcher/cli/configuration.h"
#include "dispatcher/cli/job_file.h"
#include "dispatcher/cli/named_credentials.h"
#include "dispatcher/cli/verbs.h"
#include "dispatcher/sweep/plan.h"

namespace netfleet {
namespace {

constexpr std::size_t kHostsNamed = 5;
constexpr int kFiringsShown = 3;
constexpr std::size_t kSweepsLookedAt = 20;

std::string count(std::size_t number, std::string_view thing) {
  return fmt::format("{:>8}  {}{}\n", number, thing, number == 1 ? "" : "s");
}

// What is typed into these hosts; nothing when something is wrong with it.
std::optional<JobSpec> check_work(const RunOptions& run, const std::vector<Host>& hosts,
                                  const WorkerSide& worker_side, CheckFindings& findings) {
  JobSpec job;
  const std::size_t before = findings.problems.size();
  const auto take = [&](const auto& result) {
    if (!result) findings.problems.push_back(result.error().message);
    return result.has_value();
  };
  auto commands = read_commands(run);
  if (take(commands)) job.commands = *std::move(commands);
  PlanDefaults defaults;
  defaults.platform = run.platform;
  std::vector<TaskSpec> tasks = plan_tasks(hosts, defaults);
  take(add_configuration(run.configuration, hosts, job, tasks, findings.warnings));
  job.mode = run.mode;
  job.configuration.dry_run = run.dry_run;
  job.configuration.confirm_within = run.commit_confirmed;
  job.configuration.save = run.save;
  job.answers = run.answers;
  job.exec = run.exec;
  std::vector<std::string> platforms;
  for (const TaskSpec& task : tasks) {
    if (std::ranges::find(platforms, task.platform.view()) == platforms.end()) {
      platforms.push_back(task.platform.str());
    }
  }
  if (findings.problems.size() == before && !hosts.empty()) {
    take(worker_side.check_job(run.platform_dir, platforms, job, !run.configuration.empty()));
  }
  if (findings.problems.size() != before) return std::nullopt;
  return job;
}

void report_work(const RunOptions& run, const JobSpec& job, const std::vector<Host>& hosts,
                 std::string& report) {
  if (!job.commands.empty()) report += count(job.commands.size(), "command");
  if (!job.configuration.lines.empty()) {
    report += fmt::format("{:>8}  configuration line{}\n", job.configuration.lines.size(),
                          job.configuration.lines.size() == 1 ? "" : "s");
  } else if (!run.configuration.empty()) {
    report += fmt::format("{:>8}  configuration by template\n", "ok");
  }
  report += fmt::format("what      {}{}\n",
                        run.dry_run   ? "changes nothing: a dry run"
                        : run.changes ? "changes devices: nothing that was begun is repeated"
                                      : "reads",
                        run.save ? ", and saves" : "");
  std::string names;
  for (std::size_t i = 0; i < std::min(hosts.size(), kHostsNamed); ++i) {
    names += fmt::format("{}{}", i == 0 ? "" : ", ", to_utf8(hosts[i].name.view()));
  }
  if (hosts.size() > kHostsNamed)
    names += fmt::format(", ... {}", to_utf8(hosts.back().name.view()));
  report += fmt::format("whom      {}\n", names.empty() ? "nobody" : names);
}

// Sizes of the batches of a sweep in which nothing fails.
std::vector<std::uint32_t> batches_of(const RolloutSpec& spec, std::uint32_t hosts) {
  std::vector<std::uint32_t> sizes;
  RolloutSpec unhurried = spec;
  unhurried.pause = Milliseconds(0);
  Rollout rollout(unhurried, hosts);
  for (std::uint32_t first = 0; first < hosts;) {
    const std::uint32_t end = rollout.released();
    sizes.push_back(end - first);
    for (; first < end; ++first) rollout.done(first);
    if (first < hosts) rollout.step(TimePoint{});
  }
  return sizes;
}

void report_batches(const RolloutSpec& spec, const std::vector<std::uint32_t>& sizes,
                    std::string& report) {
  if (!spec.brakes()) return;
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(sizes.size(), 8); ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", sizes[i]);
  }
  if (sizes.size() > 8) text += fmt::format(", ... ({} batches)", sizes.size());
  report += fmt::format("batches   {}\n", text);
  if (spec.max_failures || spec.canary > 0) {
    report +=
        fmt::format("failures  {} borne, then {}\n",
                    spec.max_failures ? format_share(*spec.max_failures) : "none of the canary's",
                    spec.ask ? "asks" : "stops");
  }
}

void report_schedule(const JobSchedule& schedule, WallTime now, std::string& report) {
  report += fmt::format("when      {} ({})\n", schedule.cron, schedule.zone);
  Instant at = std::chrono::floor<std::chrono::seconds>(now);
  for (int i = 0; i < kFiringsShown; ++i) {
    at = next_firing(schedule.schedule.cron, *schedule.schedule.zone, at);
    const bool closed = closed_until(schedule.not_in, at) > at;
    report +=
        fmt::format("          {}{}\n",
                    date::format("%Y-%m-%d %H:%M %Z", date::make_zoned(schedule.schedule.zone, at)),
                    closed ? " (within not_in: deferred)" : "");
  }
}

// Of the newest sweep that ran the same, else of the newest of all.
Expected<std::optional<SweepDurations>> find_durations(Store& store, const JobSpec& job,
                                                       std::string& whose) {
  const auto sweeps = store.sweeps(kSweepsLookedAt);
  if (!sweeps) return std::unexpected(sweeps.error());
  const SweepRecord* best = nullptr;
  for (const SweepRecord& sweep : *sweeps) {
    const bool same = sweep.job.commands == job.commands &&
                      sweep.job.configuration.lines == job.configuration.lines;
    if (sweep.ended_at && (same || best == nullptr)) best = &sweep;
    if (sweep.ended_at && same) break;
  }
  if (best == nullptr) return std::nullopt;
  whose = best->id;
  return store.durations(best->number);
}

void report_estimate(const RunOptions& run, const JobSpec& job,
                     const std::vector<std::uint32_t>& sizes, const JobSurroundings& around,
                     CheckFindings& findings) {
  if (sizes.empty()) return;
  std::string whose;
  std::optional<Store> store = around.find_store(run.store);
  const auto found = store ? find_durations(*store, job, whose) : std::nullopt;
  if (!found) return findings.warnings.push_back(found.error().message);
  if (!*found || (*found)->tasks == 0) {
    findings.report += "time      unknown: the store has no sweep that was like this\n";
    return;
  }
  const SweepDurations& past = **found;
  double ms = 0;
  for (const std::uint32_t hosts : sizes) {
    ms +=
        std::max(static_cast<double>(hosts) * static_cast<double>(past.mean.count()) / run.sessions,
                 static_cast<double>(hosts == 1 ? past.mean.count() : past.longest.count()));
  }
  ms += static_cast<double>(run.rollout.pause.count()) * static_cast<double>(sizes.size() - 1);
  const auto seconds =
      std::chrono::ceil<std::chrono::seconds>(Milliseconds(static_cast<std::int64_t>(ms)));
  findings.report +=
      fmt::format("time      about {}, as sweep {}: {} a host, {} at most; {} sessions at once\n",
                  format_duration(seconds), whose, format_duration(past.mean),
                  format_duration(past.longest), run.sessions);
}

}  // namespace

CheckFindings check_job_file(const std::string& path, const JobSurroundings& around,
                             const WorkerSide& worker_side) {
  CheckFindings findings;
  Problems problems;
  const Job job = read_job(path, around.home, problems);
  if (problems.any()) findings.problems.push_back(problems.error().message);
  Problems together;
  const RunOptions run =
      problems.any() ? RunOptions{} : run_options_of(job, around.login_name, together);
  if (!problems.any() && !run.credential_file.empty()) {
    check_job_credential(job, run, around.home, together);
  }
  if (together.any()) findings.problems.push_back(together.error().message);
  if (!findings.problems.empty()) return findings;
  CheckOptions check;
  check.inventories = run.inventories;
  check.hosts = run.hosts;
  check.limits = run.limits;
  check.region = run.region;
  check.platform_dir = run.platform_dir;
  if (!run.credential.empty() && run.credential_file.empty()) {
    findings.warnings.push_back(fmt::format(
        "the credential '{}' is for who runs the job to know (--credential-file)", run.credential));
  }
  const std::vector<Host> hosts = check_hosts(check, worker_side, findings);
  const auto work = check_work(run, hosts, worker_side, findings);
  if (findings.problems.empty() && hosts.empty()) {
    findings.problems.push_back(fmt::format("{}: it selects no host", to_utf8(path)));
  }
  if (!work || !findings.problems.empty()) return findings;
  report_work(run, *work, hosts, findings.report);
  const auto sizes = batches_of(run.rollout, static_cast<std::uint32_t>(hosts.size()));
  report_batches(run.rollout, sizes, findings.report);
  if (job.schedule) report_schedule(*job.schedule, around.now, findings.report);
  report_estimate(run, *work, sizes, around, findings);
  findings.report += "nothing is wrong\n";
  return findings;
}

int check_job_verb(const CheckOptions& options, const WorkerSide& worker_side) {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  const auto find_store = [](const StoreOptions& wanted) -> std::optional<Store> {
    const auto path = store_path(wanted.path);
    struct stat status{};  // only looked at: none is made
    if (!wanted.enabled || !path || stat(path->c_str(), &status) != 0) return std::nullopt;
    auto opened = Store::open(*path);
    return opened ? std::optional(std::move(*opened)) : std::nullopt;
  };
  const JobSurroundings around{.login_name = variable("USER"),
                               .home = variable("HOME"),
                               .find_store = find_store,
                               .now = SystemClock().wall()};
  return print_findings(check_job_file(options.job, around, worker_side));
}

}  // namespace netfleet

#include "dispatcher/serve/sweep_work.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/problems.h"
#include "dispatcher/cli/git_option.h"
#include "dispatcher/cli/job_file.h"
#include "dispatcher/cli/verbs.h"
#include "dispatcher/schedule/firing.h"

namespace netfleet {
namespace {

std::unexpected<Refusal> refuse(Refusal::Kind kind, std::string message) {
  return std::unexpected(Refusal{kind, std::move(message)});
}

// What a submission says, as options, and whose place they take.
struct Instead {
  std::vector<std::string> options;
  std::vector<std::string> families;
};

Instead instead_of_job(const Submission& submission) {
  Instead instead;
  for (const std::string& limit : submission.limits) instead.options.push_back("--limit=" + limit);
  if (!submission.commands.empty() || submission.configuration) {
    instead.families = {"--command", "--config-line", "--config-file", "--save",
                        "--commit",  "--dry-run",     "--expect",      "--commit-confirmed"};
  }
  for (const std::string& command : submission.commands) {
    instead.options.push_back("--command=" + command);
  }
  std::string_view rest;
  if (submission.configuration) rest = *submission.configuration;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (end > 0) instead.options.push_back("--config-line=" + std::string(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (submission.dry_run) instead.options.emplace_back("--dry-run");
  return instead;
}

// What is the service's business, not the job's.
void settle(RunOptions& options, const ServeOptions& serve) {
  options.listen = serve.listen;
  options.keys = serve.keys;
  options.send_credentials = serve.send_credentials;
  options.lease = serve.lease;
  options.region_timeout = serve.region_timeout;
  options.store = {};
  options.session_log.clear();
  options.unattended = true;
  if (options.credential_file.empty()) options.credential_file = serve.credential_file;
  if (options.platform_dir.empty()) options.platform_dir = serve.platform_dir;
}

bool says(const Job& job, std::string_view option) {
  return std::ranges::find(job.settings, option, &JobSetting::option) != job.settings.end();
}

// What a job says of all its hosts is its own, whatever others call theirs.
void own_limits(LimitPlan& plan, const std::string& job) {
  for (LimitSpec& limit : plan.limits) {
    if (limit.name == "--logins-per-second") limit.name = fmt::format("logins of job {}", job);
  }
}

// The job's own bound of sessions at once: beside all other limits.
void limit_sessions(LimitPlan& plan, const std::string& job, std::uint32_t sessions,
                    std::size_t tasks) {
  const auto number = static_cast<std::uint16_t>(plan.limits.size());
  plan.limits.push_back({.name = fmt::format("sessions of job {}", job), .sessions = sessions});
  if (plan.set_of_task.empty()) {
    plan.sets = {{}};
    plan.set_of_task.assign(tasks, 0);
  }
  for (auto& set : plan.sets) set.push_back(number);
}

}  // namespace

Answer<std::unique_ptr<SweepWork>> SweepWork::prepare(const Surroundings& around,
                                                      const SweepOrder& order) {
  const Instead instead = instead_of_job(order.submission);
  Problems problems;
  RunOptions options =
      run_options_of(*order.job, around.login, problems, instead.options, instead.families);
  if (problems.any()) return refuse(Refusal::Kind::kInvalid, problems.error().message);
  if (options.changes && !options.dry_run && !order.submission.may_change &&
      order.origin != "schedule" && order.resume.empty()) {
    return refuse(
        Refusal::Kind::kForbidden,
        fmt::format("job '{}' changes devices: that takes the scope 'change'", order.job->name));
  }
  settle(options, around.options);
  options.resume = order.resume.empty() ? order.repeat : order.resume;
  if (!order.repeat.empty()) options.only = order.only;

  auto store = Store::open(around.store);
  if (!store) return refuse(Refusal::Kind::kInternal, store.error().message);
  auto setup = options.resume.empty() ? set_up_run(options, around.worker_side)
               : options.only         ? set_up_repeat(options, *store, around.worker_side)
                                      : set_up_resume(options, *store, around.worker_side);
  if (!setup) return refuse(Refusal::Kind::kInvalid, setup.error().message);
  if (!order.repeat.empty() && !order.submission.may_change) {
    const auto of_job = read_commands(options);
    if (!of_job || *of_job != setup->record.job.commands) {
      return refuse(Refusal::Kind::kForbidden,
                    fmt::format("sweep {} ran other commands than job '{}' says: that takes the "
                                "scope 'change'",
                                order.repeat, order.job->name));
    }
  }
  own_limits(setup->limits, order.job->name);
  if (says(*order.job, "--sessions")) {
    limit_sessions(setup->limits, order.job->name, options.sessions, setup->tasks.size());
  }
  std::unique_ptr<SweepWork> work(
      new SweepWork(around, order.job, std::move(*store), std::move(options), std::move(*setup)));
  if (auto begun = work->begin(order); !begun) {
    return refuse(Refusal::Kind::kInternal, begun.error().message);
  }
  return work;
}

Expected<void> SweepWork::begin(const SweepOrder& order) {
  for (const std::string& warning : setup_.warnings) {
    around_.console.say(fmt::format("netfleet: job {}: {}", job_->name, warning));
  }
  if (!setup_.resumed) {
    SweepRecord& record = setup_.record;
    record.job_name = job_->name;
    record.origin = order.origin;
    record.due = order.due;
    record.request = order.request;
  }
  auto notices = SweepNotices::make(options_, setup_.record, around_.console);
  if (!notices) return std::unexpected(notices.error());
  notices_.emplace(std::move(*notices));
  auto recorder = recorder_options();
  if (!recorder) return std::unexpected(recorder.error());
  if (never_twice()) {
    if (auto set = store_.set_durable(); !set) return set;
  }
  if (auto put = put_into_store(order); !put) return put;
  if (auto recalled = store_.recall_platforms(setup_.tasks); !recalled) return recalled;
  setup_.credentials =
      around_.credentials.adopt(job_->name, setup_.credentials, setup_.tasks, setup_.record.job);
  recorder_ = std::make_unique<Recorder>(store_, setup_.record, setup_.tasks, std::move(*recorder));
  return {};
}

Expected<void> SweepWork::put_into_store(const SweepOrder& order) {
  if (setup_.resumed) {
    const auto least = store_.take_over(setup_.record.number, around_.options.lease,
                                        setup_.resumed->journal_uncertain);
    if (!least) return std::unexpected(least.error());
    least_attempt_ = *least;
    return {};
  }
  auto added = order.taken ? store_.add_fired_sweep(setup_.record, setup_.tasks, *order.taken)
                           : store_.add_sweep(setup_.record, setup_.tasks);
  if (!added) return added;
  auto lock = store_.lock_sweep(setup_.record);
  if (!lock) return std::unexpected(lock.error());
  lock_ = std::move(*lock);
  return {};
}

Expected<RecorderOptions> SweepWork::recorder_options() {
  RecorderOptions recorder;
  recorder.resume = setup_.resumed.has_value();
  recorder.waits_for_room = true;
  RecordingOptions& recording = recorder.recording;
  recording.format = OutputFormat::kSummary;
  recording.order = OutputOrder::kCompletion;
  recording.output_fd = -1;
  if (!options_.output_dir.empty()) {
    auto opened = OutputDirectory::open(options_.output_dir);
    if (!opened) return std::unexpected(opened.error());
    recording.output_directory = std::move(*opened);
  }
  auto backup = open_backup(options_, around_.worker_side, std::move(setup_.groups));
  if (!backup) return std::unexpected(backup.error());
  recording.backup = std::move(*backup);
  return recorder;
}

TimePoint SweepWork::steady(WallTime time) const {
  return around_.clock.now() + (time - around_.clock.wall());
}

// Each host's turn within the splay.
std::vector<TimePoint> SweepWork::turns() const {
  if (!job_->schedule || job_->schedule->splay <= Milliseconds(0) ||
      setup_.record.origin != "schedule") {
    return {};
  }
  const TimePoint start = steady(setup_.record.due.value_or(setup_.record.started_at));
  std::vector<TimePoint> turns;
  turns.reserve(setup_.tasks.size());
  for (const TaskSpec& task : setup_.tasks) {
    turns.push_back(start + stable_part(task.host.view(), job_->schedule->splay));
  }
  return turns;
}

TimePoint SweepWork::closes() const {
  if (!job_->schedule || job_->schedule->not_in.empty()) return TimePoint::max();
  const auto now = std::chrono::floor<std::chrono::seconds>(around_.clock.wall());
  if (closed_until(job_->schedule->not_in, now) > now) return around_.clock.now();
  const auto opening = next_opening(job_->schedule->not_in, now);
  return opening ? steady(std::chrono::time_point_cast<Milliseconds>(*opening)) : TimePoint::max();
}

SweepRun SweepWork::run() {
  const SweepRecord& record = setup_.record;
  SweepRun run;
  run.number = record.number;
  run.job = record.job;
  run.tasks = setup_.tasks;
  run.limits = std::move(setup_.limits);
  run.rollout = setup_.rollout;
  run.retries = record.retries;
  run.max_auth_failures = record.max_auth_failures;
  run.retry_unsafe = record.retry_unsafe;
  run.journaled = true;
  run.not_before = turns();
  run.closes = closes();
  run.why_closed = "the job starts nothing at this time (schedule: not_in)";
  if (setup_.resumed) {
    run.states = std::move(setup_.resumed->states);
    run.elapsed = std::max(Milliseconds(0), around_.clock.wall() - record.started_at);
    run.lease_before = record.lease;
    run.journal_uncertain = setup_.resumed->journal_uncertain && !never_twice();
    run.least_attempt = least_attempt_;
  }
  return run;
}

void SweepWork::conclude(const SweepEnd& end) {
  const auto say = [this](const std::string& line) { around_.console.say("netfleet: " + line); };
  const auto elapsed = end.report.summary.elapsed;
  if (elapsed && !end.report.store_error) {  // else results are missing there: it is unfinished
    auto ended =
        store_.end_sweep(setup_.record.number, setup_.record.started_at + *elapsed, end.guarded);
    if (!ended) say(ended.error().message);
  }
  if (!end.report.backup.empty()) say(end.report.backup);
  notices_->ended(end, exit_status(end));
  notices_->finish(-1);
}

}  // namespace netfleet

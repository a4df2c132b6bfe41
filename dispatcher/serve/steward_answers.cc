// What the service answers to those who ask.
#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <utility>

#include "common/duration.h"
#include "dispatcher/serve/steward.h"

namespace netfleet {
namespace {

constexpr std::chrono::seconds kHubWithin{5};

std::unexpected<Refusal> refuse(Refusal::Kind kind, std::string message) {
  return std::unexpected(Refusal{kind, std::move(message)});
}

WallTime to_wall(Instant instant) { return std::chrono::time_point_cast<Milliseconds>(instant); }

WorkerInfo info_of(const WorkerView& view, TimePoint now) {
  const auto ago = [now](TimePoint then) {
    return std::max(Milliseconds(0), std::chrono::round<Milliseconds>(now - then));
  };
  return {.name = view.name,
          .regions = view.regions,
          .slots = view.slots,
          .free = view.free,
          .running = view.running,
          .done = view.done,
          .joined_ago = ago(view.joined),
          .seen_ago = ago(view.last_seen),
          .silent = view.silent};
}

}  // namespace

// The sweep of the same key, if there is one.
Answer<std::optional<std::string>> Steward::begun_before(const std::string& who,
                                                         const std::string& key) {
  if (key.empty()) return std::nullopt;
  const std::lock_guard lock(book_mutex_);
  const auto known = book_.sweep_of_request(who, key);
  if (!known) return refuse(Refusal::Kind::kInternal, known.error().message);
  if (!*known) return std::nullopt;
  return (*known)->id;
}

Answer<std::string> Steward::submit(const Submission& submission) {
  auto order = order_for(submission.job);
  if (!order) return std::unexpected(order.error());
  auto before = begun_before(submission.who, submission.key);
  if (!before) return std::unexpected(before.error());
  if (*before) return **before;
  const bool own_words = !submission.commands.empty() || submission.configuration;
  if (own_words && !submission.may_change) {
    return refuse(Refusal::Kind::kForbidden,
                  "commands and configuration of one's own take the scope 'change'");
  }
  order->origin = submission.who;
  order->request = submission.key;
  order->submission = submission;
  return start_and_wait(std::move(*order));
}

Answer<std::string> Steward::retry(const std::string& sweep, OutcomeSet only, bool may_change,
                                   const std::string& who, const std::string& key) {
  auto same = begun_before(who, key);
  if (!same) return std::unexpected(same.error());
  if (*same) return **same;
  std::optional<SweepRecord> before;
  {
    const std::lock_guard lock(book_mutex_);
    auto found = book_.find_sweep(sweep);
    if (!found) return refuse(Refusal::Kind::kNotFound, found.error().message);
    before = std::move(*found);
  }
  if (!before->ended_at) {
    return refuse(Refusal::Kind::kConflict, fmt::format("sweep {} has not ended", before->id));
  }
  if (before->job_name.empty()) {
    return refuse(Refusal::Kind::kConflict,
                  fmt::format("sweep {} is of no job of this service", before->id));
  }
  if (before->job.changes_device && !may_change) {
    return refuse(
        Refusal::Kind::kForbidden,
        fmt::format("sweep {} changes devices: that takes the scope 'change'", before->id));
  }
  auto order = order_for(before->job_name);
  if (!order) return std::unexpected(order.error());
  order->origin = who;
  order->request = key;
  order->repeat = before->id;
  order->only = only;
  order->submission.may_change = may_change;
  return start_and_wait(std::move(*order));
}

Answer<void> Steward::cancel(const std::string& sweep, bool now, const std::string& who) {
  const std::lock_guard lock(mutex_);
  const auto entry = find(sweep);
  if (entry == nullptr) {
    return refuse(Refusal::Kind::kConflict, fmt::format("sweep {} does not run", sweep));
  }
  say(fmt::format("sweep {} is cancelled by {}", sweep, who));
  if (entry->view.state != "ending") entry->view.state = "draining";
  changed(*entry);
  hub_.post([this, number = entry->number, now] {
    if (hub_.interrupts(number) == 0) hub_.interrupt(number);
    if (now && hub_.interrupts(number) == 1) hub_.interrupt(number);
  });
  return {};
}

Answer<void> Steward::answer(const std::string& sweep, bool go_on, const std::string& who) {
  const std::lock_guard lock(mutex_);
  const auto entry = find(sweep);
  if (entry == nullptr || entry->view.state != "asking") {
    return refuse(Refusal::Kind::kConflict, fmt::format("sweep {} asks nothing", sweep));
  }
  say(fmt::format("sweep {} is told to {} by {}", sweep, go_on ? "go on" : "stop", who));
  entry->view.state = "running";
  changed(*entry);
  hub_.post([this, number = entry->number, go_on] { hub_.answer(number, go_on); });
  return {};
}

std::vector<LiveSweep> Steward::live_sweeps() {
  const std::lock_guard lock(mutex_);
  std::vector<LiveSweep> views;
  for (const auto& [id, entry] : live_) views.push_back(entry->view);
  return views;
}

std::optional<LiveSweep> Steward::watch(const std::string& sweep, std::uint64_t seen,
                                        Milliseconds at_most) {
  std::unique_lock lock(mutex_);
  const auto news = [&] {
    const auto entry = find(sweep);
    return stopping_ || entry == nullptr || entry->view.version != seen;
  };
  changed_.wait_for(lock, at_most, news);
  const auto entry = find(sweep);
  if (entry == nullptr) return std::nullopt;
  return entry->view;
}

std::vector<JobView> Steward::jobs() {
  const std::lock_guard lock(mutex_);
  return jobs_.views();
}

// What the last sweep took against the time until the next one begins.
std::string Steward::warning_of(const std::string& job, const Schedule& schedule) {
  const auto state = schedules_.find(job);
  if (state == schedules_.end()) return {};
  const Instant first = next_firing(schedule.cron, *schedule.zone, now());
  const Instant second = next_firing(schedule.cron, *schedule.zone, first);
  const auto found = jobs_.find(job);
  const Milliseconds splay =
      found == nullptr || !found->schedule ? Milliseconds(0) : found->schedule->splay;
  const Milliseconds takes = std::max(state->second.last_took, splay);
  if (takes <= second - first) return {};
  return fmt::format("cannot finish before its next start: it takes {}, and starts every {}",
                     format_duration(takes), format_duration(second - first));
}

std::vector<ScheduleView> Steward::schedules() {
  const std::lock_guard lock(mutex_);
  std::vector<ScheduleView> views;
  for (const auto& [name, state] : schedules_) {
    const auto job = jobs_.find(name);
    if (job == nullptr || !job->schedule) continue;
    ScheduleView& view = views.emplace_back();
    view.job = name;
    view.cron = job->schedule->cron;
    view.zone = job->schedule->zone;
    view.paused = !state.paused.empty();
    view.last_success = state.last_success;
    if (agenda_.has(name)) view.next = to_wall(agenda_.next_of(name));
    for (const auto& [id, entry] : live_) {
      if (entry->scheduled && entry->view.job == name) view.running = id;
    }
    view.warning = view.paused ? state.paused : warning_of(name, job->schedule->schedule);
  }
  return views;
}

Answer<std::vector<FiringView>> Steward::firings(const std::string& job, std::size_t limit) {
  const std::lock_guard lock(book_mutex_);
  const auto found = book_.firings(job, limit);
  if (!found) return refuse(Refusal::Kind::kInternal, found.error().message);
  std::vector<FiringView> views;
  for (const FiringRecord& firing : *found) {
    views.push_back({firing.job, firing.due, firing.what, firing.sweep, firing.why});
  }
  return views;
}

Answer<void> Steward::set_paused(const std::string& job, bool paused, const std::string& who) {
  ScheduleRecord record = schedule_record(job);
  std::optional<Instant> waiting;
  {
    const std::lock_guard lock(mutex_);
    const auto state = schedules_.find(job);
    const auto found = jobs_.find(job);
    if (state == schedules_.end() || found == nullptr || !found->schedule) {
      return refuse(Refusal::Kind::kNotFound, fmt::format("job '{}' has no schedule", job));
    }
    if (paused == !state->second.paused.empty()) return {};
    state->second.paused = paused ? "by " + who : "";
    record.paused = state->second.paused;
    if (paused) {
      waiting = agenda_.remove(job);
    } else {
      Schedule schedule = found->schedule->schedule;
      schedule.name = job;
      agenda_.set(std::move(schedule), now());
      record.taken = around_.clock.wall();
      for (const auto& [id, entry] : live_) {
        if (entry->scheduled && entry->view.job == job) agenda_.started(job);
      }
    }
  }
  skip_waiting(job, waiting, "its schedule was paused");
  say(fmt::format("job {}: its schedule is {} by {}", job, paused ? "paused" : "resumed", who));
  wake();
  const std::lock_guard lock(book_mutex_);
  const auto put = book_.put_schedule(record);
  if (!put) return refuse(Refusal::Kind::kInternal, put.error().message);
  return {};
}

Answer<std::vector<WorkerInfo>> Steward::workers() {
  auto promise = std::make_shared<std::promise<std::vector<WorkerInfo>>>();
  auto views = promise->get_future();
  hub_.post([this, promise] {
    std::vector<WorkerInfo> infos;
    for (const WorkerView& view : hub_.ledger().workers()) {
      infos.push_back(info_of(view, around_.clock.now()));
    }
    std::ranges::sort(infos, {}, &WorkerInfo::name);
    promise->set_value(std::move(infos));
  });
  if (views.wait_for(kHubWithin) != std::future_status::ready) {
    return refuse(Refusal::Kind::kBusy, "the dispatcher is too busy to answer");
  }
  return views.get();
}

Health Steward::health() {
  Health health;
  health.version = NETFLEET_VERSION;
  health.since = since_;
  const auto infos = workers();
  const std::lock_guard lock(mutex_);
  if (!infos) health.problems.push_back(infos.error().message);
  if (infos) {
    health.workers = static_cast<std::uint32_t>(infos->size());
    for (const WorkerInfo& info : *infos) {
      health.slots += info.slots;
      health.running += info.running;
    }
  }
  health.sweeps = static_cast<std::uint32_t>(live_.size());
  if (!stalled_.empty()) health.problems.push_back(stalled_);
  for (const auto& [what, problem] : problems_) health.problems.push_back(problem);
  for (const JobView& job : jobs_.views()) {
    if (!job.error.empty()) health.problems.push_back(job.error);
  }
  if (audit_ != nullptr && !audit_->problem().empty()) health.problems.push_back(audit_->problem());
  health.ok = health.problems.empty();
  return health;
}

ServiceFigures Steward::figures() {
  auto promise = std::make_shared<std::promise<ServiceFigures>>();
  auto answered = promise->get_future();
  hub_.post([this, promise] {
    const HubFigures figures = hub_.figures();
    promise->set_value({.malformed_messages = figures.malformed,
                        .retries = figures.retries,
                        .leases_lost = figures.leases_lost,
                        .limits_full = hub_.ledger().limits_full()});
  });
  ServiceFigures figures;
  if (answered.wait_for(kHubWithin) == std::future_status::ready) figures = answered.get();
  const std::lock_guard lock(mutex_);
  figures.tasks_by_outcome = figures_.tasks_by_outcome;
  figures.sweeps_started = figures_.sweeps_started;
  figures.sweeps_ended = figures_.sweeps_ended;
  figures.firings_skipped = figures_.firings_skipped;
  figures.firings_failed = figures_.firings_failed;
  return figures;
}

}  // namespace netfleet

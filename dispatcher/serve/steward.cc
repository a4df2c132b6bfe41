// The agenda: which job becomes a sweep now. Sweeps' lives are in steward_sweeps.cc, what is
// answered to those who ask in steward_answers.cc.
#include "dispatcher/serve/steward.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "common/check.h"

namespace netfleet {
namespace {

constexpr unsigned kClerks = 4;
constexpr std::uint64_t kOne = 1;

WallTime to_wall(Instant instant) { return std::chrono::time_point_cast<Milliseconds>(instant); }

}  // namespace

Steward::Steward(const Surroundings& around, Hub& hub, Store book, JobBook jobs, Audit* audit)
    : around_(around),
      hub_(hub),
      audit_(audit),
      wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      since_(around.clock.wall()),
      book_(std::move(book)),
      jobs_(std::move(jobs)),
      clerks_(kClerks) {
  CHECK(wake_fd_ >= 0);
}

Steward::~Steward() { close(wake_fd_); }

void Steward::say(const std::string& line) { around_.console.say("netfleet: " + line); }

void Steward::wake() { CHECK(write(wake_fd_, &kOne, sizeof kOne) == sizeof kOne); }

void Steward::clear_wake() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto woken = read(wake_fd_, &count, sizeof count);
}

Instant Steward::now() const {
  return std::chrono::floor<std::chrono::seconds>(around_.clock.wall());
}

// What cannot be written down is done all the same: it was decided before.
void Steward::audit(const std::string& who, const std::string& action, const std::string& object,
                    const std::string& outcome, const std::string& detail) {
  if (audit_ == nullptr) return;
  const auto written = audit_->write({.who = who,
                                      .from = {},
                                      .action = action,
                                      .object = object,
                                      .outcome = outcome,
                                      .detail = detail});
  if (!written) say(written.error().message);
}

Expected<void> Steward::begin() {
  std::vector<ScheduleRecord> known;
  {
    const std::lock_guard lock(book_mutex_);
    auto read = book_.schedules();
    if (!read) return std::unexpected(read.error());
    known = std::move(*read);
  }
  {
    const std::lock_guard lock(mutex_);
    const auto wrong = jobs_.reload();
    if (!wrong) return std::unexpected(wrong.error());
    for (const std::string& problem : *wrong) say(problem);
    for (const ScheduleRecord& record : known) {
      const auto job = jobs_.find(record.job);
      if (job == nullptr || !job->schedule) continue;
      schedules_[record.job].paused = record.paused;
      if (!record.paused.empty()) continue;
      Schedule schedule = job->schedule->schedule;
      schedule.name = record.job;
      agenda_.set(std::move(schedule), std::chrono::floor<std::chrono::seconds>(record.taken));
    }
    set_schedules();
  }
  recall_durations();
  go_on_with_unfinished();
  return {};
}

// What warnings need of the sweeps before this start.
void Steward::recall_durations() {
  const std::scoped_lock lock(book_mutex_, mutex_);
  for (auto& [name, state] : schedules_) {
    const auto newest = book_.newest_ended(name);
    if (!newest || !*newest) continue;
    state.last_took = *(*newest)->ended_at - (*newest)->started_at;
  }
}

void Steward::reload() {
  const std::lock_guard lock(mutex_);
  const auto wrong = jobs_.reload();
  if (!wrong) return say(wrong.error().message);
  for (const std::string& problem : *wrong) say(problem);
  set_schedules();
  say(fmt::format("read the jobs again: {} of {} are right", jobs_.names().size(),
                  jobs_.views().size()));
}

// Jobs as they are: new schedules count from now, changed ones from where they were.
void Steward::set_schedules() {
  std::map<std::string, ScheduleState> before = std::exchange(schedules_, {});
  for (const std::string& name : jobs_.names()) {
    const auto job = jobs_.find(name);
    if (!job->schedule) continue;
    ScheduleState& state = schedules_[name];
    if (const auto known = before.find(name); known != before.end()) {
      state = std::move(known->second);
      before.erase(known);
    }
    if (!state.paused.empty()) continue;
    Schedule schedule = job->schedule->schedule;
    schedule.name = name;
    agenda_.set(std::move(schedule), now());
  }
  for (const auto& [name, state] : before) {
    if (agenda_.has(name)) agenda_.remove(name);
  }
  for (const auto& [id, entry] : live_) {
    if (entry->scheduled && agenda_.has(entry->view.job)) agenda_.still_runs(entry->view.job);
  }
}

std::optional<Instant> Steward::advance() {
  clear_wake();
  std::vector<Agenda::Step> steps;
  std::optional<Instant> next;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return std::nullopt;
    steps = agenda_.advance(now());
    next = agenda_.next();
  }
  for (const Agenda::Step& step : steps) take(step);
  return next;
}

void Steward::take(const Agenda::Step& step) {
  switch (step.kind) {
    case Agenda::Step::Kind::kStart:
      return fire(step);
    case Agenda::Step::Kind::kSkip:
      return skip(step);
    case Agenda::Step::Kind::kCancel:
      return cancel_for_next(step);
  }
}

ScheduleRecord Steward::schedule_record(const std::string& job) {
  const std::lock_guard lock(mutex_);
  ScheduleRecord record{.job = job, .taken = around_.clock.wall(), .paused = {}};
  if (agenda_.has(job)) record.taken = to_wall(agenda_.taken_until(job));
  if (const auto state = schedules_.find(job); state != schedules_.end()) {
    record.paused = state->second.paused;
  }
  return record;
}

void Steward::fire(const Agenda::Step& step) {
  SweepOrder order;
  order.origin = "schedule";
  order.due = to_wall(step.due);
  order.schedule = schedule_record(step.schedule);
  {
    const std::lock_guard lock(mutex_);
    order.job = jobs_.find(step.schedule);
    if (order.job == nullptr) return agenda_.ended(step.schedule);
  }
  clerks_.add([this, order = std::move(order)] {
    if (const auto started = start(order); !started) could_not_fire(order, started.error().message);
  });
}

void Steward::could_not_fire(const SweepOrder& order, const std::string& why) {
  const std::string& job = order.job->name;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;  // it was not taken: the next start will see to it
  }
  say(fmt::format("job {}: not started: {}", job, why));
  audit("schedule", "start", job, "failed", why);
  {
    const std::lock_guard lock(book_mutex_);
    const auto written =
        book_.add_firing({.job = job, .due = *order.due, .what = "failed", .sweep = {}, .why = why},
                         *order.schedule);
    if (!written) say(written.error().message);
  }
  {
    const std::lock_guard lock(mutex_);
    ++figures_.firings_failed;
    agenda_.ended(job);
  }
  wake();
}

void Steward::skip(const Agenda::Step& step) {
  say(fmt::format("job {}: skipped: {}", step.schedule, step.reason));
  const ScheduleRecord schedule = schedule_record(step.schedule);
  {
    const std::lock_guard lock(mutex_);
    ++figures_.firings_skipped;
  }
  const std::lock_guard lock(book_mutex_);
  const auto written = book_.add_firing({.job = step.schedule,
                                         .due = to_wall(step.due),
                                         .what = "skipped",
                                         .sweep = {},
                                         .why = step.reason},
                                        schedule);
  if (!written) say(written.error().message);
}

// The schedule wants its next sweep in place of the one that runs. What changes devices is let
// finish what it has begun.
void Steward::cancel_for_next(const Agenda::Step& step) {
  std::string id;
  bool now = false;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [sweep, entry] : live_) {
      if (!entry->scheduled || entry->view.job != step.schedule) continue;
      id = sweep;
      now = entry->work != nullptr && !entry->work->record().job.changes_device;
    }
  }
  if (id.empty()) return;
  if (const auto done = cancel(id, now, "schedule"); !done) say(done.error().message);
}

void Steward::clock_was_set() {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, entry] : live_) {
    if (entry->work == nullptr || entry->number == 0) continue;
    hub_.post([this, number = entry->number, closes = entry->work->closes()] {
      hub_.set_closing(number, closes);
    });
  }
}

void Steward::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

void Steward::set_stalled(bool stalled) {
  const std::lock_guard lock(mutex_);
  stalled_ = stalled ? "the store has no room: nothing more is started until there is some" : "";
}

}  // namespace netfleet

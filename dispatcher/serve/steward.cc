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
constexpr std::size_t kMostUnwritten = 10'000;  // firings; as many as the store keeps of a job

WallTime to_wall(Instant instant) { return std::chrono::time_point_cast<Milliseconds>(instant); }
Instant to_instant(WallTime time) { return std::chrono::floor<std::chrono::seconds>(time); }

Schedule schedule_of(const Job& job) {
  Schedule schedule = job.schedule->schedule;
  schedule.name = job.name;
  return schedule;
}

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
  {
    const std::lock_guard lock(mutex_);
    const auto wrong = jobs_.reload();
    if (!wrong) return std::unexpected(wrong.error());
    for (const std::string& problem : *wrong) say(problem);
  }
  if (auto set = set_schedules(); !set) return set;
  recall_durations();
  go_on_with_unfinished();
  // Before the hub hears anybody: it drops what is said of a sweep that it does not know
  // (PROTOCOL.md §8). An inventory that does not answer for so long does not keep the others
  // waiting.
  clerks_.wait(std::chrono::seconds(60));
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
  std::size_t right = 0;
  std::size_t all = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto wrong = jobs_.reload();
    if (!wrong) return say(wrong.error().message);
    for (const std::string& problem : *wrong) say(problem);
    right = jobs_.names().size();
    all = jobs_.views().size();
  }
  if (const auto set = set_schedules(); !set) say(set.error().message);
  say(fmt::format("read the jobs again: {} of {} are right", right, all));
}

// Jobs as they are: changed schedules count from where they were, those that come back from where
// the store has them, new ones from now, which the store is told: whatever dies, nothing that is
// due from now on is forgotten.
Expected<void> Steward::set_schedules() {
  std::map<std::string, std::optional<Instant>> gone;  // schedules, and what waited of them
  {
    const std::lock_guard book_lock(book_mutex_);
    auto stored = book_.schedules();
    if (!stored) return std::unexpected(stored.error());
    std::map<std::string, ScheduleRecord> records;
    for (ScheduleRecord& record : *stored) records.emplace(record.job, std::move(record));

    const std::lock_guard lock(mutex_);
    std::map<std::string, ScheduleState> before = std::exchange(schedules_, {});
    for (const std::string& name : jobs_.names()) {
      const auto job = jobs_.find(name);
      if (!job->schedule) continue;
      const auto [known, is_new] =
          records.try_emplace(name, ScheduleRecord{name, around_.clock.wall(), {}});
      const ScheduleRecord& record = known->second;
      if (is_new) {
        if (const auto put = book_.put_schedule(record); !put) say(put.error().message);
      }
      ScheduleState& state = schedules_[name];
      state.paused = record.paused;
      if (auto old = before.extract(name)) state = std::move(old.mapped());
      if (state.paused.empty()) agenda_.set(schedule_of(*job), to_instant(record.taken));
    }
    for (const auto& [name, state] : before) gone[name] = agenda_.remove(name);
    for (const auto& [id, entry] : live_) {
      if (entry->scheduled) agenda_.started(entry->view.job);
    }
  }
  for (const auto& [name, waiting] : gone) {
    skip_waiting(name, waiting, "its schedule is no longer there");
  }
  return {};
}

std::optional<Instant> Steward::advance() {
  clear_wake();
  {
    const std::lock_guard lock(book_mutex_);
    write_unwritten();
  }
  try_again();
  std::vector<Agenda::Step> steps;
  std::optional<Instant> next;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return std::nullopt;
    steps = agenda_.advance(now());
    next = agenda_.next();
    if (!put_off_.empty()) {
      const auto left =
          std::chrono::ceil<std::chrono::seconds>(try_again_at_ - around_.clock.now());
      next = std::min(next.value_or(Instant::max()), now() + left);
    }
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
  order.taken = to_wall(step.taken);
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
  write_down({.job = job, .due = *order.due, .what = "failed", .sweep = {}, .why = why},
             *order.taken);
  {
    const std::lock_guard lock(mutex_);
    ++figures_.firings_failed;
    agenda_.ended(job);
  }
  wake();
}

void Steward::skip(const Agenda::Step& step) {
  say(fmt::format("job {}: skipped: {}", step.schedule, step.reason));
  {
    const std::lock_guard lock(mutex_);
    ++figures_.firings_skipped;
  }
  write_down({.job = step.schedule,
              .due = to_wall(step.due),
              .what = "skipped",
              .sweep = {},
              .why = step.reason},
             to_wall(step.taken));
}

// What waited behind the sweep that runs, of a schedule that starts nothing any more.
void Steward::skip_waiting(const std::string& job, std::optional<Instant> due,
                           const std::string& why) {
  if (due) skip({Agenda::Step::Kind::kSkip, job, *due, now(), why});
}

// In their order. What there is no room for now is written with the next one, or once there is
// room.
void Steward::write_down(FiringRecord firing, WallTime taken) {
  const std::lock_guard lock(book_mutex_);
  if (unwritten_.size() >= kMostUnwritten) unwritten_.pop_front();
  unwritten_.emplace_back(std::move(firing), taken);
  write_unwritten();
}

void Steward::write_unwritten() {
  while (!unwritten_.empty()) {
    const auto& [firing, taken] = unwritten_.front();
    if (const auto written = book_.add_firing(firing, taken); !written) {
      return say(written.error().message);
    }
    unwritten_.pop_front();
  }
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
  if (!stalled) wake();
}

}  // namespace netfleet

// The lives of a service's sweeps: prepared by a clerk, run by the hub, finished by a clerk.
#include <fmt/format.h>
#include <malloc.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <utility>

#include "common/check.h"
#include "common/duration.h"
#include "dispatcher/serve/steward.h"

namespace netfleet {
namespace {

constexpr std::size_t kMostAtOnce = 256;             // sweeps, prepared ones too
constexpr std::size_t kMostOrdered = 64;             // that somebody waits for, or did
constexpr std::chrono::seconds kTryAgainAfter{20};   // to go on with a sweep
constexpr std::chrono::hours kAnswerWithin{24};      // to a roll-out that asks; then it stops
constexpr std::chrono::seconds kPreparedWithin{60};  // or whoever asks is told to ask again

// Who may be asked whether a roll-out goes on comes over HTTP, and in time: else the answer is no.
class AskedQuestion final : public Question {
 public:
  explicit AskedQuestion(std::function<void()> asked)
      : asked_(std::move(asked)),
        timer_(timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC)) {
    CHECK(timer_ >= 0);
  }
  ~AskedQuestion() override { close(timer_); }
  AskedQuestion(const AskedQuestion&) = delete;
  AskedQuestion& operator=(const AskedQuestion&) = delete;

  void ask() override {
    itimerspec when{};
    when.it_value.tv_sec = std::chrono::seconds(kAnswerWithin).count();
    timerfd_settime(timer_, 0, &when, nullptr);
    asked_();
  }
  int fd() const override { return timer_; }
  // Of one that was answered meanwhile nobody wants it.
  std::optional<bool> take_answer() override {
    std::uint64_t times = 0;
    if (read(timer_, &times, sizeof times) != sizeof times) return std::nullopt;
    return false;
  }

 private:
  std::function<void()> asked_;
  int timer_;
};

std::unexpected<Refusal> refuse(Refusal::Kind kind, std::string message) {
  return std::unexpected(Refusal{kind, std::move(message)});
}

}  // namespace

std::shared_ptr<Steward::Entry> Steward::find(const std::string& sweep) {
  const auto found = live_.find(sweep);
  return found == live_.end() ? nullptr : found->second;
}

void Steward::changed(Entry& entry) {
  ++entry.view.version;
  changed_.notify_all();
}

Answer<SweepOrder> Steward::order_for(const std::string& job) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return refuse(Refusal::Kind::kBusy, "the service is stopping");
  SweepOrder order;
  order.job = jobs_.find(job);
  if (order.job == nullptr) {
    return refuse(Refusal::Kind::kNotFound, fmt::format("there is no job '{}'", job));
  }
  return order;
}

// Of a clerk's thread.
Answer<std::string> Steward::start(const SweepOrder& order) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return refuse(Refusal::Kind::kBusy, "the service is stopping");
    if (live_.size() + preparing_ >= kMostAtOnce) {
      return refuse(Refusal::Kind::kBusy,
                    fmt::format("{} sweeps run already: no more at once", kMostAtOnce));
    }
    ++preparing_;
  }
  auto work = SweepWork::prepare(around_, order);
  if (!work) {
    const std::lock_guard lock(mutex_);
    --preparing_;
    return std::unexpected(work.error());
  }
  const auto entry = enter(std::move(*work));
  if (entry->scheduled) wake();  // what is due behind it
  say(fmt::format("sweep {} of job {} {}: {} hosts", entry->view.id, entry->view.job,
                  order.resume.empty() ? "begins" : "goes on", entry->view.total));
  if (entry->scheduled && order.resume.empty()) {
    audit("schedule", "start", entry->view.job, "done", "sweep " + entry->view.id);
  }
  give_to_hub(entry);
  return entry->view.id;
}

std::shared_ptr<Steward::Entry> Steward::enter(std::unique_ptr<SweepWork> work) {
  const std::lock_guard lock(mutex_);
  --preparing_;
  auto entry = std::make_shared<Entry>();
  const SweepRecord& record = work->record();
  entry->view.id = record.id;
  entry->view.job = record.job_name;
  entry->view.origin = record.origin;
  entry->view.state = "running";
  entry->view.started_at = record.started_at;
  entry->view.total = work->total();
  entry->scheduled = record.origin == "schedule";
  entry->number = record.number;
  entry->work = std::move(work);
  entry->question = std::make_unique<AskedQuestion>([this, id = record.id] {
    const std::lock_guard asked(mutex_);
    if (const auto one = find(id)) {
      one->view.state = "asking";
      changed(*one);
    }
  });
  live_.emplace(record.id, entry);
  if (entry->scheduled) agenda_.started(record.job_name);
  ++figures_.sweeps_started;
  return entry;
}

void Steward::give_to_hub(const std::shared_ptr<Entry>& entry) {
  hub_.post([this, entry] {
    if (!around_.options.listen.empty()) hub_.add_credentials(entry->work->credentials());
    auto added = hub_.add(run_of(entry), entry->work->recorder(),
                          [this, entry](SweepEnd end) { ended(entry, std::move(end)); });
    if (added) return;
    say(fmt::format("sweep {}: {}", entry->view.id, added.error().message));
    clerks_.add([this, entry] { remove(entry); });
  });
}

SweepRun Steward::run_of(const std::shared_ptr<Entry>& entry) {
  SweepRun run = entry->work->run();
  run.question = entry->question.get();
  run.recorded = [this, entry](Outcome outcome) {
    entry->work->recorded(outcome);
    const std::lock_guard lock(mutex_);
    ++entry->view.done;
    ++entry->view.by_outcome[static_cast<std::size_t>(outcome)];
    ++figures_.tasks_by_outcome[static_cast<std::size_t>(outcome)];
  };
  run.progress = [this, entry, done = std::uint32_t{0}](std::uint32_t running) mutable {
    const std::lock_guard lock(mutex_);
    if (entry->view.running == running && std::exchange(done, entry->view.done) == done) return;
    done = entry->view.done;
    entry->view.running = running;
    changed(*entry);
  };
  return run;
}

// Of the hub's thread.
void Steward::ended(const std::shared_ptr<Entry>& entry, SweepEnd end) {
  {
    const std::lock_guard lock(mutex_);
    entry->view.state = "ending";
    changed(*entry);
  }
  clerks_.add([this, entry, end = std::move(end)] { conclude(entry, end); });
}

void Steward::conclude(const std::shared_ptr<Entry>& entry, const SweepEnd& end) {
  entry->work->conclude(end);
  const auto took = end.report.summary.elapsed.value_or(Milliseconds(0));
  const auto ok = end.report.summary.by_outcome[static_cast<std::size_t>(Outcome::kOk)];
  say(fmt::format("sweep {} of job {} has ended: {} of {} ok, in {}", entry->view.id,
                  entry->view.job, ok, entry->view.total, format_duration(took)));
  if (end.guarded && entry->scheduled) pause_for_guard(*entry);
  {
    const std::lock_guard lock(mutex_);
    ++figures_.sweeps_ended;
    const bool all_ok = ok == entry->view.total && !end.report.store_error;
    if (const auto state = schedules_.find(entry->view.job);
        entry->scheduled && state != schedules_.end()) {
      state->second.last_took = took;
      if (all_ok) state->second.last_success = around_.clock.wall();
      const auto job = jobs_.find(entry->view.job);
      const std::string warning =
          job == nullptr ? "" : warning_of(entry->view.job, job->schedule->schedule);
      if (!warning.empty()) say(fmt::format("job {}: {}", entry->view.job, warning));
    }
  }
  remove(entry);
  prune();
  malloc_trim(0);  // else the process stays as large as its largest sweep
}

void Steward::remove(const std::shared_ptr<Entry>& entry) {
  std::unique_ptr<SweepWork> work;  // goes outside the lock
  {
    const std::lock_guard lock(mutex_);
    live_.erase(entry->view.id);
    if (entry->scheduled) agenda_.ended(entry->view.job);
    changed(*entry);
    work = std::move(entry->work);
  }
  wake();
}

// A schedule that tries a refused password again and again would lock the account.
void Steward::pause_for_guard(const Entry& entry) {
  const std::string why = fmt::format(
      "the authentication guard ended sweep {}: once its credential is good again, 'netfleet "
      "schedule resume {}'",
      entry.view.id, entry.view.job);
  ScheduleRecord record = schedule_record(entry.view.job);
  record.paused = why;
  std::optional<Instant> waiting;
  {
    const std::lock_guard lock(mutex_);
    const auto state = schedules_.find(entry.view.job);
    if (state == schedules_.end()) return;
    state->second.paused = why;
    waiting = agenda_.remove(entry.view.job);
  }
  skip_waiting(entry.view.job, waiting, "its schedule was paused");
  say(fmt::format("job {}: its schedule is paused: {}", entry.view.job, why));
  audit("guard", "pause", entry.view.job, "done", why);
  const std::lock_guard lock(book_mutex_);
  if (const auto put = book_.put_schedule(record); !put) say(put.error().message);
}

void Steward::prune() {
  const ServeOptions& options = around_.options;
  if (!options.keep_sweeps && !options.keep_days) return;
  auto store = Store::open(around_.store);
  if (!store) return say(store.error().message);
  RetentionRules rules{.keep_sweeps = options.keep_sweeps, .keep_since = std::nullopt};
  if (options.keep_days) {
    rules.keep_since = around_.clock.wall() - std::chrono::days(*options.keep_days);
  }
  const auto old = store->old_sweeps(rules);
  if (!old) return say(old.error().message);
  if (old->empty()) return;
  for (const SweepRecord& sweep : *old) {
    if (const auto gone = store->remove_sweep(sweep); !gone) return say(gone.error().message);
  }
  if (const auto gone = store->remove_leftovers(); !gone) say(gone.error().message);
}

void Steward::go_on_with_unfinished() {
  std::vector<SweepRecord> unfinished;
  {
    const std::lock_guard lock(book_mutex_);
    auto read = book_.unfinished_sweeps();
    if (!read) return say(read.error().message);
    unfinished = std::move(*read);
  }
  for (SweepRecord& record : unfinished) go_on_with(std::move(record));
}

void Steward::go_on_with(SweepRecord record) {
  auto order = order_for(record.job_name);
  if (!order) return put_off(std::move(record), order.error().message);
  order->origin = record.origin;
  order->resume = record.id;
  if (record.origin == "schedule") {
    const std::lock_guard lock(mutex_);
    agenda_.goes_on(record.job_name);
  }
  clerks_.add([this, order = std::move(*order), record = std::move(record)] {
    const auto started = start(order);
    const std::string job = record.job_name;
    const bool scheduled = record.origin == "schedule";
    if (!started) put_off(record, started.error().message);
    {
      const std::lock_guard lock(mutex_);
      if (started) problems_.erase(record.id);
      if (!started && scheduled) agenda_.ended(job);
    }
    wake();
  });
}

// An inventory that does not answer, a full disk, a job that is not there: it may be mended.
void Steward::put_off(SweepRecord record, const std::string& why) {
  std::string problem = fmt::format("sweep {} is not gone on with: {}", record.id, why);
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  std::string& told = problems_[record.id];
  if (told != problem) say(problem);
  told = std::move(problem);
  put_off_.push_back(std::move(record));
  try_again_at_ = around_.clock.now() + kTryAgainAfter;
}

// Behind what runs of its schedule meanwhile, if something does.
void Steward::try_again() {
  std::vector<SweepRecord> again;
  {
    const std::lock_guard lock(mutex_);
    if (put_off_.empty() || around_.clock.now() < try_again_at_) return;
    try_again_at_ = around_.clock.now() + kTryAgainAfter;
    std::vector<SweepRecord> busy;
    for (SweepRecord& record : std::exchange(put_off_, {})) {
      const bool waits = record.origin == "schedule" && agenda_.is_busy(record.job_name);
      (waits ? busy : again).push_back(std::move(record));
    }
    put_off_ = std::move(busy);
  }
  for (SweepRecord& record : again) go_on_with(std::move(record));
}

// Of somebody who waits for the answer. Who gives up waiting may ask again with the same key: it is
// not begun twice.
Answer<std::string> Steward::start_and_wait(SweepOrder order) {
  const std::pair key{order.origin, order.request};
  {
    const std::lock_guard lock(mutex_);
    if (ordered_.size() >= kMostOrdered) {
      return refuse(Refusal::Kind::kBusy, fmt::format("{} are being prepared", kMostOrdered));
    }
    if (!order.request.empty() && ordered_.contains(key)) {
      return refuse(Refusal::Kind::kBusy, "it is being prepared: ask again");
    }
    ordered_.insert(key);
  }
  auto promise = std::make_shared<std::promise<Answer<std::string>>>();
  auto started = promise->get_future();
  clerks_.add([this, promise, key, order = std::move(order)] {
    auto answer = start(order);
    {
      const std::lock_guard lock(mutex_);
      ordered_.erase(ordered_.find(key));
    }
    promise->set_value(std::move(answer));
  });
  if (started.wait_for(kPreparedWithin) == std::future_status::ready) return started.get();
  return refuse(Refusal::Kind::kBusy,
                "it is still being prepared: ask again with the same Idempotency-Key");
}

}  // namespace netfleet

// dispatcher/serve: the service: which jobs become sweeps, when, and what is said of them. One
// thread keeps the agenda (serve()), the hub has its own, clerks do what takes time, and whoever
// asks over HTTP comes on threads of the API's.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "dispatcher/api/audit.h"
#include "dispatcher/api/service.h"
#include "dispatcher/fleet/hub.h"
#include "dispatcher/schedule/agenda.h"
#include "dispatcher/serve/clerks.h"
#include "dispatcher/serve/job_book.h"
#include "dispatcher/serve/sweep_work.h"
#include "dispatcher/store/store.h"

namespace netfleet {

class Steward final : public Service {
 public:
  // All outlive it. `book`: a connection of its own, of the service's history.
  Steward(const Surroundings& around, Hub& hub, Store book, JobBook jobs, Audit* audit);
  ~Steward() override;

  // Reads the jobs; what is wrong with single ones is said. Then goes on with sweeps of before.
  Expected<void> begin();
  // SIGHUP: jobs as they are now, without touching what runs.
  void reload();
  // What is due becomes a sweep. Returns when to call it again; at the latest when wake_fd() is
  // readable, or the clock was set.
  std::optional<Instant> advance();
  int wake_fd() const { return wake_fd_; }
  void wake();        // from any thread
  void clear_wake();  // as advance() does
  void clock_was_set();
  // Nothing more is begun. After the hub has ended, the destructor finishes what is left.
  void stop();
  // Of the hub's thread: the store has no room now, or has some again.
  void set_stalled(bool stalled);

  Answer<std::string> submit(const Submission& submission) override;
  Answer<std::string> retry(const std::string& sweep, OutcomeSet only, bool may_change,
                            const std::string& who, const std::string& key) override;
  Answer<void> cancel(const std::string& sweep, bool now, const std::string& who) override;
  Answer<void> answer(const std::string& sweep, bool go_on, const std::string& who) override;
  std::vector<LiveSweep> live_sweeps() override;
  std::optional<LiveSweep> watch(const std::string& sweep, std::uint64_t seen,
                                 Milliseconds at_most) override;
  std::vector<JobView> jobs() override;
  std::vector<ScheduleView> schedules() override;
  Answer<std::vector<FiringView>> firings(const std::string& job, std::size_t limit) override;
  Answer<void> set_paused(const std::string& job, bool paused, const std::string& who) override;
  Answer<std::vector<WorkerInfo>> workers() override;
  Health health() override;
  ServiceFigures figures() override;

 private:
  // A sweep that is being prepared, runs or is being finished.
  struct Entry {
    LiveSweep view;
    bool scheduled = false;
    std::uint32_t number = 0;
    std::unique_ptr<SweepWork> work;
    std::unique_ptr<Question> question;
  };
  struct ScheduleState {
    std::string paused;  // why; empty: it is not
    Milliseconds last_took{0};
    std::optional<WallTime> last_success{};  // of this service's life
  };

  void recall_durations();
  void go_on_with_unfinished();
  void go_on_with(SweepRecord record);
  void put_off(SweepRecord record, const std::string& why);
  void try_again();
  Expected<void> set_schedules();
  void take(const Agenda::Step& step);
  void fire(const Agenda::Step& step);
  void skip(const Agenda::Step& step);
  void cancel_for_next(const Agenda::Step& step);
  void could_not_fire(const SweepOrder& order, const std::string& why);
  void write_down(FiringRecord firing, WallTime taken);
  void write_unwritten();
  void skip_waiting(const std::string& job, std::optional<Instant> due, const std::string& why);
  Answer<std::string> start(const SweepOrder& order);
  Answer<std::string> start_and_wait(SweepOrder order);
  Answer<SweepOrder> order_for(const std::string& job);
  Answer<std::optional<std::string>> begun_before(const std::string& who, const std::string& key);
  std::shared_ptr<Entry> enter(std::unique_ptr<SweepWork> work);
  void give_to_hub(const std::shared_ptr<Entry>& entry);
  SweepRun run_of(const std::shared_ptr<Entry>& entry);
  void ended(const std::shared_ptr<Entry>& entry, SweepEnd end);
  void conclude(const std::shared_ptr<Entry>& entry, const SweepEnd& end);
  void remove(const std::shared_ptr<Entry>& entry);
  void pause_for_guard(const Entry& entry);
  void prune();
  ScheduleRecord schedule_record(const std::string& job);
  std::string warning_of(const std::string& job, const Schedule& schedule);
  std::shared_ptr<Entry> find(const std::string& sweep);
  Instant now() const;
  void changed(Entry& entry);
  void say(const std::string& line);
  void audit(const std::string& who, const std::string& action, const std::string& object,
             const std::string& outcome, const std::string& detail);

  const Surroundings& around_;
  Hub& hub_;
  Audit* audit_;
  int wake_fd_;
  const WallTime since_;

  std::mutex book_mutex_;
  Store book_;  // guarded by book_mutex_, as the next one
  std::deque<std::pair<FiringRecord, WallTime>> unwritten_;  // there was no room for them

  std::mutex mutex_;  // guards all below, down to the clerks
  std::condition_variable changed_;
  JobBook jobs_;
  Agenda agenda_;
  std::map<std::string, ScheduleState> schedules_;      // by job, of those with a schedule
  std::map<std::string, std::shared_ptr<Entry>> live_;  // by id
  std::size_t preparing_ = 0;
  std::multiset<std::pair<std::string, std::string>> ordered_;  // by whom, and with which key
  bool stopping_ = false;
  std::string stalled_;
  std::vector<SweepRecord> put_off_;  // that could not be gone on with
  TimePoint try_again_at_{};
  std::map<std::string, std::string> problems_;  // by what they are about
  ServiceFigures figures_;

  Clerks clerks_;  // last: their work uses all of the above
};

}  // namespace netfleet

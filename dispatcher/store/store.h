// dispatcher/store: sweeps and results in SQLite (WAL). The only user of SQLite. Not for rendering
// and not for deciding anything.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/error.h"
#include "common/task.h"

namespace netfleet {

struct SweepRecord {
  std::uint32_t number = 0;  // given by the store, unique in it; what the wire uses
  std::string id;            // as users see it: 20261122-191548-3fa9
  WallTime started_at;
  std::optional<WallTime> ended_at;  // empty: running, or its dispatcher died
  std::uint32_t total = 0;
  JobSpec job;
  std::uint32_t retries = 1;
  std::uint32_t max_auth_failures = 1;
  bool retry_unsafe = false;
  bool limited = false;        // its inventory has limits, which are not kept here
  Milliseconds lease{10'000};  // the longest that its workers were ever given
  std::string boot_id;         // of the machine when it was begun; empty: unknown
  std::string rollout;         // as dispatcher/sweep writes it; empty: none
  bool guarded = false;        // the authentication guard ended it
  // Of a service's sweeps only, else empty.
  std::string job_name;         // its name there
  std::string origin;           // "schedule", or who submitted it
  std::optional<WallTime> due;  // of the firing that it is for
  std::string request;          // the submission's key; unique for one origin
};

// A service's schedule, by its job's name.
struct ScheduleRecord {
  std::string job;
  WallTime taken;      // all its firings up to here were taken
  std::string paused;  // why it is; empty: it is not
};

// What became of a firing.
struct FiringRecord {
  std::string job;
  WallTime due;
  std::string what;   // "started", "skipped" or "failed"
  std::string sweep;  // started: its id
  std::string why;    // else
};

// Who has the newest attempt at a task.
struct GrantRecord {
  std::uint32_t index = 0;
  std::uint32_t attempt = 1;
  std::uint64_t owner = 0;  // incarnation of a worker; 0: nobody yet
  std::uint8_t deaths = 0;  // workers that were lost with it
  std::uint8_t retries_used = 0;
};

// How far a task is: its newest grant, and its outcome if there is a result.
struct TaskState {
  GrantRecord grant;
  std::optional<Outcome> outcome;
};

// How long the tasks of a sweep took that were tried.
struct SweepDurations {
  std::uint32_t tasks = 0;
  Milliseconds mean{0};
  Milliseconds longest{0};
};

// Which sweeps stay: those that one of the rules keeps.
struct RetentionRules {
  std::optional<std::uint32_t> keep_sweeps;  // so many, the newest
  std::optional<WallTime> keep_since;        // those that were begun then or later
  bool unfinished =
      false;  // those that have not ended may go, too; else they stay and do not count
};

// The tasks of one host in two sweeps, by their indexes; it may be in one of them only.
struct TaskPair {
  std::string host;
  std::string region;
  std::string platform;  // as used the last time
  std::optional<std::uint32_t> before;
  std::optional<std::uint32_t> after;
  bool same = false;  // both ok, with the same outputs
};

// That nobody else works at this sweep; given up by its destructor, or the end of the process.
class SweepLock {
 public:
  SweepLock() = default;
  explicit SweepLock(int fd) : fd_(fd) {}
  SweepLock(SweepLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  SweepLock& operator=(SweepLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~SweepLock();

 private:
  int fd_ = -1;
};

// One thread at a time; several processes may read while one writes. Every function returns an
// Error (disk full, locked for longer than 10 s, corrupt, made by a newer netfleet) and never
// throws.
class Store {
 public:
  // `path` empty: a private temporary database that vanishes (--store none). Creates missing
  // directories (0700) and the file (0600).
  static Expected<Store> open(const std::string& path);
  // $XDG_STATE_HOME/netfleet/store.db, else ~/.local/state/netfleet/store.db. `home` and
  // `state_home` are those variables' values (may be empty; a relative state_home does not count,
  // as the XDG specification says). Empty when neither is usable.
  static std::string default_path(const std::string& state_home, const std::string& home);

  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  // Adds the sweep with all its tasks (in index order) and sets record.number.
  Expected<void> add_sweep(SweepRecord& record, std::span<const TaskSpec> tasks);
  // Results in one transaction; bodies zstd-compressed, stored once per distinct content. A result
  // for an index that has one already is ignored: the first one counts.
  Expected<void> save_results(std::uint32_t sweep, std::span<const TaskResult> results) {
    return save(sweep, {}, results);
  }
  // The same with the newest grants, in the same transaction, before the results.
  Expected<void> save(std::uint32_t sweep, std::span<const GrantRecord> grants,
                      std::span<const TaskResult> results);
  // Of hosts of platform "auto": what save() was told of the same address, port and user before, in
  // any sweep. A temporary store remembers nothing.
  Expected<void> recall_platforms(std::span<TaskSpec> tasks);
  // Every later transaction is on the disk when it returns, so that it survives a power cut; else
  // it survives only the end of this process.
  Expected<void> set_durable();
  // `guarded`: as in SweepRecord.
  Expected<void> end_sweep(std::uint32_t sweep, WallTime ended_at, bool guarded = false);

  // Whether what failed last may work again by itself: the disk was full, or another process in the
  // way.
  bool may_recover() const;

  // A sweep of a schedule: in the same transaction its firing is written down as started, and its
  // schedule as taken up to `taken`. Whether it is paused stays as it is.
  Expected<void> add_fired_sweep(SweepRecord& record, std::span<const TaskSpec> tasks,
                                 WallTime taken);
  // The same for firings of which nothing came. The newest 10,000 firings of each job are kept.
  Expected<void> add_firing(const FiringRecord& firing, WallTime taken);
  Expected<void> put_schedule(const ScheduleRecord& schedule);
  Expected<std::vector<ScheduleRecord>> schedules();
  // The newest first; of all jobs when `job` is empty.
  Expected<std::vector<FiringRecord>> firings(const std::string& job, std::size_t limit);
  // Of a service: those that have not ended, oldest first; the newest of a job that has ended; the
  // one of a request.
  Expected<std::vector<SweepRecord>> unfinished_sweeps();
  Expected<std::optional<SweepRecord>> newest_ended(const std::string& job);
  Expected<std::optional<SweepRecord>> sweep_of_request(const std::string& origin,
                                                        const std::string& request);
  // An error when another process is the service of this store.
  Expected<SweepLock> lock_service();
  // A database of SQLite that is no whole one any more is renamed, with what belongs to it, so that
  // another can be begun; returns its new name, or nothing: it is whole, or not there. Files above
  // 1 GiB are only looked at, not read.
  static Expected<std::string> set_aside_if_damaged(const std::string& path, WallTime now);

  // 64 random bits, made with the store: sweep numbers mean something only together with them.
  Expected<std::uint64_t> identity();

  // For going on with a sweep whose dispatcher has died. The states are those of the tasks that
  // were granted at least once or are done, in index order.
  Expected<std::vector<TaskSpec>> tasks(std::uint32_t sweep);
  Expected<std::vector<TaskState>> task_states(std::uint32_t sweep);
  // Another process works at it now, and gives leases of this length. The boot id stays: after a
  // second death of the machine the journal is no more certain than after the first. Returns the
  // least attempt that none before can have begun: with `uncertain` it rises each time, and is on
  // the disk before this returns.
  Expected<std::uint32_t> take_over(std::uint32_t sweep, Milliseconds lease, bool uncertain);
  // An error when another process has it. Nothing is locked in a temporary store.
  Expected<SweepLock> lock_sweep(const SweepRecord& sweep);

  // "last", a whole id, or an unambiguous beginning of one.
  Expected<SweepRecord> find_sweep(const std::string& name);
  // Newest first.
  Expected<std::vector<SweepRecord>> sweeps(std::size_t limit);
  Expected<SweepDurations> durations(std::uint32_t sweep);
  // How many results it has of each outcome.
  Expected<std::array<std::uint32_t, kOutcomeCount>> outcome_counts(std::uint32_t sweep);
  Expected<TaskSpec> task(std::uint32_t sweep, std::uint32_t index);
  // Empty when there is none yet.
  Expected<std::optional<TaskResult>> result(std::uint32_t sweep, std::uint32_t index);
  // In index order, a bounded number of rows in memory at a time; tasks come without their
  // configuration, those without a result with nullptr. Return false from `visit` to stop. Nothing
  // is locked while `visit` runs.
  using Visit = std::function<bool(const TaskSpec&, const TaskResult*)>;
  Expected<void> for_each(std::uint32_t sweep, const Visit& visit);
  // The same for the tasks `first` .. `first + count - 1`.
  Expected<void> for_range(std::uint32_t sweep, std::uint32_t first, std::uint32_t count,
                           const Visit& visit);

  // The newest ended sweep before this one that ran the same commands.
  Expected<std::optional<SweepRecord>> sweep_before(const SweepRecord& sweep);
  // Finds out which tasks of two sweeps are of one host; for_pairs() then visits them, in the order
  // of `after`, at the end those of `before` alone, some in memory at a time. `look_for_same`: only
  // if both sweeps ran the same commands. Return false from `visit` to stop.
  Expected<void> pair_tasks(std::uint32_t before, std::uint32_t after);
  Expected<void> for_pairs(bool look_for_same, const std::function<bool(const TaskPair&)>& visit);

  // What does not stay, newest first.
  Expected<std::vector<SweepRecord>> old_sweeps(const RetentionRules& rules);
  // False, and it stays: another process works at it. Its outputs stay until remove_leftovers(),
  // which takes away what no sweep refers to, also of removals that were cut short, and returns how
  // many distinct outputs these were. Other processes may read and write meanwhile.
  Expected<bool> remove_sweep(const SweepRecord& sweep);
  Expected<std::uint64_t> remove_leftovers();
  // Gives unused room in the file back to the disk; needs as much again for the time. Writers wait.
  Expected<void> compact();

 private:
  struct Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace netfleet

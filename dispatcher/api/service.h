// dispatcher/api: what a long-lived dispatcher does for those who ask over HTTP. The service
// (dispatcher/serve) implements it; the server (server.h) speaks HTTP for it. Results, comparisons
// and old sweeps are read from the store directly, by whoever shows them.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/outcome.h"
#include "common/outcome_set.h"

namespace netfleet {

// Why something is not done; the message is for people.
struct Refusal {
  enum class Kind : std::uint8_t {
    kInvalid,    // what was asked for makes no sense: 400
    kForbidden,  // the token does not allow it: 403
    kNotFound,   // 404
    kConflict,   // not in this state: it has ended, it is being stopped: 409
    kBusy,       // too much at once, or shutting down: 503
    kInternal    // 500
  };
  Kind kind = Kind::kInternal;
  std::string message;
};
template <typename T>
using Answer = std::expected<T, Refusal>;

// A sweep of a job of the service's directory, at once.
struct Submission {
  std::string job;                           // its name
  std::vector<std::string> limits;           // narrow the job's hosts further
  std::optional<std::string> configuration;  // lines, instead of what the job does
  std::vector<std::string> commands;         // instead of the job's
  bool dry_run = false;                      // with a configuration
  bool may_change = false;                   // whoever asks may change devices
  std::string who;                           // "api:NAME", as it is kept with the sweep
  // The same key again is the same submission: its sweep is returned, and none begun. Of one `who`.
  // Empty: none.
  std::string key;
};

// A sweep that runs, or is being prepared or finished. Ended ones are in the store.
struct LiveSweep {
  std::string id;
  std::string job;
  std::string origin;  // "schedule", or the `who` of a Submission
  std::string state;   // "running", "asking" (a roll-out waits for an answer), "draining", "ending"
  std::string why;     // asking: too many failed; "": nothing to say
  WallTime started_at;
  std::uint32_t total = 0;
  std::uint32_t running = 0;                              // tasks at work now
  std::uint32_t done = 0;                                 // results that are safe
  std::array<std::uint32_t, kOutcomeCount> by_outcome{};  // of those
  std::uint64_t version = 0;                              // grows with each change of the above
};

struct ScheduleView {
  std::string job;
  std::string cron;
  std::string zone;
  std::optional<WallTime> next;            // none: paused
  bool paused = false;                     // by somebody, until resumed; survives a restart
  std::optional<std::string> running;      // the sweep that it started
  std::string warning;                     // "cannot finish before its next start: ...", or empty
  std::optional<WallTime> last_success{};  // end of its newest sweep of which every host was ok
};

// What became of one firing of a schedule.
struct FiringView {
  std::string job;
  WallTime due;
  std::string what;   // "started", "skipped", "failed"
  std::string sweep;  // its id, when it was started
  std::string why;    // otherwise
};

struct JobView {
  std::string name;
  std::string path;
  std::string error;  // of the file as it is now; what ran before goes on with what was read before
  bool changes = false;
  bool scheduled = false;
};

struct WorkerInfo {
  std::string name;
  std::vector<std::string> regions;
  std::uint32_t slots = 0;
  std::uint32_t free = 0;
  std::uint32_t running = 0;
  std::uint64_t done = 0;
  Milliseconds joined_ago{0};
  Milliseconds seen_ago{0};
  bool silent = false;
};

struct Health {
  bool ok = true;
  std::string version;
  WallTime since;
  std::vector<std::string> problems;  // "the store's disk is full: ...": one line each
  std::uint32_t workers = 0;
  std::uint32_t slots = 0;
  std::uint32_t running = 0;
  std::uint32_t sweeps = 0;  // live ones
};

// Figures since the start, for /metrics.
struct ServiceFigures {
  std::array<std::uint64_t, kOutcomeCount> tasks_by_outcome{};
  std::uint64_t sweeps_started = 0;
  std::uint64_t sweeps_ended = 0;
  std::uint64_t firings_skipped = 0;
  std::uint64_t firings_failed = 0;
  std::uint64_t malformed_messages = 0;
  std::uint64_t retries = 0;
  std::uint64_t leases_lost = 0;
  std::vector<std::string> limits_full;  // names of limits that tasks wait for now
};

// Every function is for any thread, at once, and returns within some seconds.
class Service {
 public:
  virtual ~Service() = default;

  // The sweep's id, once it is in the store and will run whatever dies.
  virtual Answer<std::string> submit(const Submission& submission) = 0;
  // A new sweep over those hosts of an ended one that ended so. `key`: as a Submission's; retries
  // and submissions have theirs in common.
  virtual Answer<std::string> retry(const std::string& sweep, OutcomeSet only, bool may_change,
                                    const std::string& who, const std::string& key) = 0;
  // Drains it: what runs is finished, nothing else started. `now`: what runs is stopped, too.
  virtual Answer<void> cancel(const std::string& sweep, bool now, const std::string& who) = 0;
  // To a roll-out that asks whether it goes on.
  virtual Answer<void> answer(const std::string& sweep, bool go_on, const std::string& who) = 0;

  virtual std::vector<LiveSweep> live_sweeps() = 0;
  // Waits until the live sweep's version is another than `seen`, or it is live no more (empty), or
  // the time is over (as it is then). `sweep`: its whole id.
  virtual std::optional<LiveSweep> watch(const std::string& sweep, std::uint64_t seen,
                                         Milliseconds at_most) = 0;

  virtual std::vector<JobView> jobs() = 0;
  virtual std::vector<ScheduleView> schedules() = 0;
  // The newest ones first; of all jobs when `job` is empty.
  virtual Answer<std::vector<FiringView>> firings(const std::string& job, std::size_t limit) = 0;
  virtual Answer<void> set_paused(const std::string& job, bool paused, const std::string& who) = 0;

  virtual Answer<std::vector<WorkerInfo>> workers() = 0;
  virtual Health health() = 0;
  virtual ServiceFigures figures() = 0;
};

}  // namespace netfleet

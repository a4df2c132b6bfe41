// dispatcher/serve: one sweep of a service, from its order to its end: what `netfleet run` does of
// it, but for the hub and the worker, which all sweeps share. Everything here may take time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dispatcher/api/service.h"
#include "dispatcher/cli/console.h"
#include "dispatcher/cli/notify_option.h"
#include "dispatcher/cli/run_setup.h"
#include "dispatcher/cli/serve_options.h"
#include "dispatcher/cli/worker_side.h"
#include "dispatcher/fleet/hub.h"
#include "dispatcher/fleet/recorder.h"
#include "dispatcher/job/job.h"
#include "dispatcher/serve/credential_book.h"
#include "dispatcher/store/store.h"

namespace netfleet {

// What all sweeps have in common; outlives them.
struct Surroundings {
  const ServeOptions& options;
  const WorkerSide& worker_side;
  const Clock& clock;
  std::string store;  // its path
  std::string login;  // as in JobBook
  Console& console;
  CredentialBook& credentials;
};

// Which sweep is wanted.
struct SweepOrder {
  std::shared_ptr<const Job> job;
  std::string origin;             // "schedule", "api:NAME"
  std::optional<WallTime> due;    // of a firing: when it was, ...
  std::optional<WallTime> taken;  // ... and up to when all are taken with it
  std::string request;            // as in SweepRecord
  Submission submission;          // what it says besides the job
  std::string resume;             // the id of a sweep to go on with
  std::string repeat;             // the id of one whose hosts ...
  OutcomeSet only;                // ... that ended so are visited again
};

class SweepWork {
 public:
  // Reads the inventory and all that belongs to it, and puts the sweep into the store: from then on
  // it will be run, whatever dies.
  static Answer<std::unique_ptr<SweepWork>> prepare(const Surroundings& around,
                                                    const SweepOrder& order);

  const SweepRecord& record() const { return setup_.record; }
  const Job& job() const { return *job_; }
  std::uint32_t total() const { return static_cast<std::uint32_t>(setup_.tasks.size()); }
  // What the hub is to be given, once, without its functions.
  SweepRun run();
  Recorder& recorder() { return *recorder_; }
  const CredentialStore& credentials() const { return setup_.credentials; }
  // Of the hub's thread: a result is safe.
  void recorded(Outcome outcome) { notices_->count(outcome); }
  // When nothing of it is started any more, as the clock stands now.
  TimePoint closes() const;
  // Once the hub has ended it: the store is told, and whoever wants to be.
  void conclude(const SweepEnd& end);

 private:
  SweepWork(const Surroundings& around, std::shared_ptr<const Job> job, Store store,
            RunOptions options, RunSetup setup)
      : around_(around),
        job_(std::move(job)),
        store_(std::move(store)),
        options_(std::move(options)),
        setup_(std::move(setup)) {}
  Expected<void> begin(const SweepOrder& order);
  Expected<void> put_into_store(const SweepOrder& order);
  Expected<RecorderOptions> recorder_options();
  std::vector<TimePoint> turns() const;
  TimePoint steady(WallTime time) const;
  bool never_twice() const {
    return setup_.record.job.changes_device && !setup_.record.retry_unsafe;
  }

  const Surroundings& around_;
  std::shared_ptr<const Job> job_;
  Store store_;
  RunOptions options_;
  RunSetup setup_;
  SweepLock lock_;
  std::uint32_t least_attempt_ = 1;
  std::optional<SweepNotices> notices_;
  std::unique_ptr<Recorder> recorder_;
};

}  // namespace netfleet

// dispatcher/sweep: the ledger decides who runs what. Pure: events in, actions out, the time passed
// in. It holds no address, no command and no output, so a task costs some 40 bytes. The states and
// their transitions are PROTOCOL.md §5.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "common/clock.h"
#include "common/codec.h"
#include "common/outcome.h"
#include "dispatcher/sweep/limits.h"
#include "dispatcher/sweep/rollout.h"

namespace netfleet {

struct LedgerOptions {
  Milliseconds lease{10'000};
  Milliseconds heartbeat{1'500};     // asked of workers; at most a sixth of the lease
  Milliseconds offer_expiry{1'000};  // T, at least; longer where claims come later than that
  std::uint32_t offers_per_frame = 64;
  std::uint32_t min_workers = 1;         // nothing is offered before so many have said hello
  std::uint32_t worker_deaths = 2;       // a task that cost so many workers is quarantined
  Milliseconds region_timeout{300'000};  // without a worker that serves it
  bool report_progress = false;
  std::uint64_t epoch = 1;       // of this start
  std::uint64_t journal_id = 0;  // of the store: made with it, the same after a restart on it
  std::uint64_t seed = 1;        // of the back-off's jitter
};

// What the ledger must know of one sweep.
struct SweepPlan {
  struct Task {
    std::uint16_t lane = 0;        // index into the ledger's lanes (add_lane)
    std::uint16_t credential = 0;  // index into credentials
    Limits::Subject subject{};     // a set of Ledger::limits()
    TimePoint not_before{};        // its turn; nothing of it is offered earlier
  };
  // What the journal says of a task of a sweep that goes on after a restart. Those that it says
  // nothing of were never granted.
  struct Restored {
    std::uint32_t index = 0;
    std::uint32_t attempt = 1;
    std::uint64_t owner = 0;  // incarnation that the attempt was granted to; 0: to none yet
    std::uint8_t deaths = 0;
    std::uint8_t retries_used = 0;
    std::optional<Outcome> outcome;  // done: its result is stored
  };
  std::uint32_t sweep = 0;  // its number, from 1
  std::vector<Task> tasks;  // in inventory order
  std::vector<std::string> credentials;
  bool changes_device = false;
  bool retry_unsafe = false;            // repeat even what changes the device
  std::uint32_t retries = 1;            // further attempts after the first
  std::uint32_t max_auth_failures = 1;  // of one credential, then the sweep ends; 0: never
  bool journaled = false;               // grants outlive this process, or a repeated one does harm
  std::uint8_t priority = 0;            // sweeps of a higher one go first; equals share
  std::vector<Restored> restored;
  // The longest lease that an earlier dispatcher of this sweep granted; leases of then run so long.
  Milliseconds lease_before{0};
  // The journal may lack the newest grants (the machine lost power): what was granted then must
  // have run out before anything is offered or granted.
  bool journal_uncertain = false;
  // No attempt that is begun from now on has a lower number: one that the journal has forgotten may
  // have it, whose late result would be taken for the new one's.
  std::uint32_t least_attempt = 1;
  RolloutSpec rollout;
  // From then on nothing of it is started: what is left ends as deferred, for this reason.
  TimePoint closes = TimePoint::max();
  std::string why_closed{};
};

// What the shell must do, in order.
// Must be safe in the store before any later action is carried out: whatever this process has told
// anybody, its successor knows.
struct Journal {
  TaskKey task;
  std::uint32_t attempt;
  std::uint64_t owner;  // 0: of nobody
  std::uint8_t deaths;
  std::uint8_t retries_used;
};
struct SendToWorker {
  std::uint64_t incarnation;
  v1::ToWorker message;  // a Grant's tasks hold only their TaskRef: the shell fills in the rest
};
// A task ended without a result from a worker: cancelled, skipped, lost.
struct TaskEnded {
  TaskKey task;
  std::uint32_t attempt;
  Outcome outcome;
  std::string error;
  std::string worker;
};
// For the log: keys and values are fixed words (style.md §3.5).
struct Noted {
  enum class What : std::uint8_t {
    kWorkerJoined,
    kWorkerLeft,
    kWorkerSilent,
    kGranted,
    kRetry,
    kLeaseEnded,
    kLateResult,  // of a task that had ended as lost: it was finished after all
    kGuard,
    kRegionWaits,    // `worker` is the region
    kRegionGivenUp,  // `worker` is the region
    kBatch,          // the roll-out's next one may start
    kRolloutAsks,    // too many failed: nothing starts until answer()
    kRolloutStopped,
    kClosed  // the time has come in which nothing of the sweep is started
  };
  What what;
  std::string worker;
  TaskKey task{};
  std::uint32_t attempt = 0;
  Outcome outcome = Outcome::kOk;
  std::uint16_t credential = 0;  // kGuard
  std::string why{};             // kWorkerLeft: what it said, if anything; roll-outs: a sentence
};
using Action = std::variant<Journal, SendToWorker, TaskEnded, Noted>;

// What becomes of a result that came to the sink.
enum class Verdict : std::uint8_t {
  kFinal,   // store it, show it, then call stored()
  kRetry,   // another attempt will follow; already acknowledged
  kIgnore,  // repeated or late; acknowledged if that is due
};

struct WorkerView {  // for people
  std::uint64_t incarnation;
  std::string name;
  std::vector<std::string> regions;
  std::uint32_t slots;
  std::uint32_t free;
  std::uint32_t running;
  std::uint64_t done;  // results taken from it
  TimePoint joined;
  TimePoint last_seen;
  bool silent;
};

class Ledger {
 public:
  explicit Ledger(LedgerOptions options)
      : options_(options), expiry_(options.offer_expiry), random_(options.seed) {}

  // Lanes are numbered from 0 in the order of adding; adding one again returns its number.
  // With workers there, these are asked for a fresh Hello: its Welcome tells of the new lane.
  std::uint16_t add_lane(std::string_view region);
  bool has_lane(std::string_view region) const;
  std::vector<std::string> limits_full() const { return limits_.full(); }
  Limits& limits() { return limits_; }  // to add to, before the sweeps under them
  void add_sweep(TimePoint now, const SweepPlan& plan);
  // A sweep that has finished; what is still said of it is answered as of any unknown one.
  void forget_sweep(std::uint32_t sweep);

  // A message of a worker. `from` is the incarnation that the socket vouches for.
  void on_message(TimePoint now, std::uint64_t from, const v1::ToDispatcher& message);
  // A worker that cannot be told anything: as if it had left. A Hello brings it back.
  void forget_worker(std::uint64_t incarnation) { drop_worker(incarnation); }
  // A result frame's header. False: its results must not be passed on, they are a stranger's or of
  // another journal's sweeps.
  bool on_result_frame(TimePoint now, const v1::ResultFrame& frame);
  // Whether this worker has the lease of this attempt, as far as is known here.
  bool holds(std::uint64_t worker, TaskKey task, std::uint32_t attempt) const;
  // `way_lost`: a jump host's connection went from under the session. The first time another
  // attempt follows at once and counts as none of its retries, if it has any: another way may be
  // there.
  Verdict on_result(TimePoint now, std::uint64_t from, TaskKey task, std::uint32_t attempt,
                    Outcome outcome, bool command_sent, bool way_lost = false);
  void stored(TaskKey task);  // a kFinal result is safe now: acknowledge it

  // Whether offers for this lane exist and credit allows them; then the next frame of them.
  bool wants_to_offer(std::uint16_t lane) const;
  v1::OfferFrame make_offers(TimePoint now, std::uint16_t lane);

  void tick(TimePoint now);         // does what is due
  TimePoint next_deadline() const;  // when tick() has something to do; max() for never

  // Drain: what has not been granted ends as cancelled; what runs goes on.
  void drain(std::uint32_t sweep);
  // Stop: workers are told to stop what runs; their results still count.
  void cancel_running(std::uint32_t sweep);
  // The end of patience: what is still leased ends as cancelled, at once.
  void abandon(std::uint32_t sweep);
  // The journal takes no more: nothing further of this sweep is started. `withheld` was granted,
  // but no worker has been told.
  void journal_failed(std::uint32_t sweep, const std::vector<TaskKey>& withheld);
  // The journal has no room for now: nothing is offered or granted until go_on(). `withheld` was
  // granted, but no worker has been told: it is offered again then.
  void pause(const std::vector<TaskKey>& withheld);
  void go_on() { paused_ = false; }
  bool paused() const { return paused_; }
  // The clock on the wall was set, or what it means has changed: SweepPlan::closes anew.
  void set_closing(std::uint32_t sweep, TimePoint closes);
  // To kRolloutAsks: nothing else of the sweep is started, or it goes on.
  void answer(std::uint32_t sweep, bool go_on);
  void dismiss_workers();

  std::vector<Action> take_actions();

  bool finished(std::uint32_t sweep) const;  // every task is done and stored or ended
  bool guarded(std::uint32_t sweep) const;   // ended by the authentication guard
  std::uint32_t running() const { return leased_; }
  std::uint32_t running(std::uint32_t sweep) const { return sweeps_.at(sweep).leased; }
  std::uint32_t workers_welcomed() const { return static_cast<std::uint32_t>(workers_.size()); }
  std::vector<WorkerView> workers() const;
  std::string worker_name(std::uint64_t incarnation) const;
  Nanoseconds offer_expiry() const { return expiry_; }
  // For tests: counts everything again and fails a CHECK where the running sums disagree.
  void audit() const;

 private:
  enum class State : std::uint8_t { kPending, kOffered, kLeased, kWaiting, kStoring, kDone };
  struct Task {
    TimePoint until{};        // kOffered: expiry; kLeased: end; kWaiting: end of the back-off
    std::uint64_t owner = 0;  // kLeased, kStoring, kDone: the incarnation
    std::uint32_t attempt = 1;
    std::uint32_t round = 0;
    std::uint16_t lane = 0;
    std::uint16_t credential = 0;
    std::uint16_t limits = 0;
    State state = State::kPending;
    std::uint8_t deaths = 0;
    std::uint8_t retries_used = 0;
    bool lost = false;      // kDone: as lost, and no result of it has come since
    bool way_lost = false;  // once already
  };
  using End = std::pair<Outcome, std::string>;  // how, and why
  struct Sweep {
    std::vector<Task> tasks;
    std::vector<std::uint64_t> devices;  // by index; empty: no two tasks mean the same one
    std::vector<std::string> credentials;
    std::vector<std::uint32_t> auth_failures;  // by credential
    std::vector<std::string> locked;           // by credential: why nothing more is started with it
    std::uint32_t retries = 1;
    std::uint32_t max_auth_failures = 1;
    std::uint32_t open = 0;       // tasks not yet kDone
    std::uint32_t in_flight = 0;  // offered or leased
    std::uint32_t leased = 0;
    std::uint8_t priority = 0;
    bool never_twice = false;  // changes devices, and may not be repeated
    bool journaled = false;
    bool guarded = false;
    std::uint32_t least_attempt = 1;
    std::optional<End> ending{};  // nothing of it is started any more: how what is left ends
    bool cancelled = false;       // and what runs is stopped
    bool asked = false;           // whether to go on, by kRolloutAsks
    std::optional<Rollout> rollout{};
    TimePoint closes = TimePoint::max();
    std::string why_closed{};
  };
  struct Worker {
    std::string name;
    std::vector<std::uint16_t> lanes;
    std::uint32_t slots = 0;
    std::uint32_t free = 0;
    std::uint64_t sequence = 0;  // of the newest message over both sockets: whose free count holds
    std::uint64_t control = 0;   // of the newest one over control
    std::uint64_t hello = 0;     // of the newest Hello: it said all that older messages did
    std::uint64_t done = 0;
    TimePoint joined{};
    TimePoint last_seen{};
    bool suspect = false;
    std::unordered_set<TaskKey, TaskKeyHash> leased;
    std::unordered_set<std::uint32_t> jobs;  // sweeps whose JobSpec it was told to expect
  };
  struct Lane {
    std::string region;
    // By sweep, indexes of its tasks; some may be pending no longer: skipped lazily.
    std::map<std::uint32_t, std::deque<std::uint32_t>> pending;
    std::uint32_t offered = 0;
    std::uint32_t credit = 0;   // free slots of the unsuspected workers that serve it
    std::uint32_t workers = 0;  // of those
    TimePoint unserved_since = TimePoint::max();
    bool told = false;  // that it is unserved
  };
  struct Due {
    TimePoint at;
    TaskKey task;
    std::uint32_t attempt;
    bool operator>(const Due& other) const { return at > other.at; }
  };
  // What an abandoned task still holds: its worker may not know yet.
  struct Lingering {
    TimePoint until;
    Limits::Subject subject;
    bool operator>(const Lingering& other) const { return until > other.until; }
  };
  struct OfferDue {
    TimePoint at;
    TaskKey task;
    std::uint32_t attempt;
    std::uint32_t round;
  };

  void on_hello(TimePoint now, std::uint64_t from, const v1::ToDispatcher& message);
  void on_claim(TimePoint now, std::uint64_t from, const v1::Claim& claim);
  void on_decline(std::uint64_t from, const v1::Decline& decline);
  void on_heartbeat(TimePoint now, std::uint64_t from, const v1::Heartbeat& heartbeat);
  using Refs = google::protobuf::RepeatedPtrField<v1::TaskRef>;
  void on_release(std::uint64_t from, const Refs& tasks);
  void note_free(Worker& worker, std::uint64_t sequence, std::uint32_t free, TimePoint now);
  void set_credit(Worker& worker, std::uint32_t free);
  void learn_expiry(bool late);
  // Whether the offer that is claimed has run out.
  static bool late(const Task& task, const v1::Offer& offer) {
    return task.state == State::kPending || offer.round() < task.round;
  }
  bool may_grant(const Task& task, const v1::Offer& offer, std::uint64_t from) const;
  bool renew(TimePoint now, std::uint64_t from, const v1::TaskRef& ref);
  void lease(TimePoint now, std::uint64_t from, TaskKey key, Task& task);
  void unlease(TaskKey key, Task& task, bool linger = false);
  void next_attempt(TaskKey key, Task& task);
  void requeue(TaskKey key, Task& task, bool in_front = false);  // the next attempt, at once
  void retry_later(TimePoint now, TaskKey key, Task& task);      // after a back-off
  void lease_ended(TaskKey key, Task& task);
  void restore(TimePoint until, TaskKey key, Task& task, const SweepPlan::Restored& restored);
  void leave_offered(TaskKey key, Task& task);
  void expire_offers(TimePoint now);
  void queue(TaskKey key, bool in_front = false);
  void queue_in_front(const std::vector<TaskKey>& keys);
  std::uint32_t next_sweep(const Lane& lane) const;
  void wake_parked(TimePoint now);
  void check_lanes(TimePoint now);
  void give_up_lane(std::uint16_t lane);
  Limits::Subject subject_of(TaskKey key, const Task& task) const;
  void journal(TaskKey key, const Task& task);
  void set_serving(Worker& worker, bool serving);
  void end_task(TaskKey key, Task& task, Outcome outcome, std::string error);
  void end_returned(TaskKey key, Task& task);
  void end_unstarted(std::uint32_t number, Outcome outcome, const std::string& error);
  void guard(std::uint32_t number, std::uint16_t credential);
  void lock_credential(std::uint32_t number, std::uint16_t credential, const std::string& error);
  bool stopped(const Sweep& sweep, const Task& task) const {
    return sweep.ending || !sweep.locked[task.credential].empty();
  }
  static bool unstarted(const Task& task) {
    return task.state == State::kPending || task.state == State::kOffered ||
           task.state == State::kWaiting;
  }
  // Not now: its batch has not begun, or too many have failed.
  static bool held(const Sweep& sweep, std::uint32_t index);
  static void restore_rollout(Sweep& sweep, const std::vector<SweepPlan::Restored>& restored);
  static void count_end(Sweep& sweep, std::uint32_t index, Outcome outcome);
  void step_rollouts(TimePoint now);
  void close_sweeps(TimePoint now);
  void take_step(std::uint32_t number, Sweep& sweep, Rollout::Step step);
  void ask_once(std::uint32_t number);
  void stop_rollout(std::uint32_t number, const std::string& why);
  void queue_pending(std::uint32_t number, std::uint32_t first, std::uint32_t end);
  void note_rollout(Noted::What what, std::uint32_t number, std::string why);
  void release_lingering(TimePoint now);
  void send_cancel(std::uint64_t incarnation, std::uint32_t sweep);
  void audit_limits() const;
  void check_workers(TimePoint now);
  bool of_this_journal(std::uint64_t journal) const { return journal == options_.journal_id; }
  void drop_worker(std::uint64_t incarnation, std::string why = {});
  Milliseconds back_off(std::uint32_t attempt);
  Task* find(TaskKey key);
  const Task* find(TaskKey key) const;
  Task& task_at(TaskKey key) { return sweeps_.at(key.sweep).tasks[key.index]; }
  void send(std::uint64_t incarnation, v1::ToWorker message);
  void acknowledge(std::uint64_t incarnation, TaskKey key, std::uint32_t attempt);
  void note(Noted::What what, std::uint64_t incarnation, TaskKey task = {},
            std::uint32_t attempt = 0, Outcome outcome = Outcome::kOk);

  LedgerOptions options_;
  Nanoseconds expiry_;  // of offers now: longer while claims come late
  std::uint64_t random_;
  std::vector<Lane> lanes_;
  std::map<std::uint32_t, Sweep> sweeps_;
  std::unordered_map<std::uint64_t, Worker> workers_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;  // leases and back-offs, lazy
  std::deque<OfferDue> offers_due_;                                 // in the order of offering
  std::priority_queue<Lingering, std::vector<Lingering>, std::greater<>> lingering_;
  Limits limits_;
  TimePoint now_{};                             // of the last event, for next_deadline()
  TimePoint holding_until_ = TimePoint::min();  // nothing is offered before
  TimePoint next_worker_check_ = TimePoint::max();
  TimePoint next_lane_check_ = TimePoint::max();
  std::uint32_t leased_ = 0;
  bool started_ = false;  // enough workers have said hello once
  bool paused_ = false;
  std::vector<Action> actions_;
};

}  // namespace netfleet

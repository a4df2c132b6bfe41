// dispatcher/fleet: the dispatcher's one thread that owns its ZeroMQ sockets. It carries messages
// between workers, the ledger (which decides) and the recorders (which store and show), for one
// sweep or for many at once.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/credential.h"
#include "common/endpoint.h"
#include "common/error.h"
#include "common/task.h"
#include "common/wire.h"
#include "dispatcher/fleet/action_gate.h"
#include "dispatcher/fleet/admission.h"
#include "dispatcher/fleet/log.h"
#include "dispatcher/fleet/question.h"
#include "dispatcher/fleet/recorder.h"
#include "dispatcher/sweep/ledger.h"
#include "dispatcher/sweep/plan.h"

namespace netfleet {

struct HubOptions {
  Endpoint endpoint;
  LedgerOptions ledger;
  std::optional<curve::DispatcherKeys> keys;    // CURVE, on every socket
  CredentialStore credentials;                  // sent to workers that join
  bool verbose = false;                         // log grants, stages, retries too
  bool many_sweeps = false;                     // they come and go, and share devices
  bool any_region = false;                      // its workers serve every region
  std::function<void(const std::string&)> log;  // one line for people
  std::function<void(bool)> stalled;            // the store has no room now, or has some again
};

struct SweepEnd {
  bool guarded = false;      // ended by the authentication guard
  bool interrupted = false;  // by the user
  RecordingReport report;
};

// One sweep as the hub needs it. Its functions are called by the loop's thread.
struct SweepRun {
  std::uint32_t number = 0;
  JobSpec job;
  std::span<const TaskSpec> tasks;  // in index order; outlives the run
  std::uint32_t retries = 1;
  std::uint32_t max_auth_failures = 1;  // 0: never ends the sweep
  bool retry_unsafe = false;
  bool journaled = false;         // as in SweepPlan
  std::vector<TaskState> states;  // of a sweep that goes on: what its store says
  Milliseconds lease_before{0};
  bool journal_uncertain = false;
  std::uint32_t least_attempt = 1;
  Milliseconds elapsed{0};  // since the sweep began, when it goes on
  LimitPlan limits;
  RolloutSpec rollout;
  std::vector<TimePoint> not_before;  // by index, as in SweepPlan; empty: at once
  TimePoint closes = TimePoint::max();
  std::string why_closed;
  Question* question = nullptr;           // for roll-outs that ask; outlives the run
  std::function<void(Outcome)> recorded;  // once for each result, when it is safe
  // About four times a second, and at the end: tasks that run now.
  std::function<void(std::uint32_t running)> progress;
};

// What a dispatcher could say of its work, since it began.
struct HubFigures {
  std::uint64_t malformed = 0;
  std::uint64_t retries = 0;
  std::uint64_t leases_lost = 0;
};

class Hub {
 public:
  Hub(wire::Context& context, const Clock& clock, HubOptions options);
  ~Hub();

  // Binds control, sink and a lane for each region; before any worker starts. With many sweeps,
  // further lanes follow when a sweep or a worker has a new region.
  Expected<void> open(const std::vector<std::string>& regions);
  // Runs one sweep to its end. `signal_fd`: readable for each SIGINT or SIGTERM (a signalfd); -1:
  // none. The first one drains, the second stops what runs, the third abandons it.
  Expected<SweepEnd> run(SweepRun sweep, Recorder& recorder, int signal_fd);
  // Carries sweeps until stop(); workers are left as they are, for the next dispatcher.
  Expected<void> serve();

  // From any thread: the embedded worker ended; run() and serve() return this error.
  void worker_failed(const std::string& why);
  // From any thread: done by the loop's, in this order.
  void post(std::function<void()> work);

  // All others: the loop's thread, or before it runs. `ended` is called once everything of it is
  // stored and shown; the recorder is then not used any more.
  Expected<void> add(SweepRun sweep, Recorder& recorder, std::function<void(SweepEnd)> ended);
  void interrupt(std::uint32_t sweep);  // as a signal to run()
  int interrupts(std::uint32_t sweep) const;
  void answer(std::uint32_t sweep, bool go_on) { ledger_.answer(sweep, go_on); }
  void set_closing(std::uint32_t sweep, TimePoint closes) { ledger_.set_closing(sweep, closes); }
  // Workers are told those that are new or have changed, now and when they join.
  void add_credentials(const CredentialStore& credentials);
  // serve() ends: at once, or when what runs has ended and is stored; nothing else is started.
  void stop() { stopped_ = true; }
  void drain();
  const Ledger& ledger() const { return ledger_; }
  HubFigures figures() const;

 private:
  struct Live {  // a sweep that runs
    SweepRun run;
    Recorder* recorder;
    std::function<void(SweepEnd)> ended;
    PartTracker parts;
    TimePoint start;
    std::uint32_t done = 0;  // tasks whose result is safe
    int interrupts = 0;
    TimePoint give_up_at = TimePoint::max();
    bool journal_failed = false;
    bool stalled = false;              // its store has no room for now
    std::optional<SweepEnd> ending{};  // nothing is left to do but store and show
    bool recorded = false;             // and that is done
  };
  struct HeldBack {
    std::uint32_t sweep;
    Delivery delivery;
  };

  Expected<void> turn();
  void wait();
  void show_progress(TimePoint now);
  void do_posted();
  void receive_control();
  void receive_message(const wire::Received& received);
  bool believed(const wire::Received& received, const v1::ToDispatcher& message);
  void answer_workers(const std::string& to);
  void receive_results();
  void collect_news();
  void collect_news(Live& live);
  void mind_room(bool stalled);
  void mind_sweeps();
  void end(std::uint32_t number, Live& live);
  void receive_signals(std::uint32_t sweep, int signal_fd);
  Expected<void> open_lanes(const std::vector<std::string>& regions);
  Expected<wire::Socket> bound(wire::Kind kind, std::uint32_t offset);
  void offer_tasks();
  void act();
  void withhold(std::uint32_t number);
  void act(const Journal& entry);
  void act(SendToWorker& action);
  void act(const TaskEnded& ended);
  void act(const Noted& noted);
  void grant(const std::string& to, v1::ToWorker& message);
  void take_part(std::uint64_t from, v1::OutputPart& part);
  void take_result(std::uint64_t from, v1::TaskResult& message);
  void record(std::uint32_t sweep, TaskResult result, std::shared_ptr<Assembly> assembly = {});
  void deliver(std::uint32_t sweep, Delivery delivery);
  bool offer(std::uint32_t sweep, Delivery&& delivery);
  void count_done(Live& live, Outcome outcome);
  void send_credential(const std::string& routing_id, const std::string& name,
                       const Credential& credential);
  void send_to(const std::string& routing_id, const v1::ToWorker& message,
               std::string_view secret = {});
  Live* find(std::uint32_t sweep);
  LogSubject subject_of(TaskKey task) const;
  void log(const std::string& line) const;

  wire::Context& context_;
  const Clock& clock_;
  HubOptions options_;
  Ledger ledger_;
  std::optional<Admission> admission_;  // with keys; outlives the sockets
  std::optional<wire::Socket> control_;
  std::optional<wire::Socket> sink_;
  std::vector<wire::Socket> lanes_;
  ActionGate gate_;
  std::map<std::uint32_t, Live> sweeps_;
  std::deque<HeldBack> held_back_;  // a recorder has no room yet
  int signal_fd_ = -1;
  bool stalled_ = false;  // some store has no room for now
  bool stopped_ = false;
  bool draining_ = false;
  TimePoint next_progress_{};
  TimePoint next_waiting_note_ = TimePoint::max();
  std::uint64_t malformed_ = 0;
  HubFigures figures_;
  int wakeup_fd_;
  std::mutex mutex_;
  std::optional<std::string> failure_;         // guarded by mutex_
  std::vector<std::function<void()>> posted_;  // guarded by mutex_
};

}  // namespace netfleet

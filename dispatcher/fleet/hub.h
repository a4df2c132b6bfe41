// dispatcher/fleet: the dispatcher's one thread that owns its ZeroMQ sockets. It carries messages
// between workers, the ledger (which decides) and the recorder (which stores and shows).
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
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
  std::optional<curve::DispatcherKeys> keys;     // CURVE, on every socket
  const CredentialStore* credentials = nullptr;  // sent to workers that join; outlives the hub
  bool verbose = false;                          // log grants, stages, retries too
  std::function<void(const std::string&)> log;   // one line for people
  std::function<void(Outcome)> recorded;         // once for each result, when it is safe
  // Called about four times a second and at each end: tasks that run now.
  std::function<void(std::uint32_t running)> progress;
  Question* question = nullptr;  // for roll-outs that ask; outlives the hub
};

// One sweep as the hub needs it.
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
};

struct SweepEnd {
  bool guarded = false;      // ended by the authentication guard
  bool interrupted = false;  // by the user
  RecordingReport report;
};

class Hub {
 public:
  Hub(wire::Context& context, const Clock& clock, HubOptions options);
  ~Hub();

  // Binds control, sink and a lane for each region; before any worker starts.
  Expected<void> open(const std::vector<std::string>& regions);
  // Runs the sweep to its end. `signal_fd`: readable for each SIGINT or SIGTERM (a signalfd); -1:
  // none. The first one drains, the second stops what runs, the third abandons it.
  Expected<SweepEnd> run(SweepRun sweep, Recorder& recorder, int signal_fd);
  // From any thread: the embedded worker ended; run() returns this error.
  void worker_failed(const std::string& why);

 private:
  void wait();
  void receive_control();
  bool believed(const wire::Received& received, const v1::ToDispatcher& message);
  void receive_results();
  void collect_news();
  RecordingReport finish_recording(Milliseconds elapsed);
  void interrupted();
  void receive_signals();
  void receive_answer();
  void offer_tasks();
  void act();
  void withhold();
  void act(const Journal& entry);
  void act(SendToWorker& action);
  void act(const TaskEnded& ended);
  void act(const Noted& noted);
  void take_part(std::uint64_t from, v1::OutputPart& part);
  void take_result(std::uint64_t from, v1::TaskResult& message);
  void record(TaskResult result, std::shared_ptr<Assembly> assembly = {});
  void deliver(Delivery delivery);
  void count_done(Outcome outcome);
  void send_credentials(const std::string& routing_id);
  void send_to(const std::string& routing_id, const v1::ToWorker& message,
               std::string_view secret = {});
  LogSubject subject_of(TaskKey task) const;
  void log(const std::string& line) const;
  bool done() const;

  wire::Context& context_;
  const Clock& clock_;
  HubOptions options_;
  Ledger ledger_;
  std::optional<Admission> admission_;  // with keys; outlives the sockets
  std::optional<wire::Socket> control_;
  std::optional<wire::Socket> sink_;
  std::vector<wire::Socket> lanes_;
  // Of the sweep that runs.
  SweepRun sweep_;
  Recorder* recorder_ = nullptr;
  ActionGate gate_;
  std::uint64_t journaled_ = 0;  // entries that are safe
  bool journal_failed_ = false;
  int signal_fd_ = -1;
  int interrupts_ = 0;
  std::uint32_t done_ = 0;  // tasks whose result is safe
  bool recorded_ = false;   // everything is stored and shown
  TimePoint give_up_at_ = TimePoint::max();
  TimePoint next_progress_{};
  TimePoint next_waiting_note_ = TimePoint::max();
  std::optional<PartTracker> parts_;
  std::deque<Delivery> held_back_;  // the recorder has no room yet
  std::uint64_t malformed_ = 0;
  int wakeup_fd_;
  std::mutex failure_mutex_;
  std::optional<std::string> failure_;  // guarded by failure_mutex_
};

}  // namespace netfleet

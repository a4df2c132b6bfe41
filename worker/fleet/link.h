// worker/fleet: the worker's one thread that owns its ZeroMQ sockets. It carries messages between
// the dispatcher, the lease holder (which decides) and the engine (which acts).
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/credential.h"
#include "common/endpoint.h"
#include "common/error.h"
#include "common/jump_host.h"
#include "common/wire.h"
#include "worker/engine/engine.h"
#include "worker/fleet/dispatcher_watch.h"
#include "worker/fleet/jump_routes.h"
#include "worker/fleet/keyring.h"
#include "worker/fleet/lease_holder.h"
#include "worker/fleet/outbox.h"

namespace netfleet {

struct WorkerSetup {
  Endpoint dispatcher;
  LeaseHolderOptions lease_holder;
  std::uint32_t threads = 1;        // session threads
  std::optional<curve::Keys> keys;  // CURVE, on every socket
  OutboxOptions outbox;
  CredentialStore credentials;         // the worker's own; they go before what a dispatcher sends
  JumpHosts jumps;                     // the worker's own, likewise
  FindCredential more_credentials;     // as Keyring's
  AskCode ask_code;                    // for one-time codes that no command gives; may be empty
  bool once = false;                   // return when the dispatcher has finished
  Milliseconds drain_timeout{60'000};  // after the first request to drain
  int signal_fd = -1;                  // a signalfd: each signal is a request to drain
  bool verbose = false;                // log each task's stages too
  std::function<void(const std::string&)> log;  // one line for people; may be empty
};

// Runs until stopped. One thread calls run(); request_* may come from any. `sessions` reports to
// `events`; both outlive it.
class Worker {
 public:
  Worker(wire::Context& context, const Clock& clock, WorkerSetup options, EventQueue& events,
         Sessions& sessions);
  ~Worker();
  // Returns when drained, dismissed (with `once`) or refused (an error that gives the reason).
  Expected<void> run();
  // Finish what runs, take no more, return. The second call stops what runs at once.
  void request_drain();

 private:
  Expected<void> act_on_all();
  Expected<void> open_control();
  Expected<wire::Socket> make_socket(wire::Kind kind, std::string_view routing_id = {});
  void receive_control();
  void receive_offers();
  void receive_events();
  void receive_wakeup();
  Expected<void> act(const WorkerAction& action);
  void start(const StartTask& action);
  Expected<void> equip(SessionOrder& order);
  void send_control(const v1::ToDispatcher& message);
  void join_lanes();
  Expected<void> connect_lanes(const JoinLanes& lanes);
  void flush_results();
  void mind_outbox(TimePoint now);
  void wait();
  void end_task(TaskKey task, TaskResult result);
  void note_progress(SessionProgress& progress);
  void log(const std::string& line) const;
  void log_fleet(const std::optional<std::string>& line) const;

  wire::Context& context_;
  const Clock& clock_;
  WorkerSetup options_;
  LeaseHolder holder_;
  DispatcherWatch watch_;
  Outbox outbox_;
  EventQueue& events_;
  Sessions& sessions_;
  std::optional<wire::Socket> control_;
  std::optional<wire::Socket> sink_;
  std::optional<wire::Socket> lanes_;
  Keyring keyring_;
  JumpRoutes jump_routes_;
  std::map<std::uint32_t, std::shared_ptr<const JobSpec>> jobs_;
  std::optional<JoinLanes> wanted_lanes_;  // not connected yet
  std::uint32_t sink_offset_ = 0;
  TimePoint retry_at_ = TimePoint::max();  // what failed for want of a file or of room
  bool told_socket_error_ = false;
  bool told_trouble_ = false;        // of the outbox
  std::deque<EngineEvent> arrived_;  // from events_, not yet dealt with
  bool woken_ = false;               // wait() ended because of a request or a signal,
  bool events_there_ = false;        // because of events_
  bool sink_full_ = false;
  bool sending_ = false;  // the sink would take more
  std::optional<Part> parted_;
  std::optional<Error> unable_;  // why it leaves by itself
  TimePoint give_up_at_ = TimePoint::max();
  int wakeup_fd_;
  std::atomic<int> drain_requests_{0};
  int drains_seen_ = 0;
};

}  // namespace netfleet

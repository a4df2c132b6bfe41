// worker/engine: the pool of session threads. Each has an event loop and carries many device
// sessions; a session lives and dies on one of them. Not for deciding what may run (worker/fleet).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/codec.h"
#include "common/spool.h"
#include "common/task.h"
#include "worker/device/platform.h"
#include "worker/engine/events.h"
#include "worker/engine/lease.h"
#include "worker/engine/session_recorder.h"
#include "worker/ssh/identity.h"
#include "worker/ssh/jump_logins.h"
#include "worker/ssh/jump_route.h"
#include "worker/ssh/known_hosts.h"
#include "worker/ssh/resolver.h"

namespace netfleet {

// All that a session needs to know.
struct SessionOrder {
  TaskKey key;
  std::uint32_t attempt = 1;
  std::shared_ptr<const JobSpec> job;
  TaskSpec task;
  std::shared_ptr<const ssh::Identity> identity;
  std::shared_ptr<Lease> lease;
  std::shared_ptr<const ssh::JumpRoute> route{};  // over jump hosts; null: directly
};

// What carries sessions, as the worker's fleet thread sees it; that thread alone calls it. Every
// start() is answered by exactly one SessionEnded in the EventQueue.
class Sessions {
 public:
  virtual ~Sessions() = default;
  virtual void start(SessionOrder order) = 0;
  // Ends the session soon, with outcome cancelled and `reason`; not running: nothing happens.
  virtual void stop(TaskKey task, std::string reason) = 0;
};

// What sessions share. Everything named here outlives the engine.
struct EngineParts {
  ssh::Resolver& resolver;
  ssh::KnownHosts& known_hosts;
  const PlatformSet& platforms;
  EventQueue& events;
  Spool& spool;                         // of large outputs
  SessionLogs* session_logs = nullptr;  // none: nothing is recorded
};

// Sessions over SSH on a pool of threads.
class Engine final : public Sessions {
 public:
  Engine(EngineParts parts, std::uint32_t threads);
  // Stops every session at once and joins the threads.
  ~Engine() override;

  void start(SessionOrder order) override;
  void stop(TaskKey task, std::string reason) override;

 private:
  struct SessionThread;
  EngineParts parts_;
  ssh::JumpLogins jump_logins_;
  std::vector<std::unique_ptr<SessionThread>> threads_;
};

}  // namespace netfleet

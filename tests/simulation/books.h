// tests/simulation: what must hold, checked whatever happens. It sees everything: each login and
// command on each device, each grant, each result. A breach throws Violation.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/codec.h"
#include "tests/simulation/brakes.h"
#include "tests/simulation/event_loop.h"
#include "tests/simulation/scenario.h"
#include "worker/engine/lease.h"

namespace netfleet::simulation {

struct Violation : std::runtime_error {
  Violation(std::string which, const std::string& detail)
      : std::runtime_error(which + ": " + detail), invariant(std::move(which)) {}
  std::string invariant;
};

// A host of a sweep as the user means it, whatever numbers are used for it on the wire.
struct HostId {
  std::uint32_t sweep = 0;  // counts over the whole seed; the wire's number may be used again
  std::uint32_t index = 0;
  auto operator<=>(const HostId&) const = default;
  std::string text() const { return std::to_string(sweep) + "." + std::to_string(index); }
};

struct SessionRecord {
  std::uint64_t id = 0;
  HostId host;
  TaskKey key;
  std::uint32_t attempt = 1;
  std::uint64_t incarnation = 0;
  std::string worker;
  std::shared_ptr<Lease> lease;
  std::function<TimePoint()> clock;  // of its worker
  bool over = false;                 // it ended, or its worker did
  bool commanded = false;            // a command was sent
  bool repeatable = false;           // it ended before any command in a way that is tried again
};

class Books {
 public:
  Books(const Scenario& scenario, const EventLoop& loop) : scenario_(scenario), loop_(loop) {}

  [[noreturn]] void fail(const std::string& invariant, const std::string& detail) const {
    throw Violation(invariant, detail);
  }
  // Which sweep of the scenario a sweep is; the same script may be run again under a new disk.
  void new_sweep(std::uint32_t sweep, std::uint32_t script) {
    scripts_[sweep] = script;
    disks_[sweep] = disk_;
  }
  void interrupted(std::uint32_t sweep) { interrupted_.insert(sweep); }
  // Of the dispatcher that lives now.
  Brakes& brakes(std::uint32_t sweep) {
    return brakes_.try_emplace(sweep, script(sweep)).first->second;
  }
  // Nobody can know what ran before: limits and devices start anew.
  void disk_lost() {
    ++disk_;
    buckets_.clear();
    grants_lost_ = true;
  }
  const SweepScript& script(std::uint32_t sweep) const {
    return scenario_.sweeps[scripts_.at(sweep)];
  }
  const HostScript& host(HostId id) const { return script(id.sweep).hosts[id.index]; }
  bool begun() const { return !sessions_.empty(); }
  bool never_twice(std::uint32_t sweep) const {
    return script(sweep).changes_device && !script(sweep).retry_unsafe;
  }

  std::shared_ptr<SessionRecord> started(SessionRecord session);
  void acted(const std::shared_ptr<SessionRecord>& session, bool command);
  void tried_wrong_password(HostId host);
  void ended(const std::shared_ptr<SessionRecord>& session, bool repeatable);
  void worker_died(std::uint64_t incarnation);
  void power_cut() { grants_lost_ = true; }

  // The dispatcher's side.
  void granted(HostId host, std::uint32_t attempt);
  void offers_expire_after(Nanoseconds expiry) {
    longest_expiry_ = std::max(longest_expiry_, expiry);
  }
  void guard_closed(std::uint32_t sweep, std::uint16_t credential) {
    guarded_.insert({sweep, credential});
  }
  // A refused login became final; `running` sweeps share the credential.
  void login_refused(HostId host, const std::vector<std::uint32_t>& running);
  void dispatcher_ended() {
    guarded_.clear();
    granted_.clear();
    refusals_.clear();
    brakes_.clear();
    forgotten_.insert(cancelled_.begin(), cancelled_.end());
  }
  void lease_ended(HostId host, std::uint32_t attempt);
  // So long after a sweep was cancelled.
  void check_cancelled(std::uint32_t sweep) const;
  void ended_without_result(HostId host, Outcome outcome, const std::string& why);

 private:
  struct Device {
    std::uint64_t current = 0;
    std::set<std::uint64_t> past;
  };
  struct Bucket {
    double logins = 0;
    Nanoseconds at{0};
  };
  bool live(const SessionRecord& session) const {
    return !session.over && session.lease->valid(session.clock());
  }
  void check_logins(HostId host);
  void check_sessions(const SessionRecord& session);
  // The device behind a host: those that are shared have a number, others their own.
  std::uint64_t device_of(HostId id) const;

  const Scenario& scenario_;
  const EventLoop& loop_;
  std::map<std::uint32_t, std::uint32_t> scripts_;
  std::map<HostId, std::vector<std::shared_ptr<SessionRecord>>> sessions_;
  std::vector<std::shared_ptr<SessionRecord>> open_;
  std::unordered_map<std::uint64_t, Device> devices_;
  std::map<std::uint16_t, Bucket> buckets_;
  std::set<std::pair<std::uint32_t, std::uint16_t>> guarded_;
  std::map<HostId, int> poisoned_;
  std::set<std::pair<HostId, std::uint32_t>> granted_;  // attempts, by this dispatcher
  std::map<std::uint32_t, Brakes> brakes_;              // by sweep, of this dispatcher
  bool grants_lost_ = false;
  Nanoseconds longest_expiry_{0};
  // Abandoned while they ran, and then the dispatcher ended too: what they hold is not known to the
  // next one (PROTOCOL.md §10).
  std::set<HostId> cancelled_, forgotten_;
  std::set<std::uint32_t> interrupted_;  // sweeps
  std::uint32_t disk_ = 0;
  std::map<std::uint32_t, std::uint32_t> disks_;                               // by sweep
  std::map<std::pair<std::uint32_t, std::uint16_t>, std::uint32_t> refusals_;  // in this life
  std::map<std::pair<std::uint32_t, std::uint16_t>, std::uint32_t> tries_;     // refused logins
};

}  // namespace netfleet::simulation

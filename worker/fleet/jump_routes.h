// worker/fleet: the ways over jump hosts that tasks name, made ready for sessions: definitions from
// the job or from this worker's own file, credentials from its keyring. Not for choosing among
// alternatives (worker/ssh).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/jump_host.h"
#include "common/task.h"
#include "worker/fleet/keyring.h"
#include "worker/ssh/jump_route.h"

namespace netfleet {

// One thread. Each route of a sweep is made once.
class JumpRoutes {
 public:
  using Route = std::shared_ptr<const ssh::JumpRoute>;

  // `own` go before what jobs say of the same names.
  JumpRoutes(JumpHosts own, Keyring& keyring) : own_(std::move(own)), keyring_(keyring) {}

  void know_job(std::uint32_t sweep, const JobSpec& job);
  void forget_job(std::uint32_t sweep) { sweeps_.erase(sweep); }
  void forget_jobs() { sweeps_.clear(); }
  // The keyring has changed: routes are made again, with what it knows now.
  void forget_routes();

  // Null for the empty text: directly. The error says what this worker lacks.
  Expected<Route> find(std::uint32_t sweep, std::string_view text);

 private:
  struct Sweep {
    JumpHosts hosts;  // with the worker's own
    std::map<std::string, Route, std::less<>> routes;
  };

  const JumpHosts own_;
  Keyring& keyring_;
  std::map<std::uint32_t, Sweep> sweeps_;
};

}  // namespace netfleet

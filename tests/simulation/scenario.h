// tests/simulation: what a seed decides before anything happens: how many workers, which sweeps,
// how bad the network is, and what strikes whom when.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "dispatcher/sweep/limits.h"
#include "dispatcher/sweep/rollout.h"
#include "tests/simulation/random.h"

namespace netfleet::simulation {

using Seconds = std::chrono::duration<double>;
inline Nanoseconds nanoseconds(double seconds) {
  return std::chrono::duration_cast<Nanoseconds>(Seconds(seconds));
}

// Each kind promises something that the others cannot.
enum class Kind : std::uint8_t {
  kCalm,      // no fault at all: shares and times can be checked
  kLossy,     // messages are lost, late, repeated, the sink is cut; but no lease may ever end
  kRestarts,  // the dispatcher is killed and is soon back; but no lease may ever end
  kAbsence,   // it is away for long; but what its successor grants is started
  kStorm,     // everything
};

inline bool leases_may_end(Kind kind) { return kind == Kind::kAbsence || kind == Kind::kStorm; }

// What a scenario leans on; see themes.cc.
enum class Theme : std::uint8_t {
  kDrawn,  // the seed decides
  kNone,
  kTwins,
  kEcho,
  kOvertaken,
  kOldOffers,
  kAbsence,
  kFlapping,
  kOtherLease,
  kLateGrants,
  kCancels,
  kRefusals,
  kLostDisks,
  kPowerCuts,
  kAbandoned,
  kReturns,
  kRollouts,
  kFullDisks,
  kWindows,
  kService,
};

struct WorkerScript {
  std::string name;
  std::vector<std::string> regions;
  std::uint32_t slots = 4;
  double slowness = 1;  // times as long for everything
  double clock_rate = 1;
  std::uint32_t most_unacknowledged = 4096;
  double gives_back = 0;  // the share of grants that it cannot start
  bool mortal = false;    // a kill is its end, once work has begun
  bool early = true;      // there from the beginning, else it joins some time
};

struct HostScript {
  std::uint16_t region = 0;
  std::uint16_t credential = 0;
  std::uint64_t device = 0;           // 0: nobody else means it
  std::vector<std::uint16_t> limits;  // of Scenario::limits
  bool poison = false;                // kills the worker that logs in to it
  bool login_refused = false;
  bool bad = false;     // its commands fail
  Nanoseconds turn{0};  // it waits so long for it, since the sweep began
};

struct SweepScript {
  Nanoseconds start{0};
  std::vector<HostScript> hosts;
  bool changes_device = false;
  bool retry_unsafe = false;
  std::uint32_t retries = 1;
  std::uint32_t max_auth_failures = 1;
  std::uint8_t priority = 0;
  double unreachable = 0;    // how often a try does not get through
  double ways_lost = 0;      // how often one ends with a jump host
  Nanoseconds session{0};    // about as long as one takes
  double long_sessions = 0;  // the share of those that take several leases
  RolloutSpec rollout{};
  std::optional<Nanoseconds> closes{};  // so long after its start nothing more of it is begun
};

enum class Blow : std::uint8_t {
  kKillWorker,
  kPauseWorker,
  kDrainWorker,
  kJumpClock,
  kCutUp,  // from worker to dispatcher
  kCutDown,
  kCutSink,
  kCutLane,
  kBlip,  // a connection breaks and comes back by itself
  kKillDispatcher,
  kCutPower,  // of its machine: the store loses what was not synced
  kLoseDisk,
  kPauseDispatcher,
  kFillDisk,  // nothing can be written
  kDrainSweep,
  kCancelSweep,
  kAbandonSweep,
  kMoveWindow,  // the time at which it closes is another one now
};

struct Strike {
  Nanoseconds at{0};
  Blow blow = Blow::kKillWorker;
  std::uint32_t whom = 0;  // a worker or a sweep
  Nanoseconds length{0};   // until it is back
};

struct Scenario {
  explicit Scenario(std::uint64_t seed, Theme theme = Theme::kDrawn);

  std::uint64_t seed;
  Theme theme = Theme::kNone;
  Kind kind = Kind::kCalm;
  Milliseconds lease{10'000}, heartbeat{1'500}, offer_expiry{1'000}, region_timeout{60'000};
  std::uint32_t offers_per_frame = 64;
  std::uint32_t min_workers = 1;
  bool lease_changes = false;  // another --lease after a restart
  bool lanes_come = false;     // with the sweeps and workers that need them
  std::vector<std::string> regions;
  std::vector<LimitSpec> limits;
  std::vector<WorkerScript> workers;
  std::vector<SweepScript> sweeps;
  std::vector<Strike> strikes;
  Nanoseconds faults_end{0};  // then everything works
  // The network's.
  Nanoseconds latency{0};
  double drop = 0, repeat = 0, late = 0;  // of each message
  double cut_loses = 0;   // of what is sent into a cut; the rest comes when it is over
  Nanoseconds latest{0};  // how late
  bool reorders = false;  // even within a connection
  double dispatcher_rate = 1;
  bool durable = false;          // a sweep changes devices: each batch is synced
  bool encodes = false;          // messages go through the codec
  bool may_stop = false;         // the dispatcher, for a while
  bool may_fill = false;         // its disk
  bool may_lose_grants = false;  // a power cut or the loss of the disk is among the strikes

 private:
  void draw_kind(Random& random);
  void draw_fleet(Random& random);
  void draw_sweeps(Random& random);
  void draw_hosts(Random& random, SweepScript& sweep, std::uint32_t hosts);
  void draw_rollouts(Random random);
  void draw_service(Random random);
  void draw_network(Random& random);
  void draw_strikes(Random& random);
  Strike draw_storm_strike(Random& random);
  void add_second_blow(Random& random, const Strike& first);
  double lease_seconds() const { return static_cast<double>(lease.count()) / 1000; }
};

}  // namespace netfleet::simulation

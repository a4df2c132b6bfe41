#include "tests/simulation/scenario.h"

#include "tests/simulation/theme_parts.h"
#include "tests/simulation/themes.h"

namespace netfleet::simulation {

void Scenario::draw_kind(Random& random) {
  const std::uint32_t die = random.below(100);
  if (theme == Theme::kDrawn) {
    theme = Theme::kNone;
    const auto& themes = all_themes();
    if (die >= 75) theme = themes[random.below(static_cast<std::uint32_t>(themes.size()))].theme;
  }
  kind = theme != Theme::kNone ? info_of(theme).kind
         : die < 8             ? Kind::kCalm
         : die < 20            ? Kind::kLossy
         : die < 30            ? Kind::kRestarts
                               : Kind::kStorm;
}

Scenario::Scenario(std::uint64_t number, Theme wanted) : seed(number), theme(wanted) {
  Random random(number);
  draw_kind(random);
  lease = Milliseconds(random.chance(0.7) ? 10'000 : 3'000 + random.below(20'000));
  heartbeat = lease * 3 / 20;
  offer_expiry = Milliseconds(random.between(250, 1'000));
  region_timeout = kind == Kind::kStorm ? Milliseconds(90'000) : Milliseconds(60'000);
  offers_per_frame = random.chance(0.5) ? 64 : random.between(1, 8);
  encodes = random.below(16) == 0;
  draw_fleet(random);
  draw_sweeps(random);
  draw_network(random);
  draw_strikes(random);
  draw_rollouts(Random(number ^ 0x5eed'b4a6'e5u));
  draw_service(Random(number ^ 0x5eed'5e41'1ceu));
  if (theme != Theme::kNone) info_of(theme).shape(*this, random);
  for (const SweepScript& sweep : sweeps) durable |= sweep.changes_device && !sweep.retry_unsafe;
  for (const Strike& one : strikes) {
    may_stop |= one.blow == Blow::kPauseDispatcher;
    may_fill |= one.blow == Blow::kFillDisk;
  }
  if (may_fill && !leases_may_end(kind)) reorders = false;  // what is overtaken is not said again
}

void Scenario::draw_fleet(Random& random) {
  regions = {""};
  if (kind != Kind::kCalm && random.chance(0.3)) regions.push_back("north");
  if (kind != Kind::kCalm && random.chance(0.15)) regions.push_back("nowhere");
  const std::uint32_t count = kind == Kind::kCalm ? 4 : random.between(1, 4);
  const std::uint32_t slots = random.between(1, 6);
  for (std::uint32_t i = 0; i < count; ++i) {
    WorkerScript& worker = workers.emplace_back();
    worker.name = "w" + std::to_string(i);
    worker.slots = kind == Kind::kCalm ? slots : random.between(1, 6);
    if (regions.size() > 1) {
      if (i == 0 || random.chance(0.7)) worker.regions.push_back("");
      if (i == 0 || random.chance(0.6)) worker.regions.push_back("north");
    }
    worker.clock_rate = 0.955 + 0.09 * random.fraction();
    if (kind != Kind::kCalm && random.chance(0.2)) worker.slowness = 10;
    if (random.chance(0.2)) worker.most_unacknowledged = random.between(1, 4);
    worker.mortal = kind == Kind::kStorm && i > 0 && random.chance(0.3);
    worker.early = kind == Kind::kCalm || i == 0 || random.chance(0.8);
  }
  if (kind == Kind::kCalm && random.chance(0.6)) workers.back().slowness = 10;
  if (kind != Kind::kCalm && random.chance(0.15)) min_workers = count;
  dispatcher_rate = 0.955 + 0.09 * random.fraction();
  if (kind == Kind::kCalm || random.chance(0.6)) return;
  const std::uint32_t caps = random.between(1, 3);
  for (std::uint32_t i = 0; i < caps; ++i) {
    LimitSpec& limit = limits.emplace_back();
    limit.name = "limit" + std::to_string(i);
    if (random.chance(0.7)) limit.sessions = random.between(1, 4);
    if (random.chance(0.5)) {
      limit.logins_per_second = 1 + 4 * random.fraction();
      limit.burst = random.between(1, 4);
    }
  }
}

void Scenario::draw_hosts(Random& random, SweepScript& sweep, std::uint32_t hosts) {
  const bool shares_devices = kind != Kind::kCalm && random.chance(0.4);
  const double poisoned = kind == Kind::kStorm && random.chance(0.25) ? 0.06 : 0;
  const double refused =
      kind != Kind::kCalm && random.chance(0.25) ? (random.chance(0.5) ? 0.1 : 1) : 0;
  for (std::uint32_t i = 0; i < hosts; ++i) {
    HostScript& host = sweep.hosts.emplace_back();
    if (regions.size() > 1 && random.chance(0.5)) {
      host.region =
          static_cast<std::uint16_t>(random.below(static_cast<std::uint32_t>(regions.size())));
      // A region that nobody serves ends late: few of them.
      if (regions[host.region] == "nowhere" && !random.chance(0.2)) host.region = 0;
    }
    host.credential = static_cast<std::uint16_t>(random.below(2));
    if (shares_devices && random.chance(0.6)) host.device = 1 + random.below(5);
    for (std::uint16_t limit = 0; limit < limits.size(); ++limit) {
      if (random.chance(0.5)) host.limits.push_back(limit);
    }
    host.poison = random.chance(poisoned);
    host.login_refused = random.chance(refused);
  }
}

void Scenario::draw_sweeps(Random& random) {
  const bool calm = kind == Kind::kCalm;
  const std::uint32_t count = random.chance(0.5) ? 1 : random.between(2, 3);
  for (std::uint32_t i = 0; i < count; ++i) {
    SweepScript& sweep = sweeps.emplace_back();
    if (i > 0 && random.chance(0.5))
      sweep.start = random.between(Milliseconds(0), Milliseconds(20'000));
    sweep.changes_device = random.chance(calm ? 0.2 : 0.4);
    sweep.retry_unsafe = sweep.changes_device && random.chance(0.2);
    sweep.retries = random.below(3);
    sweep.max_auth_failures = random.chance(0.6) ? 1 : random.below(3);
    if (!calm && random.chance(0.3)) sweep.unreachable = 0.3 * random.fraction();
    if (!calm && random.chance(0.2)) sweep.ways_lost = 0.5 * random.fraction();
    sweep.session = random.between(Milliseconds(20), Milliseconds(2'000));
    if (!calm && random.chance(0.3)) sweep.long_sessions = 0.15;
    if (count > 1 && random.chance(0.4))
      sweep.priority = static_cast<std::uint8_t>(random.below(2));
    draw_hosts(random, sweep, calm ? random.between(60, 120) : random.between(1, 30));
  }
  if (!calm || count == 1) return;
  // Of two sweeps either both are equal, from the same time, or the second is small and urgent.
  sweeps.resize(2);
  sweeps[1].session = sweeps[0].session;
  const bool urgent = random.chance(0.5);
  sweeps[0].priority = 0;
  sweeps[1].priority = urgent ? 1 : 0;
  sweeps[1].start = Milliseconds(urgent ? 2'000 : 0);
  sweeps[1].hosts.resize(urgent ? 30 : sweeps[0].hosts.size());
}

// From a source of their own, so that they change nothing else of a seed.
void Scenario::draw_rollouts(Random random) {
  if (kind == Kind::kCalm || theme != Theme::kNone) return;
  for (SweepScript& sweep : sweeps) {
    if (random.chance(0.2)) draw_rollout(random, sweep);
  }
}

// What a service brings with it; a disk that is full hurts nobody's lease.
void Scenario::draw_service(Random random) {
  if (kind == Kind::kCalm || theme != Theme::kNone) return;
  lanes_come = random.chance(0.3);
  for (SweepScript& sweep : sweeps) {
    if (random.chance(0.15)) draw_turns(random, sweep);
    if (random.chance(0.1)) sweep.closes = random.between(Nanoseconds(0), faults_end * 2);
  }
  if (random.chance(0.15)) draw_full_disk(random, *this);
}

void Scenario::draw_network(Random& random) {
  latency = random.between(Milliseconds(0), Milliseconds(random.chance(0.7) ? 5 : 60));
  if (kind == Kind::kCalm || kind == Kind::kRestarts) return;
  const double badness = random.chance(0.3) ? 0 : random.fraction();
  drop = (kind == Kind::kStorm ? 0.10 : 0.02) * badness;
  repeat = 0.10 * (random.chance(0.5) ? 0 : random.fraction());
  late = 0.10 * (random.chance(0.4) ? 0 : random.fraction());
  latest = random.chance(0.5) ? Nanoseconds(offer_expiry) * 2 : Nanoseconds(lease) * 9 / 10;
  if (kind == Kind::kLossy) latest = std::min<Nanoseconds>(latest, Nanoseconds(lease) / 12);
  // So far away that no claim comes before its offer has run out.
  if (kind == Kind::kStorm && lease >= Milliseconds(10'000) && random.chance(0.04)) {
    latency = Nanoseconds(offer_expiry) * 11 / 10;
  }
  cut_loses = random.chance(0.5) ? 0.7 : 0;
  reorders = random.chance(0.3);
}

Strike Scenario::draw_storm_strike(Random& random) {
  static constexpr Blow kBlows[] = {
      Blow::kKillWorker,     Blow::kKillWorker,  Blow::kPauseWorker,
      Blow::kPauseWorker,    Blow::kDrainWorker, Blow::kJumpClock,
      Blow::kCutUp,          Blow::kCutDown,     Blow::kCutSink,
      Blow::kCutLane,        Blow::kBlip,        Blow::kKillDispatcher,
      Blow::kKillDispatcher, Blow::kCutPower,    Blow::kPauseDispatcher,
      Blow::kDrainSweep,     Blow::kCancelSweep, Blow::kAbandonSweep};
  Strike strike;
  strike.blow = kBlows[random.below(std::size(kBlows))];
  // To end a sweep is the end of much else: less often.
  if (strike.blow >= Blow::kDrainSweep && random.chance(0.6)) strike.blow = Blow::kPauseWorker;
  if (strike.blow == Blow::kCutPower && random.chance(0.2)) strike.blow = Blow::kLoseDisk;
  const double lease_s = lease_seconds();
  strike.length = nanoseconds(random.chance(0.5) ? lease_s * 0.3 * random.fraction()
                                                 : lease_s * 2.5 * random.fraction());
  return strike;
}

// Some blows hurt only if another one follows: a machine loses power together with the switch that
// a worker is behind; a cut that held messages back is followed by one the other way.
void Scenario::add_second_blow(Random& random, const Strike& first) {
  Strike second = first;
  second.length = Nanoseconds(lease) * 2;
  if ((first.blow == Blow::kCutPower || first.blow == Blow::kKillDispatcher) &&
      random.chance(0.5)) {
    second.blow = random.chance(0.5) ? Blow::kCutUp : Blow::kPauseWorker;
    second.whom = random.below(static_cast<std::uint32_t>(workers.size()));
    second.at -= std::min(second.at, random.between(Nanoseconds(0), Milliseconds(300)));
    strikes.push_back(second);
  } else if (first.blow == Blow::kCutDown && random.chance(0.5)) {
    second.blow = Blow::kCutUp;
    second.at = first.at + first.length;
    strikes.push_back(second);
    faults_end = std::max(faults_end, second.at + second.length);
  }
}

void Scenario::draw_strikes(Random& random) {
  const double lease_s = lease_seconds();
  faults_end = nanoseconds(lease_s * (1 + 4 * random.fraction()));
  std::uint32_t count = 0;
  if (kind == Kind::kLossy) count = random.below(3);
  if (kind == Kind::kRestarts) count = random.between(1, 3);
  if (kind == Kind::kStorm) count = random.between(1, 8);
  for (std::uint32_t i = 0; i < count; ++i) {
    Strike strike;
    if (kind == Kind::kLossy) {
      strike.blow = Blow::kCutSink;
      strike.length = nanoseconds(lease_s * 3 * random.fraction());
    } else if (kind == Kind::kRestarts) {
      strike.blow = Blow::kKillDispatcher;
      strike.length = nanoseconds(lease_s * 0.2 * random.fraction());
    } else {
      strike = draw_storm_strike(random);
    }
    // One after the other, so that the second is no accident of the first.
    strike.at = kind == Kind::kRestarts ? nanoseconds(lease_s * (0.3 + i + 0.3 * random.fraction()))
                                        : random.between(Nanoseconds(0), faults_end);
    faults_end = std::max(faults_end, strike.at);
    const bool of_sweep = strike.blow >= Blow::kDrainSweep;
    strike.whom =
        random.below(static_cast<std::uint32_t>(of_sweep ? sweeps.size() : workers.size()));
    if (kind == Kind::kStorm) add_second_blow(random, strike);
    may_lose_grants |= strike.blow == Blow::kCutPower || strike.blow == Blow::kLoseDisk;
    strikes.push_back(strike);
  }
  lease_changes = kind == Kind::kStorm && random.chance(0.15);
}

}  // namespace netfleet::simulation

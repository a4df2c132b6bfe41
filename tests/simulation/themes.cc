#include "tests/simulation/themes.h"

#include <algorithm>

#include "common/check.h"
#include "tests/simulation/theme_parts.h"

namespace netfleet::simulation {
Nanoseconds leases(const Scenario& scenario, double count) {
  return nanoseconds(Seconds(scenario.lease).count() * count);
}

void strike(Scenario& scenario, Nanoseconds at, Blow blow, std::uint32_t whom, Nanoseconds length) {
  scenario.strikes.push_back({.at = at, .blow = blow, .whom = whom, .length = length});
  scenario.faults_end = std::max(scenario.faults_end, at + length);
}

void at_least(Scenario& scenario, std::uint32_t workers, std::uint32_t hosts) {
  while (scenario.workers.size() < workers) {
    scenario.workers.push_back(scenario.workers[0]);
    scenario.workers.back().name = "w" + std::to_string(scenario.workers.size() - 1);
  }
  for (SweepScript& sweep : scenario.sweeps) {
    HostScript first = sweep.hosts[0];
    first.poison = false;  // it would cost a lease each
    while (sweep.hosts.size() < hosts) sweep.hosts.push_back(first);
  }
}

void quiet_network(Scenario& scenario) {
  scenario.latency = std::min<Nanoseconds>(scenario.latency, Milliseconds(20));
  scenario.drop = scenario.repeat = scenario.late = scenario.cut_loses = 0;
  scenario.reorders = false;
}

std::uint32_t any_worker(const Scenario& scenario, Random& random) {
  return random.below(static_cast<std::uint32_t>(scenario.workers.size()));
}

namespace {

void changes(SweepScript& sweep) {
  sweep.changes_device = true;
  sweep.retry_unsafe = false;
}

// A whole fleet under one name, whose processes are killed and are back at once.
void twins(Scenario& scenario, Random& random) {
  at_least(scenario, 2, 10);
  for (WorkerScript& worker : scenario.workers) {
    worker.name = "twin";
    worker.mortal = false;
  }
  for (int i = 0; i < 6; ++i) {
    strike(scenario, random.between(Nanoseconds(0), leases(scenario, 2)), Blow::kKillWorker,
           any_worker(scenario, random), random.between(Milliseconds(10), Milliseconds(500)));
  }
}

// Everything comes twice and late, even two leases later, while connections are cut.
void echo(Scenario& scenario, Random& random) {
  at_least(scenario, 2, 10);
  scenario.repeat = 0.2 + 0.4 * random.fraction();
  scenario.late = 0.2 + 0.4 * random.fraction();
  scenario.latest = leases(scenario, random.chance(0.5) ? 0.2 : 0.5 + 2 * random.fraction());
  scenario.reorders = true;
  for (SweepScript& sweep : scenario.sweeps) sweep.long_sessions = 0.3;
  for (int i = 0; i < 3; ++i) {
    const Blow blow = random.chance(0.5) ? Blow::kCutUp : Blow::kCutDown;
    strike(scenario, random.between(Nanoseconds(0), leases(scenario, 3)), blow,
           any_worker(scenario, random), leases(scenario, 1.5 * random.fraction()));
  }
}

// Half of all messages are overtaken by later ones, and nothing else fails.
void overtaken(Scenario& scenario, Random& random) {
  quiet_network(scenario);
  at_least(scenario, 2, 20);
  scenario.late = 0.7;
  scenario.latest = leases(scenario, 0.6 + 0.4 * random.fraction());
  scenario.repeat = 0.95;
  scenario.reorders = true;
  // Claims that come too late find no room any more.
  scenario.limits = {{.name = "tight", .sessions = 6}};
  for (SweepScript& sweep : scenario.sweeps) {
    sweep.long_sessions = 0;
    sweep.session = std::chrono::seconds(1);
    changes(sweep);
    for (HostScript& host : sweep.hosts) host.limits = {0};
  }
  scenario.strikes.clear();
  scenario.may_lose_grants = false;
}

// Offers of a dispatcher that was killed come again while its successor waits for the leases.
void old_offers(Scenario& scenario, Random& random) {
  quiet_network(scenario);
  at_least(scenario, 1, 20);
  scenario.repeat = 0.9;
  scenario.latest = leases(scenario, 1.3);
  for (SweepScript& sweep : scenario.sweeps) {
    sweep.long_sessions = 0.5;
    changes(sweep);
  }
  scenario.strikes.clear();
  scenario.may_lose_grants = false;
  strike(scenario, leases(scenario, 0.05 + 0.2 * random.fraction()), Blow::kKillDispatcher, 0,
         leases(scenario, 0.9 + 0.2 * random.fraction()));
}

// The dispatcher is away, for a lease or for an afternoon; nothing else fails.
void absence(Scenario& scenario, Random& random) {
  quiet_network(scenario);
  at_least(scenario, 1, 20);
  scenario.strikes.clear();
  Nanoseconds at = leases(scenario, 0.05 + 0.3 * random.fraction());
  for (std::uint32_t i = random.between(1, 3); i > 0; --i) {
    const double away = random.chance(0.2) ? 30 : 0.3 + 2 * random.fraction();
    strike(scenario, at, Blow::kKillDispatcher, 0, leases(scenario, away));
    at += leases(scenario, away + 0.3 + 0.5 * random.fraction());
  }
}

// The dispatcher is killed again and again, while the first worker to die never comes back.
void flapping(Scenario& scenario, Random& random) {
  quiet_network(scenario);
  at_least(scenario, 2, 40);
  scenario.sweeps.resize(1);
  scenario.sweeps[0].session = std::min<Nanoseconds>(scenario.sweeps[0].session, Milliseconds(200));
  scenario.limits = {{.name = "slow", .logins_per_second = 0.5, .burst = 5}};
  for (HostScript& host : scenario.sweeps[0].hosts) host.limits = {0};
  for (WorkerScript& worker : scenario.workers) worker.early = true;
  scenario.workers.back().mortal = true;
  scenario.min_workers = static_cast<std::uint32_t>(scenario.workers.size());
  scenario.strikes.clear();
  scenario.may_lose_grants = false;
  const std::uint32_t last = scenario.min_workers - 1;
  strike(scenario, leases(scenario, 0.2), Blow::kKillWorker, last, Nanoseconds(0));
  Nanoseconds at = leases(scenario, 0.3);
  for (std::uint32_t i = random.between(4, 8); i > 0; --i) {
    strike(scenario, at, Blow::kKillDispatcher, 0, Milliseconds(50));
    at += leases(scenario, 0.25 + 0.1 * random.fraction());
  }
}

// A dispatcher with another --lease takes over while a worker that works cannot be heard.
void other_lease(Scenario& scenario, Random& random) {
  quiet_network(scenario);
  at_least(scenario, 2, 20);
  scenario.lease_changes = true;
  for (SweepScript& sweep : scenario.sweeps) sweep.long_sessions = 0.3;
  scenario.strikes.clear();
  scenario.may_lose_grants = false;
  for (int i = 0; i < 2; ++i) {
    const Nanoseconds at = leases(scenario, 0.3 + i * 4 + random.fraction());
    const std::uint32_t whom = any_worker(scenario, random);
    for (const Blow blow : {Blow::kCutUp, Blow::kCutDown, Blow::kCutSink}) {
      strike(scenario, at, blow, whom, leases(scenario, 3));
    }
    strike(scenario, at + Milliseconds(20), Blow::kKillDispatcher, 0, Milliseconds(200));
  }
}

// What a worker is told is held back, and by the time that it comes nothing that the worker says
// comes through: how long may it work on?
void late_grants(Scenario& scenario, Random& random) {
  quiet_network(scenario);
  at_least(scenario, 3, 30);
  for (SweepScript& sweep : scenario.sweeps) sweep.long_sessions = 0.4;
  scenario.strikes.clear();
  scenario.may_lose_grants = false;
  for (int i = 0; i < 3; ++i) {
    const Nanoseconds at = leases(scenario, 0.1 + i * 2.5 + random.fraction());
    const std::uint32_t whom = any_worker(scenario, random);
    const double heard = 0.05 + 0.25 * random.fraction();
    strike(scenario, at, Blow::kCutDown, whom, leases(scenario, heard + 0.12));
    strike(scenario, at + leases(scenario, heard), Blow::kCutUp, whom, leases(scenario, 2));
  }
}

// Sweeps are cancelled in a network that loses messages.
void cancels(Scenario& scenario, Random& random) {
  scenario.drop = 0.05;
  scenario.strikes.clear();
  for (std::uint32_t i = 0; i < scenario.sweeps.size(); ++i) {
    scenario.sweeps[i].long_sessions = 0.5;
    strike(scenario, scenario.sweeps[i].start + leases(scenario, 0.1 + 0.8 * random.fraction()),
           Blow::kCancelSweep, i, Nanoseconds(0));
  }
}

// A wrong password everywhere, while the results that say so are under way for long.
void refusals(Scenario& scenario, Random&) {
  at_least(scenario, 1, 30);
  for (SweepScript& sweep : scenario.sweeps) {
    sweep.max_auth_failures = 1;
    for (HostScript& host : sweep.hosts) host.login_refused = true;
  }
  scenario.strikes.clear();
  for (std::uint32_t whom = 0; whom < scenario.workers.size(); ++whom) {
    strike(scenario, Nanoseconds(0), Blow::kCutSink, whom, leases(scenario, 1));
  }
}

// The store is lost, and its successor numbers its sweeps from 1 again.
void lost_disks(Scenario& scenario, Random& random) {
  at_least(scenario, 1, 20);
  quiet_network(scenario);
  scenario.drop = 0.1;
  scenario.late = 0.4;
  scenario.latest = leases(scenario, 0.3);
  scenario.reorders = true;
  for (SweepScript& sweep : scenario.sweeps) sweep.long_sessions = 0.3;
  scenario.strikes.clear();
  scenario.may_lose_grants = true;
  for (int i = 0; i < 2; ++i) {
    const Nanoseconds at = leases(scenario, 0.2 + i + random.fraction());
    strike(scenario, at, Blow::kCutSink, any_worker(scenario, random), leases(scenario, 1));
    strike(scenario, at + leases(scenario, 0.2 * random.fraction()), Blow::kLoseDisk, 0,
           Milliseconds(100));
  }
}

// One worker's claims come after their offers, another one is granted those tasks and cut off, and
// then the dispatcher's machine forgets the grants.
void power_cuts(Scenario& scenario, Random& random) {
  quiet_network(scenario);
  at_least(scenario, 2, 30);
  for (SweepScript& sweep : scenario.sweeps) {
    sweep.changes_device = false;  // those are synced
    sweep.long_sessions = 0.4;
  }
  scenario.strikes.clear();
  scenario.may_lose_grants = true;
  for (int i = 0; i < 2; ++i) {
    const Nanoseconds at = leases(scenario, 0.1 + i * 2.5 + random.fraction());
    const std::uint32_t late = any_worker(scenario, random);
    const Nanoseconds cut = at + leases(scenario, 0.2);
    strike(scenario, at, Blow::kCutUp, late, leases(scenario, 0.22));
    for (std::uint32_t whom = 0; whom < scenario.workers.size(); ++whom) {
      if (whom == late || random.chance(0.3)) continue;
      strike(scenario, cut, Blow::kCutUp, whom, leases(scenario, 2));
      strike(scenario, cut, Blow::kCutDown, whom, leases(scenario, 2));
    }
    strike(scenario, cut + Milliseconds(20), Blow::kCutPower, 0, leases(scenario, 0.05));
  }
}

// A sweep is abandoned while another one waits for its devices and sessions.
void abandoned(Scenario& scenario, Random& random) {
  quiet_network(scenario);
  scenario.sweeps.resize(1);
  scenario.limits = {{.name = "tight", .sessions = 2}};
  at_least(scenario, 1, 10);
  SweepScript& first = scenario.sweeps[0];
  first.long_sessions = 0.7;
  for (HostScript& host : first.hosts) {
    host.limits = {0};
    host.login_refused = false;
  }
  scenario.sweeps.push_back(first);
  scenario.strikes.clear();
  scenario.may_lose_grants = false;
  strike(scenario, leases(scenario, 0.1 + 0.8 * random.fraction()), Blow::kAbandonSweep, 0,
         Nanoseconds(0));
}

// A worker cannot start much of what it is granted, and messages are lost.
void returns(Scenario& scenario, Random& random) {
  at_least(scenario, 2, 20);
  scenario.drop = 0.05;
  scenario.strikes.clear();
  scenario.workers[any_worker(scenario, random)].gives_back = 0.5;
}

// Many hosts in small batches, and many of them fail.
void rollouts(Scenario& scenario, Random& random) {
  at_least(scenario, 2, 30);
  for (SweepScript& sweep : scenario.sweeps) {
    sweep.max_auth_failures = 0;
    draw_rollout(random, sweep);
  }
}

}  // namespace

void draw_rollout(Random& random, SweepScript& sweep) {
  const auto hosts = static_cast<std::uint32_t>(sweep.hosts.size());
  RolloutSpec& rollout = sweep.rollout;
  if (random.chance(0.5)) rollout.canary = random.between(1, 5);
  if (random.chance(0.8)) {
    const bool percent = random.chance(0.3);
    rollout.batch =
        percent ? Share{random.between(10'000, 60'000), true} : Share{random.between(1, 12), false};
  }
  if (random.chance(0.3)) rollout.growth = random.between(1'000, 2'500);
  if (random.chance(0.4)) rollout.pause = Milliseconds(random.below(4'000));
  if (random.chance(0.8)) {
    const bool percent = random.chance(0.4);
    rollout.max_failures =
        percent ? Share{random.below(30'000), true} : Share{random.below(5), false};
  }
  rollout.ask = random.chance(0.3);
  const double bad = random.chance(0.3) ? 0 : 0.4 * random.fraction();
  for (std::uint32_t index = 0; index < hosts; ++index) sweep.hosts[index].bad = random.chance(bad);
}

const std::vector<ThemeInfo>& all_themes() {
  static const std::vector<ThemeInfo> list = {
      {Theme::kTwins, "twins", Kind::kStorm, "workers share one name, are killed and at once back",
       twins},
      {Theme::kEcho, "echo", Kind::kStorm, "messages come twice, late, in any order", echo},
      {Theme::kOvertaken, "overtaken", Kind::kStorm, "half of all messages are overtaken",
       overtaken},
      {Theme::kOldOffers, "old-offers", Kind::kStorm, "a dead dispatcher's offers come late",
       old_offers},
      {Theme::kAbsence, "absence", Kind::kAbsence, "the dispatcher is away for many leases",
       absence},
      {Theme::kFlapping, "flapping", Kind::kStorm, "the dispatcher is killed again and again",
       flapping},
      {Theme::kOtherLease, "other-lease", Kind::kStorm,
       "the next dispatcher has another --lease, and a worker cannot be heard", other_lease},
      {Theme::kLateGrants, "late-grants", Kind::kStorm, "grants are late, then workers are cut off",
       late_grants},
      {Theme::kCancels, "cancels", Kind::kLossy, "sweeps are cancelled, messages are lost",
       cancels},
      {Theme::kRefusals, "refusals", Kind::kLossy, "every login is refused, results are late",
       refusals},
      {Theme::kLostDisks, "lost-disks", Kind::kStorm, "the store is lost, the next one is empty",
       lost_disks},
      {Theme::kPowerCuts, "power-cuts", Kind::kStorm, "the newest grants are forgotten",
       power_cuts},
      {Theme::kAbandoned, "abandoned", Kind::kStorm, "a sweep is abandoned, another one waits",
       abandoned},
      {Theme::kRollouts, "rollouts", Kind::kStorm, "sweeps in batches, with failures", rollouts},
      {Theme::kFullDisks, "full-disks", Kind::kLossy, "the dispatcher's disk is full for a while",
       full_disks},
      {Theme::kWindows, "windows", Kind::kStorm, "sweeps close while they run, hosts have turns",
       windows},
      {Theme::kService, "service", Kind::kRestarts, "many sweeps share devices through restarts",
       service},
      {Theme::kReturns, "returns", Kind::kLossy, "tasks are given back, messages are lost",
       returns},
  };
  return list;
}

const ThemeInfo& info_of(Theme theme) {
  const auto& list = all_themes();
  const auto found = std::find_if(list.begin(), list.end(),
                                  [theme](const ThemeInfo& info) { return info.theme == theme; });
  CHECK(found != list.end());
  return *found;
}

}  // namespace netfleet::simulation

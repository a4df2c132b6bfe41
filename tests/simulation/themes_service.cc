// Themes of a service: many sweeps that come and go, windows that close, turns, a disk without
// room.
#include "tests/simulation/theme_parts.h"

namespace netfleet::simulation {

void draw_turns(Random& random, SweepScript& sweep) {
  const Nanoseconds splay = random.between(Milliseconds(100), Milliseconds(30'000));
  for (HostScript& host : sweep.hosts) host.turn = random.between(Nanoseconds(0), splay);
}

void draw_full_disk(Random& random, Scenario& scenario) {
  for (std::uint32_t i = random.between(1, 3); i > 0; --i) {
    const double length = random.chance(0.5) ? 0.3 : 3;
    strike(scenario, random.between(Nanoseconds(0), leases(scenario, 3)), Blow::kFillDisk, 0,
           leases(scenario, length * random.fraction()));
  }
}

// While tasks are claimed all the time, and whatever they do to their devices. Meanwhile a worker
// hears nothing for so long that it says Hello again; not before what was granted is known to it.
void full_disks(Scenario& scenario, Random& random) {
  at_least(scenario, 2, 30);
  for (SweepScript& sweep : scenario.sweeps) {
    sweep.changes_device = random.chance(0.7);
    sweep.session = std::min<Nanoseconds>(sweep.session, Milliseconds(300));
  }
  scenario.strikes.clear();
  scenario.cut_loses = 0;
  const Nanoseconds at = leases(scenario, random.fraction());
  strike(scenario, at, Blow::kFillDisk, 0, leases(scenario, 3 * random.fraction()));
  strike(scenario, at + leases(scenario, 0.2 + random.fraction()), Blow::kCutDown,
         any_worker(scenario, random), leases(scenario, 0.5));
  if (random.chance(0.5)) {  // as much is lost by that as a lease outlives
    scenario.drop = 0;
    return;
  }
  scenario.strikes.pop_back();
  draw_full_disk(random, scenario);
}

// Some windows end somewhere else than was thought at first.
void windows(Scenario& scenario, Random& random) {
  at_least(scenario, 2, 20);
  for (std::uint32_t i = 0; i < scenario.sweeps.size(); ++i) {
    SweepScript& sweep = scenario.sweeps[i];
    sweep.closes = random.between(Nanoseconds(0), leases(scenario, 2));
    if (random.chance(0.6)) draw_turns(random, sweep);
    if (random.chance(0.3)) {
      strike(scenario, sweep.start + random.between(Nanoseconds(0), leases(scenario, 2)),
             Blow::kMoveWindow, i, Nanoseconds(0));
    }
  }
  // What is claimed meanwhile is answered at once when it goes on.
  for (int i = 0; i < 2; ++i) {
    strike(scenario, random.between(Nanoseconds(0), leases(scenario, 2)), Blow::kPauseDispatcher, 0,
           leases(scenario, 0.5 * random.fraction()));
  }
}

// Each at some devices that the others know, too, of any priority, in regions that come with them.
void service(Scenario& scenario, Random& random) {
  scenario.lanes_come = true;
  if (scenario.regions.size() == 1 && random.chance(0.5)) {
    scenario.regions.emplace_back("north");
    for (WorkerScript& worker : scenario.workers) worker.regions = {"", "north"};
  }
  const auto regions =
      std::min<std::uint32_t>(2, static_cast<std::uint32_t>(scenario.regions.size()));
  const SweepScript first = scenario.sweeps[0];
  scenario.sweeps.resize(random.between(4, 8), first);
  at_least(scenario, 2, 6);
  for (SweepScript& sweep : scenario.sweeps) {
    sweep.start = random.between(Nanoseconds(0), leases(scenario, 3));
    sweep.priority = static_cast<std::uint8_t>(random.below(3));
    sweep.changes_device = random.chance(0.5);
    sweep.max_auth_failures = random.below(3);
    sweep.hosts.resize(std::min<std::size_t>(sweep.hosts.size(), 12));
    for (HostScript& host : sweep.hosts) {
      host.device = random.chance(0.7) ? 1 + random.below(8) : 0;
      if (random.chance(0.5)) host.region = static_cast<std::uint16_t>(random.below(regions));
    }
    if (random.chance(0.3)) draw_turns(random, sweep);
    if (random.chance(0.3)) sweep.closes = random.between(Nanoseconds(0), leases(scenario, 3));
    if (random.chance(0.2)) draw_rollout(random, sweep);
  }
}

}  // namespace netfleet::simulation

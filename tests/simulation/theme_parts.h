// tests/simulation: what themes are made of.
#pragma once

#include "tests/simulation/scenario.h"

namespace netfleet::simulation {

Nanoseconds leases(const Scenario& scenario, double count);
void strike(Scenario& scenario, Nanoseconds at, Blow blow, std::uint32_t whom, Nanoseconds length);
void at_least(Scenario& scenario, std::uint32_t workers, std::uint32_t hosts);
void quiet_network(Scenario& scenario);
std::uint32_t any_worker(const Scenario& scenario, Random& random);

// Gives a sweep brakes, and hosts that fail.
void draw_rollout(Random& random, SweepScript& sweep);
// Gives its hosts turns, as a splay does.
void draw_turns(Random& random, SweepScript& sweep);
// The dispatcher's disk is full, for some leases perhaps.
void draw_full_disk(Random& random, Scenario& scenario);

// Themes of a service: themes_service.cc.
void full_disks(Scenario& scenario, Random& random);
void windows(Scenario& scenario, Random& random);
void service(Scenario& scenario, Random& random);

}  // namespace netfleet::simulation

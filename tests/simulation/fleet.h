// tests/simulation: one seed from its beginning to its end.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/simulation/books.h"
#include "tests/simulation/dispatcher.h"
#include "tests/simulation/event_loop.h"
#include "tests/simulation/network.h"
#include "tests/simulation/scenario.h"
#include "tests/simulation/trace.h"
#include "tests/simulation/worker.h"

namespace netfleet::simulation {

// What came of one seed; `invariant` is empty when everything held.
struct Report {
  std::string invariant;
  std::string detail;
  std::uint64_t events = 0;
  Nanoseconds time{0};  // virtual
};

class Fleet {
 public:
  Fleet(std::uint64_t seed, Theme theme, bool verbose);
  Report run();

 private:
  void strike(const Strike& strike);
  void strike_dispatcher(const Strike& strike);
  void listen();
  void end_of_faults();
  bool step(Nanoseconds end);
  void check_reunion();
  void check_welcome();
  void check_shares();
  Nanoseconds work() const;
  void check_urgent(const Dispatcher::Sweep& sweep);
  void check_equal(const Dispatcher::Sweep& first, const Dispatcher::Sweep& second);
  Nanoseconds lost_to(std::uint32_t count) const;  // offers
  double seconds_a_task(Nanoseconds session, double slowness) const;
  Nanoseconds ideal(std::size_t hosts, Nanoseconds session) const;

  Scenario scenario_;
  EventLoop loop_;
  Random random_;
  Books books_;
  Trace trace_;
  Network network_;
  Dispatcher dispatcher_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::set<std::uint32_t> gone_;  // workers that never come back
  std::uint64_t events_ = 0;
  std::uint64_t events_this_second_ = 0;
  std::int64_t second_ = 0;
};

Report simulate(std::uint64_t seed, Theme theme, bool verbose);

}  // namespace netfleet::simulation

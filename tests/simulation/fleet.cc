#include "tests/simulation/fleet.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <map>

namespace netfleet::simulation {
namespace {

// Every message of some seeds is written and read as it would be on the wire.
template <typename Message, typename Decode>
Message carried(const Books& books, bool encodes, const Message& message, Decode decode) {
  if (!encodes) return message;
  auto read = decode(encode(message));
  if (!read) books.fail("a message is valid", read.error().message);
  return std::move(*read);
}

}  // namespace

Fleet::Fleet(std::uint64_t seed, Theme theme, bool verbose)
    : scenario_(seed, theme),
      random_(seed ^ 0x5eed5eed5eed5eedu),
      books_(scenario_, loop_),
      trace_(loop_, verbose),
      network_(scenario_, loop_, random_, books_, trace_),
      dispatcher_(scenario_, loop_, random_, books_, network_, trace_) {
  for (std::uint32_t number = 0; number < scenario_.workers.size(); ++number) {
    workers_.push_back(std::make_unique<Worker>(scenario_, number, loop_, random_, books_, network_,
                                                dispatcher_, trace_));
  }
  listen();
}

void Fleet::listen() {
  Ears ears;
  const bool encodes = scenario_.encodes;
  ears.dispatcher_alive = [this] { return dispatcher_.alive(); };
  ears.control = [this, encodes](std::uint64_t from, const v1::ToDispatcher& message) {
    const auto heard = carried(books_, encodes, message, decode_to_dispatcher);
    dispatcher_.receive([this, from, heard] { dispatcher_.on_control(from, heard); });
  };
  ears.sink = [this, encodes](const v1::ResultFrame& frame) {
    const auto heard = carried(books_, encodes, frame, decode_results);
    dispatcher_.receive([this, heard] { dispatcher_.on_sink(heard); });
  };
  ears.worker = [this, encodes](std::uint32_t number, const v1::ToWorker& message) {
    const auto heard = carried(books_, encodes, message, decode_to_worker);
    Worker& worker = *workers_[number];
    worker.receive([&worker, heard] { worker.on_message(heard); });
  };
  ears.offers = [this, encodes](std::uint32_t number, const v1::OfferFrame& frame,
                                const std::function<void()>& read) {
    const auto heard = carried(books_, encodes, frame, decode_offers);
    Worker& worker = *workers_[number];
    worker.receive([&worker, heard, read] {
      read();
      worker.on_offers(heard);
    });
  };
  ears.room = [this] { dispatcher_.on_room(); };
  network_.listen(std::move(ears));
}

void Fleet::strike_dispatcher(const Strike& strike) {
  if (strike.blow == Blow::kPauseDispatcher) return dispatcher_.pause(strike.length);
  if (!dispatcher_.alive()) return;
  dispatcher_.end(strike.blow != Blow::kKillDispatcher);
  if (strike.blow == Blow::kLoseDisk) dispatcher_.lose_disk();
  loop_.after(strike.length, [this] {
    if (!dispatcher_.alive()) dispatcher_.begin();
    if (scenario_.kind == Kind::kRestarts) check_reunion();
  });
}

// Workers are not left to find out by silence that their dispatcher is another one.
void Fleet::check_reunion() {
  std::uint32_t there = 0;
  for (const auto& worker : workers_) there += worker->alive() ? 1 : 0;
  const Nanoseconds soon =
      Nanoseconds(scenario_.heartbeat) * 11 / 10 + Milliseconds(1'200) + scenario_.latency * 6;
  loop_.after(soon, [this, there, life = dispatcher_.life()] {
    if (dispatcher_.alive() && dispatcher_.life() == life && dispatcher_.workers() < there) {
      books_.fail("workers are back soon after a restart",
                  fmt::format("{} of {}", dispatcher_.workers(), there));
    }
  });
}

// Whatever happened, and whatever they are called: in the end all who live are known.
void Fleet::check_welcome() {
  std::uint32_t there = 0;
  for (const auto& worker : workers_) there += worker->alive() ? 1 : 0;
  if (dispatcher_.workers() != there) {
    books_.fail("every live worker is welcome",
                fmt::format("{} are known, {} are alive", dispatcher_.workers(), there));
  }
}

void Fleet::strike(const Strike& strike) {
  Worker& worker = *workers_[strike.whom % workers_.size()];
  const std::uint32_t number = strike.whom % static_cast<std::uint32_t>(workers_.size());
  trace_("strike {} on {} for {:.2f} s", static_cast<int>(strike.blow), strike.whom,
         Seconds(strike.length).count());
  switch (strike.blow) {
    case Blow::kKillWorker:
      worker.end();
      if (scenario_.workers[number].mortal && books_.begun() && !scenario_.may_lose_grants &&
          scenario_.sweeps.size() == 1) {
        gone_.insert(number);
        return;
      }
      return loop_.after(strike.length, [&worker] {
        if (!worker.alive()) worker.begin();
      });
    case Blow::kPauseWorker:
      return worker.pause(strike.length);
    case Blow::kDrainWorker:
      return worker.drain();
    case Blow::kJumpClock:
      return worker.jump_clock(strike.length);
    case Blow::kCutUp:
      return network_.cut(number, Network::Way::kUp, strike.length);
    case Blow::kCutDown:
      return network_.cut(number, Network::Way::kDown, strike.length);
    case Blow::kCutSink:
      return network_.cut(number, Network::Way::kSink, strike.length);
    case Blow::kCutLane:
      return network_.cut(number, Network::Way::kLane, strike.length);
    case Blow::kBlip:
      return network_.blip(number);
    case Blow::kFillDisk:
      return dispatcher_.fill_disk(strike.length);
    case Blow::kDrainSweep:
    case Blow::kCancelSweep:
    case Blow::kAbandonSweep:
    case Blow::kMoveWindow:
      return dispatcher_.strike(strike.blow, strike.whom);
    default:
      return strike_dispatcher(strike);
  }
}

// From here on everything works, so that what is still open must end.
void Fleet::end_of_faults() {
  trace_("faults end");
  network_.heal();
  if (!dispatcher_.alive()) dispatcher_.begin();
  for (std::uint32_t number = 0; number < workers_.size(); ++number) {
    if (!workers_[number]->alive() && !gone_.contains(number)) workers_[number]->begin();
  }
}

// A session, its offer, claim, grant, result and acknowledgement, and the disk.
double Fleet::seconds_a_task(Nanoseconds session, double slowness) const {
  return Seconds(session).count() * slowness + 5 * Seconds(scenario_.latency).count() + 0.02;
}

// All slots of all workers busy all the time.
Nanoseconds Fleet::ideal(std::size_t hosts, Nanoseconds session) const {
  double rate = 0;
  for (const WorkerScript& worker : scenario_.workers) {
    rate += worker.slots / seconds_a_task(session, worker.slowness);
  }
  return nanoseconds(static_cast<double>(hosts) / rate);
}

// All of it one after the other on the slowest worker, if it comes to the worst.
Nanoseconds Fleet::work() const {
  double slowest = 1, seconds = 0;
  for (const WorkerScript& worker : scenario_.workers) {
    slowest = std::max(slowest, worker.slowness);
  }
  for (const SweepScript& sweep : scenario_.sweeps) {
    const double session = Seconds(sweep.session).count() * 2 * slowest +
                           Seconds(scenario_.lease).count() * 2 * sweep.long_sessions;
    seconds += session * static_cast<double>(sweep.hosts.size()) * (sweep.retries + 2);
  }
  return nanoseconds(seconds);
}

// Without faults: a slow worker costs its share only, equal sweeps share, an urgent one goes first.
void Fleet::check_shares() {
  std::size_t hosts = 0;
  double slowest = 1;
  for (const WorkerScript& worker : scenario_.workers) {
    slowest = std::max(slowest, worker.slowness);
  }
  const auto& sweeps = dispatcher_.sweeps();
  const Nanoseconds session = scenario_.sweeps[0].session;
  const Nanoseconds one = nanoseconds(Seconds(session).count() * slowest);
  Nanoseconds ended{0};
  for (const Dispatcher::Sweep& sweep : sweeps) {
    hosts += scenario_.sweeps[sweep.script].hosts.size();
    ended = std::max(ended, sweep.ended);
  }
  const Nanoseconds bound = ideal(hosts, session) * 4 / 3 + one * 3 / 2 + std::chrono::seconds(4);
  if (ended > bound) {
    books_.fail(
        "a slow worker costs its share",
        fmt::format("{:.1f} s, at most {:.1f} s", Seconds(ended).count(), Seconds(bound).count()));
  }
  if (sweeps.size() < 2 || slowest > 1) return;
  if (scenario_.sweeps[1].priority > scenario_.sweeps[0].priority) {
    check_urgent(sweeps[1]);
  } else if (sweeps[0].done_at_half.size() > 1) {
    check_equal(sweeps[0], sweeps[1]);
  }
}

// A worker that leaves its lanes drops what is under way to it: each such offer of a task costs the
// time until it has run out.
Nanoseconds Fleet::lost_to(std::uint32_t count) const {
  return nanoseconds(count * Seconds(scenario_.offer_expiry).count() / scenario_.dispatcher_rate);
}

void Fleet::check_urgent(const Dispatcher::Sweep& sweep) {
  std::map<TaskKey, std::uint32_t> lost;
  std::uint32_t unluckiest = 0;
  for (const Network::LostOffer& offer : network_.offers_lost()) {
    if (offer.task.sweep == sweep.number) unluckiest = std::max(unluckiest, ++lost[offer.task]);
  }
  // A session until the first slots are free, and one for a last round that fills few of them.
  const SweepScript& script = scenario_.sweeps[sweep.script];
  const Nanoseconds most = script.start + ideal(script.hosts.size(), script.session) * 6 / 5 +
                           script.session * 2 + lost_to(unluckiest) + Milliseconds(500);
  if (sweep.ended > most) {
    books_.fail("an urgent sweep goes first",
                fmt::format("{:.1f} s, at most {:.1f} s", Seconds(sweep.ended).count(),
                            Seconds(most).count()));
  }
}

// What was offered in vain counted as the second's share, but came to nothing.
void Fleet::check_equal(const Dispatcher::Sweep& first, const Dispatcher::Sweep& second) {
  std::uint32_t lost = 0;
  for (const Network::LostOffer& offer : network_.offers_lost()) {
    if (offer.task.sweep == second.number && offer.at < first.half_done) ++lost;
  }
  const SweepScript& script = scenario_.sweeps[second.script];
  const double in_vain = Seconds(lost_to(lost)).count() / seconds_a_task(script.session, 1);
  const double done = first.done_at_half[1];
  if (done + in_vain < 0.3 * static_cast<double>(script.hosts.size())) {
    books_.fail("equal sweeps share",
                fmt::format("{} of {} of the second at half of the first, {:.0f} offered in vain",
                            done, script.hosts.size(), in_vain));
  }
}

bool Fleet::step(Nanoseconds end) {
  ++events_;
  const std::int64_t second = loop_.now().count() / 1'000'000'000;
  if (second != second_) events_this_second_ = 0;
  second_ = second;
  if (++events_this_second_ > 100'000) books_.fail("no process spins", "");
  return loop_.step(end);
}

Report Fleet::run() {
  Report report;
  try {
    for (const auto& worker : workers_) {
      const bool early =
          scenario_.workers[static_cast<std::size_t>(&worker - workers_.data())].early;
      loop_.at(early ? random_.between(Nanoseconds(0), Nanoseconds(50'000'000))
                     : random_.between(Nanoseconds(0), Nanoseconds(20'000'000'000)),
               [&worker] {
                 if (!worker->alive()) worker->begin();
               });
    }
    dispatcher_.begin();
    for (std::uint32_t script = 0; script < scenario_.sweeps.size(); ++script) {
      loop_.at(scenario_.sweeps[script].start,
               [this, script] { dispatcher_.sweep_is_due(script); });
    }
    for (const Strike& one : scenario_.strikes) {
      loop_.at(one.at, [this, &one] { strike(one); });
    }
    loop_.at(scenario_.faults_end, [this] { end_of_faults(); });
    const Nanoseconds bound = scenario_.faults_end + std::chrono::seconds(600) +
                              Nanoseconds(scenario_.lease) * 30 + work();
    while (!dispatcher_.all_over() || loop_.now() < scenario_.faults_end) {
      if (!step(bound)) books_.fail("the sweep ends", dispatcher_.what_is_open());
    }
    // What is held somewhere must be let go, too; and a late Hello of a dead worker, still under
    // way, makes it known for one more lease, which may be three times as long as the first.
    const Nanoseconds end = std::max(loop_.now(), network_.under_way_until()) +
                            Nanoseconds(scenario_.lease) * 6 + std::chrono::seconds(10);
    while (step(end)) continue;
    dispatcher_.check_at_end();
    check_welcome();
    for (const auto& worker : workers_) worker->check_at_end();
    if (scenario_.kind == Kind::kCalm) check_shares();
  } catch (const Violation& violation) {
    report.invariant = violation.invariant;
    report.detail = violation.what();
  } catch (const std::exception& error) {
    report.invariant = "no check fails";
    report.detail = fmt::format("no check fails: {}", error.what());
  }
  report.events = events_;
  report.time = loop_.now();
  return report;
}

Report simulate(std::uint64_t seed, Theme theme, bool verbose) {
  return Fleet(seed, theme, verbose).run();
}

}  // namespace netfleet::simulation

#include "tests/simulation/network.h"

#include <fmt/format.h>

#include "common/breach.h"

namespace netfleet::simulation {
namespace {

constexpr std::uint32_t kMostInPipe = 6;  // frames between a PUSH and a PULL that does not read
// In a DEALER while nobody listens: what is said in a silence of three heartbeats (claims and
// results every twentieth of a lease), as often as a late message from before the silence may renew
// it.
constexpr std::size_t kMostQueued = 80;
constexpr Milliseconds kReconnect{100};  // of ZeroMQ

bool always() { return true; }
std::size_t index_of(Network::Way way) { return static_cast<std::size_t>(way); }

}  // namespace

Network::Network(const Scenario& scenario, EventLoop& loop, Random& random, Books& books,
                 const Trace& trace)
    : scenario_(scenario),
      loop_(loop),
      random_(random),
      books_(books),
      trace_(trace),
      losses_(scenario),
      links_(scenario.workers.size()) {}

Nanoseconds Network::arrival(std::uint32_t worker, Way way, const MayLose& may_lose) {
  Link& link = links_[worker];
  const std::size_t index = index_of(way);
  Nanoseconds at = loop_.now() + scenario_.latency / 2 +
                   random_.between(Nanoseconds(20'000), scenario_.latency + Nanoseconds(40'000));
  const Nanoseconds cut = link.cut_until[index];
  if (cut > loop_.now()) {
    if (random_.chance(scenario_.cut_loses)) return Nanoseconds(-1);
    at += cut - loop_.now();  // sent again by TCP in the end
  }
  if (!healed_) {
    if (random_.chance(scenario_.drop) && may_lose()) return Nanoseconds(-1);
    if (random_.chance(scenario_.late)) at += random_.between(Nanoseconds(0), scenario_.latest);
  }
  if (!scenario_.reorders || healed_) at = std::max(at, link.last[index] + Nanoseconds(1'000));
  link.last[index] = std::max(link.last[index], at);
  return at;
}

void Network::deliver_at(Nanoseconds time, const std::function<void()>& deliver) {
  under_way_until_ = std::max(under_way_until_, time);
  loop_.at(time, deliver);
}

bool Network::carry(std::uint32_t worker, Way way, const MayLose& may_lose,
                    const std::function<void()>& deliver, bool may_repeat) {
  const Nanoseconds at = arrival(worker, way, may_lose);
  const bool once = at >= Nanoseconds(0);
  if (once) deliver_at(at, deliver);
  if (healed_ || !may_repeat || !random_.chance(scenario_.repeat)) return once;
  const Nanoseconds again = arrival(worker, way, may_lose);
  const bool twice = again >= Nanoseconds(0);
  if (twice) deliver_at(again + random_.between(Nanoseconds(0), scenario_.latest), deliver);
  return once || twice;
}

void Network::reopen(std::uint32_t worker) {
  Link& link = links_[worker];
  ++link.connection;
  if (!BROKEN(kR16QueueKept)) link.control_queue.clear();
}

void Network::up(std::uint32_t worker, std::uint64_t incarnation, const v1::ToDispatcher& message) {
  const std::uint32_t connection = links_[worker].connection;
  const auto shared = std::make_shared<const v1::ToDispatcher>(message);
  const auto deliver = [this, worker, connection, incarnation, shared, life = dispatcher_life_] {
    if (life != dispatcher_life_ || !ears_.dispatcher_alive()) return;
    // What an older connection still holds may come, even after the newer one's first.
    const bool current = links_[worker].connection == connection;
    if (!current && random_.chance(0.5)) return;
    if (current) routes_[incarnation] = {worker, connection};
    ears_.control(incarnation, *shared);
  };
  if (ears_.dispatcher_alive()) {
    const auto may_lose = [&] { return losses_.allow(worker, loop_.now(), message); };
    if (!carry(worker, Way::kUp, may_lose, deliver, losses_.may_repeat(message)))
      trace_("lost: {} of w{}", name_of(message), worker);
    return;
  }
  Link& link = links_[worker];
  link.control_queue.push_back(
      [this, worker, incarnation, shared] { up(worker, incarnation, *shared); });
  if (link.control_queue.size() > kMostQueued) {
    books_.fail("a bounded control queue", fmt::format("worker {}", worker));
  }
}

void Network::result(std::uint32_t worker, const v1::ResultFrame& frame) {
  const auto shared = std::make_shared<const v1::ResultFrame>(frame);
  if (!ears_.dispatcher_alive()) {
    links_[worker].sink_queue.push_back([this, worker, shared] { result(worker, *shared); });
    return;
  }
  carry(worker, Way::kSink, always, [this, shared, life = dispatcher_life_] {
    if (life == dispatcher_life_ && ears_.dispatcher_alive()) ears_.sink(*shared);
  });
}

void Network::down(std::uint64_t incarnation, const v1::ToWorker& message) {
  const auto route = routes_.find(incarnation);
  if (route == routes_.end()) return;  // EHOSTUNREACH
  const auto shared = std::make_shared<const v1::ToWorker>(message);
  const auto deliver = [this, to = route->second, shared] {
    if (links_[to.worker].connection == to.connection) ears_.worker(to.worker, *shared);
  };
  const std::uint32_t worker = route->second.worker;
  const auto may_lose = [&] { return losses_.allow(worker, loop_.now(), message); };
  if (!carry(worker, Way::kDown, may_lose, deliver))
    trace_("lost: {} to w{}", name_of(message), worker);
}

void Network::join(std::uint32_t worker, std::vector<std::uint16_t> lanes) {
  leave(worker);  // a new socket
  Link& link = links_[worker];
  link.lanes = std::move(lanes);
  const Nanoseconds at = arrival(worker, Way::kLane, [] { return false; });
  loop_.at(at < Nanoseconds(0) ? link.cut_until[3] + kReconnect : at,
           [this, worker, join = ++link.joining] {
             if (links_[worker].joining != join) return;
             links_[worker].in_lanes = true;
             ears_.room();
           });
}

void Network::leave(std::uint32_t worker) {
  ++links_[worker].joining;
  links_[worker].in_lanes = false;
  links_[worker].pipe = 0;
}

void Network::worker_ended(std::uint32_t worker) {
  leave(worker);
  links_[worker].lanes.clear();
  links_[worker].control_queue.clear();
  links_[worker].sink_queue.clear();
  ++links_[worker].connection;
}

bool Network::receives(std::uint32_t worker, std::uint16_t lane) const {
  const Link& link = links_[worker];
  return link.in_lanes && link.pipe < kMostInPipe &&
         std::find(link.lanes.begin(), link.lanes.end(), lane) != link.lanes.end();
}

bool Network::has_room(std::uint16_t lane) const {
  for (std::uint32_t worker = 0; worker < links_.size(); ++worker) {
    if (receives(worker, lane)) return true;
  }
  return false;
}

// Round robin among those that are connected. What is in the pipe of one that leaves is lost.
void Network::offer(std::uint16_t lane, const v1::OfferFrame& frame) {
  const auto count = static_cast<std::uint32_t>(links_.size());
  std::uint32_t worker = next_in_ring_ % count;
  while (!receives(worker, lane)) worker = (worker + 1) % count;
  next_in_ring_ = worker + 1;
  for (const v1::Offer& one : frame.offers()) {
    trace_("offer {}/{} round {} to w{}", one.task().sweep(), one.task().index(), one.round(),
           worker);
  }
  Link& link = links_[worker];
  ++link.pipe;
  const auto shared = std::make_shared<const v1::OfferFrame>(frame);
  const Nanoseconds at = arrival(worker, Way::kLane, always);
  const bool lost = at < Nanoseconds(0);
  loop_.at(lost ? loop_.now() + scenario_.offer_expiry * 2 : at,
           [this, worker, shared, lost, join = link.joining] {
             if (links_[worker].joining != join) return offers_are_lost(worker, *shared);
             if (lost) return take_from_pipe(worker, join);
             ears_.offers(worker, *shared, [=, this] { take_from_pipe(worker, join); });
           });
  if (!healed_ && random_.chance(scenario_.repeat)) {
    loop_.after(random_.between(Nanoseconds(0), scenario_.latest), [this, worker, shared] {
      if (links_[worker].in_lanes) ears_.offers(worker, *shared, [] {});
    });
  }
}

void Network::offers_are_lost(std::uint32_t worker, const v1::OfferFrame& frame) {
  for (const v1::Offer& one : frame.offers()) {
    trace_("lost: offer {}/{} to w{}", one.task().sweep(), one.task().index(), worker);
    offers_lost_.push_back({loop_.now(), key_of(one.task())});
  }
}

void Network::take_from_pipe(std::uint32_t worker, std::uint32_t join) {
  Link& link = links_[worker];
  if (link.joining != join || link.pipe == 0) return;
  --link.pipe;
  ears_.room();
}

void Network::dispatcher_ended() {
  ++dispatcher_life_;
  routes_.clear();
  for (Link& link : links_) link.pipe = 0;
}

// Sockets connect again by themselves, in any order.
void Network::dispatcher_started() {
  for (std::uint32_t worker = 0; worker < links_.size(); ++worker) {
    loop_.after(random_.between(Nanoseconds(0), Nanoseconds(kReconnect)),
                [this, worker, life = dispatcher_life_] {
                  if (life == dispatcher_life_) flush(worker);
                });
  }
}

void Network::flush(std::uint32_t worker) {
  for (auto* queue : {&links_[worker].control_queue, &links_[worker].sink_queue}) {
    for (const auto& send : std::exchange(*queue, {})) send();
  }
}

void Network::cut(std::uint32_t worker, Way way, Nanoseconds length) {
  Nanoseconds& until = links_[worker].cut_until[index_of(way)];
  until = std::max(until, loop_.now() + length);
}

// The DEALER connects again without anybody noticing: what was under way to it is gone.
void Network::blip(std::uint32_t worker) {
  const std::uint32_t connection = ++links_[worker].connection;
  for (auto& [incarnation, route] : routes_) {
    if (route.worker == worker && random_.chance(0.5)) route.connection = connection;
  }
}

void Network::heal() {
  healed_ = true;
  for (Link& link : links_) {
    for (Nanoseconds& until : link.cut_until) until = Nanoseconds(0);
  }
}

}  // namespace netfleet::simulation

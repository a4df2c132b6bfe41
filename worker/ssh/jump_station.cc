#include "worker/ssh/jump_station.h"

#include <fmt/format.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <utility>

#include "worker/ssh/jump_request.h"

namespace netfleet::ssh {
namespace {

constexpr std::size_t kMostForbidden = 10'000;

std::unexpected<Failure> jump_failed(std::string reason) {
  return std::unexpected(Failure{Outcome::kJumpFailed, std::move(reason)});
}

}  // namespace

JumpStation::JumpStation(std::shared_ptr<const JumpParts> parts, std::shared_ptr<const JumpHop> hop,
                         std::shared_ptr<JumpStation> via)
    : parts_(std::move(parts)),
      hop_(std::move(hop)),
      via_(std::move(via)),
      health_(parts_->limits) {}

std::size_t JumpStation::load() const {
  std::size_t load = queue_.size();
  for (const auto& connection : connections_) load += connection->in_use();
  return load;
}

bool JumpStation::unused() const {
  return connections_.empty() && openings_.empty() && queue_.empty();
}

void JumpStation::enqueue(JumpWaiter& waiter) {
  waiter.place = queue_.insert(queue_.end(), &waiter);
  serve();
}

void JumpStation::remove(JumpWaiter& waiter) {
  if (waiter.place) queue_.erase(*std::exchange(waiter.place, std::nullopt));
}

void JumpStation::probe() {
  if (connections_.empty() && openings_.empty() && !stopped_) start();
}

void JumpStation::forbid(std::string device) {
  if (forbidden_.size() >= kMostForbidden) forbidden_.clear();
  forbidden_.insert(std::move(device));
}

void JumpStation::stop() {
  stopped_ = true;
  for (const auto& connection : connections_) connection->stop();
  for (const auto& opening : openings_) {
    opening->connection->stop();
    opening->wakeup->notify();
    if (opening->request != nullptr) opening->request->abort();
  }
  fail_queue("the worker is stopping");
}

void JumpStation::fail_queue(const std::string& why) {
  for (JumpWaiter* waiter : std::exchange(queue_, {})) {
    waiter->place.reset();
    waiter->failed = why;
    waiter->final = stopped_;
    waiter->wakeup.notify();
  }
}

// The first in the queue gets the connection that carries least.
void JumpStation::serve() {
  if (std::exchange(serving_, true)) return;
  while (!queue_.empty()) {
    std::shared_ptr<JumpConnection> least;
    for (const auto& connection : connections_) {
      if (!connection->has_room()) continue;
      if (least == nullptr || connection->in_use() < least->in_use()) least = connection;
    }
    if (least == nullptr) break;
    JumpWaiter& waiter = *queue_.front();
    remove(waiter);
    auto bridge = least->open(waiter.address, waiter.port);
    if (bridge) {
      waiter.bridge = std::move(*bridge);
      waiter.bridge->tell(&waiter.wakeup);
      waiter.connection = least;
    } else {
      waiter.failed = bridge.error().reason;
      waiter.final = true;
    }
    waiter.wakeup.notify();
    least->settle();
  }
  serving_ = false;
  grow();
}

// One connection to begin with; once it works, as many more as those that wait would fill.
void JumpStation::grow() {
  if (queue_.empty() || stopped_) return;
  const JumpHost& host = hop_->host;
  const std::size_t wanted =
      connections_.empty() ? 1 : (queue_.size() + host.max_channels - 1) / host.max_channels;
  if (!connections_.empty() && BootClock::now() < grow_after_) return;
  // Counted once: an attempt may fail within start().
  const std::size_t most = std::min(wanted, host.max_connections - connections_.size());
  for (std::size_t number = openings_.size(); number < most && !queue_.empty(); ++number) start();
}

void JumpStation::start() {
  auto opening = std::make_shared<Opening>();
  opening->wakeup = std::make_shared<JumpWakeup>(parts_->executor);
  opening->connection =
      std::make_shared<JumpConnection>(parts_->executor, hop_, [station = weak_from_this()] {
        if (const auto alive = station.lock()) alive->serve();
      });
  openings_.push_back(opening);
  asio::co_spawn(parts_->executor, carry(shared_from_this(), opening), asio::detached);
}

asio::awaitable<void> JumpStation::carry(std::shared_ptr<JumpStation> self,
                                         std::shared_ptr<Opening> opening) {
  const Attempt<void> established = co_await self->establish(opening);
  const auto connection = opening->connection;
  std::erase(self->openings_, opening);
  if (self->stopped_) co_return;
  if (!established) {
    self->note_failure(established.error(), connection->shown_out());
    co_return;
  }
  self->health_.worked(BootClock::now());
  self->connections_.push_back(connection);
  const JumpLimits& limits = self->parts_->limits;
  const std::string lost = co_await connection->run(limits.idle, limits.keepalive);
  std::erase(self->connections_, connection);
  // Before anybody hears of it, and looks for another way.
  const bool down = !self->stopped_ && !lost.empty() && self->connections_.empty();
  if (down) self->health_.failed(BootClock::now(), Nanoseconds(0), lost);
  co_await connection->end(lost);
  if (self->stopped_) co_return;
  if (down && self->connections_.empty()) self->fail_queue(lost);
  self->serve();
}

// While other connections work, only this one more is not to be had.
void JumpStation::note_failure(const Failure& failure, bool shown_out) {
  const JumpLimits& limits = parts_->limits;
  const TimePoint now = BootClock::now();
  if (failure.outcome == Outcome::kAuthFailed ||
      (via_ != nullptr && via_->health().state(now) == JumpHealth::State::kBarred)) {
    health_.refused(failure.reason);
  } else if (!connections_.empty()) {
    grow_after_ = now + (shown_out ? limits.shown_out_pause : limits.first_pause);
    return;
  } else if (failure.outcome == Outcome::kHostKeyRejected) {
    health_.failed_for_long(now, failure.reason);
  } else {
    health_.failed(now, shown_out ? limits.shown_out_pause : Nanoseconds(0), failure.reason);
  }
  if (connections_.empty()) fail_queue(failure.reason);
}

asio::awaitable<Attempt<void>> JumpStation::establish(std::shared_ptr<Opening> opening) {
  auto turn = co_await parts_->logins.turn(hop_, opening->wakeup, stopped_);
  if (!turn) {
    const bool stopped = turn.error().empty();
    co_return std::unexpected(
        Failure{stopped ? Outcome::kCancelled : Outcome::kAuthFailed, std::move(turn.error())});
  }
  if (via_ != nullptr) {
    auto approached = co_await approach(opening);
    if (!approached) co_return approached;
  }
  JumpConnection& connection = *opening->connection;
  const TimePoint deadline = BootClock::now() + parts_->limits.connect;
  auto connected = co_await connection.connect(parts_->resolver, parts_->known_hosts, deadline);
  if (!connected) {
    Failure& failure = connected.error();
    failure.reason = fmt::format(
        "connect to {}: {}{}", hop_->where(), failure.reason,
        connection.shown_out() ? " (it takes no connection now: a ban, or MaxStartups)" : "");
    co_return connected;
  }
  co_return co_await log_in(connection, *turn);
}

asio::awaitable<Attempt<void>> JumpStation::approach(std::shared_ptr<Opening> opening) {
  JumpRequest::Tiers tiers(1, {via_});
  JumpRequest request(parts_->executor, std::move(tiers));
  opening->request = &request;
  const Nanoseconds patience = parts_->limits.connect;
  const TimePoint deadline = BootClock::now() + patience + parts_->limits.login;
  auto stream = co_await request.open(hop_->host.address, hop_->host.port, patience, deadline);
  opening->request = nullptr;
  if (stream) {
    opening->connection->adopt(std::move(*stream));
    co_return Attempt<void>();
  }
  JumpFailure& failed = stream.error();
  if (failed.failure.outcome == Outcome::kJumpFailed) {
    co_return std::unexpected(std::move(failed.failure));
  }
  co_return jump_failed(
      fmt::format("connect to {} via {}: {}", hop_->where(), failed.via, failed.failure.reason));
}

asio::awaitable<Attempt<void>> JumpStation::log_in(JumpConnection& connection,
                                                   JumpLogins::Turn& turn) {
  auto logged_in = co_await connection.log_in(BootClock::now() + parts_->limits.login);
  if (logged_in) {
    turn.succeeded();
    co_return logged_in;
  }
  Failure& failure = logged_in.error();
  const Link::CutOff cut_off = connection.cut_off();
  if (failure.outcome == Outcome::kAuthFailed && cut_off == Link::CutOff::kNo) {
    failure.reason = fmt::format("authentication on {} as {} refused: {}", hop_->where(),
                                 hop_->host.user, failure.reason);
    turn.refused(failure.reason);
  } else {
    failure = {Outcome::kJumpFailed, fmt::format("log in to {} as {}: {}", hop_->where(),
                                                 hop_->host.user, failure.reason)};
    if (cut_off == Link::CutOff::kWithSecret) turn.unanswered(failure.reason);
  }
  co_return logged_in;
}

}  // namespace netfleet::ssh

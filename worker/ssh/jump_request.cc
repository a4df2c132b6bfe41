#include "worker/ssh/jump_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "worker/ssh/jump_station.h"
#include "worker/ssh/text.h"

namespace netfleet::ssh {
namespace {

using State = JumpHealth::State;
using Kind = JumpBridge::Answer::Kind;

// Of sshd, by which it forbids a stream.
constexpr std::string_view kForwarding = "AllowTcpForwarding, PermitOpen";

// It may be this very stream that the jump host does not survive.
constexpr int kMostLosses = 3;

std::string device_key(const std::string& address, std::uint16_t port) {
  return fmt::format("{} {}", address, port);
}

// "Connection refused", as sshd says it, reads on after a colon.
std::string lower_first(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

// Takes a waiter out of whatever it is in, however the wait ends.
struct Attended {
  JumpStation& station;
  JumpWaiter& waiter;
  ~Attended() {
    station.remove(waiter);
    if (waiter.bridge != nullptr) waiter.bridge->tell(nullptr);
  }
};

}  // namespace

JumpRequest::JumpRequest(const asio::any_io_executor& executor, Tiers tiers) : wakeup_(executor) {
  for (std::size_t tier = 0; tier < tiers.size(); ++tier) {
    for (auto& station : tiers[tier])
      alternatives_.push_back({std::move(station), tier, false, {}, 0});
  }
}

void JumpRequest::abort() {
  aborted_ = true;
  wakeup_.notify();
}

// The first tier with one that works; of its jump hosts the one that is loaded least for its
// weight. When none works: one whose pause is over, or that has just come back.
JumpRequest::Alternative* JumpRequest::choose(TimePoint now) {
  Alternative* chosen = nullptr;
  const auto share = [](const Alternative& alternative) {
    return static_cast<double>(alternative.station->load() + 1) /
           std::max(alternative.station->hop().host.weight, 1U);
  };
  for (const bool works : {true, false}) {
    for (Alternative& alternative : alternatives_) {
      if (chosen != nullptr && alternative.tier != chosen->tier) break;
      const JumpHealth& health = alternative.station->health();
      const State state = health.state(now);
      const bool usable =
          works ? state == State::kUp
                : state == State::kProving || (state == State::kDown && now >= health.retry_at());
      if (alternative.out || !usable) continue;
      if (chosen == nullptr || share(alternative) < share(*chosen)) chosen = &alternative;
    }
    if (chosen != nullptr) break;
  }
  return chosen;
}

// The way home: a better jump host is tried again while a substitute carries the sessions.
void JumpRequest::probe_better(std::size_t tier, TimePoint now) {
  for (const Alternative& alternative : alternatives_) {
    const JumpHealth& health = alternative.station->health();
    if (alternative.tier <= tier && !alternative.out && health.state(now) == State::kDown &&
        now >= health.retry_at()) {
      alternative.station->probe();
    }
  }
}

TimePoint JumpRequest::next_retry(TimePoint now) const {
  TimePoint next = TimePoint::max();
  for (const Alternative& alternative : alternatives_) {
    const JumpHealth& health = alternative.station->health();
    if (alternative.out || health.hopeless() || health.state(now) != State::kDown) continue;
    next = std::min(next, health.retry_at());
  }
  return next;
}

std::unexpected<JumpFailure> JumpRequest::failure(Outcome outcome, std::string reason) const {
  const Alternative& shown = last_ != nullptr ? *last_ : alternatives_.front();
  return std::unexpected(JumpFailure{{outcome, std::move(reason)}, shown.station->hop().chain()});
}

std::unexpected<JumpFailure> JumpRequest::all_failed() const {
  std::vector<std::string> causes;
  for (const Alternative& alternative : alternatives_) {
    const std::string& cause =
        alternative.cause.empty() ? alternative.station->health().why() : alternative.cause;
    if (std::ranges::find(causes, cause) == causes.end()) causes.push_back(cause);
  }
  return failure(Outcome::kJumpFailed, fmt::format("{}", fmt::join(causes, "; ")));
}

asio::awaitable<std::expected<JumpStream, JumpFailure>> JumpRequest::open(std::string address,
                                                                          std::uint16_t port,
                                                                          Nanoseconds patience,
                                                                          TimePoint deadline) {
  const std::string device = device_key(address, port);
  for (Alternative& alternative : alternatives_) {
    if (!alternative.station->forbids(device)) continue;
    alternative.out = true;
    alternative.cause = fmt::format("{} does not forward to it ({})",
                                    alternative.station->hop().where(), kForwarding);
  }
  TimePoint give_up = TimePoint::max();
  while (!aborted_) {
    const TimePoint now = BootClock::now();
    if (now >= deadline) co_return failure(Outcome::kJumpFailed, "timed out");
    Alternative* const alternative = choose(now);
    if (alternative == nullptr) {
      if (give_up == TimePoint::max()) give_up = std::min(now + patience, deadline);
      const TimePoint retry = next_retry(now);
      if (retry > give_up) co_return all_failed();
      co_await wakeup_.wait(retry);
      continue;
    }
    last_ = alternative;
    probe_better(alternative->tier, now);
    JumpWaiter waiter{.address = address, .port = port, .wakeup = wakeup_};
    {
      const Attended attended{*alternative->station, waiter};
      alternative->station->enqueue(waiter);
      co_await attend(waiter, patience, deadline);
    }
    auto concluded = conclude(*alternative, waiter, patience);
    if (concluded) co_return std::move(*concluded);
  }
  co_return failure(Outcome::kCancelled, "cancelled");
}

// Until there is an answer, a failure, or no time left. Half-way through its patience it makes the
// jump host show whether it is still there, so that a dead one is not taken for a dead device.
asio::awaitable<void> JumpRequest::attend(JumpWaiter& waiter, Nanoseconds patience,
                                          TimePoint deadline) {
  const auto undecided = [&] {
    const bool answered = waiter.bridge != nullptr && waiter.bridge->answer();
    return !aborted_ && !waiter.failed && !answered;
  };
  while (undecided() && waiter.bridge == nullptr && BootClock::now() < deadline) {
    co_await wakeup_.wait(deadline);
  }
  if (waiter.bridge == nullptr) co_return;
  const TimePoint asked = BootClock::now();
  const TimePoint end = std::min(asked + patience, deadline);
  const TimePoint half = std::min(asked + patience / 2, deadline);
  while (undecided() && BootClock::now() < half) co_await wakeup_.wait(half);
  if (!undecided()) co_return;
  const std::uint64_t before = waiter.connection->received();
  waiter.connection->ping();
  waiter.connection->settle();
  while (undecided() && BootClock::now() < end) co_await wakeup_.wait(end);
  if (undecided() && waiter.connection->received() == before) {
    waiter.failed = fmt::format("{} did not answer for {}", last_->station->hop().where(),
                                seconds_text(patience));
    waiter.final = true;
  }
}

std::optional<std::expected<JumpStream, JumpFailure>> JumpRequest::conclude(
    Alternative& alternative, JumpWaiter& waiter, Nanoseconds patience) {
  if (waiter.bridge == nullptr || !waiter.bridge->answer() || aborted_) {
    if (waiter.bridge != nullptr) waiter.bridge->abandon();
    return unanswered(alternative, waiter, patience);
  }
  const JumpHop& hop = alternative.station->hop();
  const auto& [kind, text] = *waiter.bridge->answer();
  switch (kind) {
    case Kind::kOpen:
      return waiter.bridge->release(hop.chain());
    case Kind::kConnectFailed:
      return failure(Outcome::kUnreachable, lower_first(text));
    case Kind::kForbidden:
      alternative.station->forbid(device_key(waiter.address, waiter.port));
      alternative.out = true;
      alternative.cause = fmt::format("{} does not forward to it ({}): {}", hop.where(),
                                      kForwarding, lower_first(text));
      break;
    case Kind::kNoResources:
      alternative.out = true;
      alternative.cause = fmt::format("{} opens no channel: {}", hop.where(), lower_first(text));
      break;
    case Kind::kLost:
      alternative.cause = text;
      alternative.out = ++alternative.losses == kMostLosses;
      break;
  }
  return std::nullopt;
}

std::optional<std::expected<JumpStream, JumpFailure>> JumpRequest::unanswered(
    Alternative& alternative, JumpWaiter& waiter, Nanoseconds patience) {
  const JumpHop& hop = alternative.station->hop();
  if (aborted_) return failure(Outcome::kCancelled, "cancelled");
  if (waiter.failed) {
    alternative.cause = *waiter.failed;
    alternative.out = waiter.final;
    return std::nullopt;
  }
  if (waiter.bridge == nullptr) {
    return failure(Outcome::kJumpFailed, fmt::format("timed out waiting for {}", hop.where()));
  }
  return failure(Outcome::kUnreachable, fmt::format("timed out after {} in connecting from {}",
                                                    seconds_text(patience), hop.host.name));
}

}  // namespace netfleet::ssh

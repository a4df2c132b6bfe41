// worker/ssh: one way to one device asked for: which jump host to try, in which order, until one
// has opened a stream or none is left. Made by a JumpPool.
#pragma once

#include <asio/awaitable.hpp>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "worker/ssh/jump_stream.h"
#include "worker/ssh/jump_wakeup.h"

namespace netfleet::ssh {

class JumpStation;
struct JumpWaiter;

// Belongs to one thread and to whoever waits for open(); one call.
class JumpRequest {
 public:
  // In the order of preference; those of one tier share by weight.
  using Tiers = std::vector<std::vector<std::shared_ptr<JumpStation>>>;

  JumpRequest(const asio::any_io_executor& executor, Tiers tiers);

  // The address is resolved by the jump host. `patience`: how long a jump host may take to connect
  // to it, and how long to wait for one that works once all have failed. Waiting for room on a
  // connection that works is bounded by `deadline` alone.
  asio::awaitable<std::expected<JumpStream, JumpFailure>> open(std::string address,
                                                               std::uint16_t port,
                                                               Nanoseconds patience,
                                                               TimePoint deadline);
  // The call under way ends as cancelled.
  void abort();

 private:
  struct Alternative {
    std::shared_ptr<JumpStation> station;
    std::size_t tier;
    bool out;           // not for this device
    std::string cause;  // why it was not used
    int losses = 0;     // connections that were lost while they opened this stream
  };

  Alternative* choose(TimePoint now);
  void probe_better(std::size_t tier, TimePoint now);
  TimePoint next_retry(TimePoint now) const;
  asio::awaitable<void> attend(JumpWaiter& waiter, Nanoseconds patience, TimePoint deadline);
  std::unexpected<JumpFailure> failure(Outcome outcome, std::string reason) const;
  std::unexpected<JumpFailure> all_failed() const;
  // Nothing: this alternative failed, and its cause is noted.
  std::optional<std::expected<JumpStream, JumpFailure>> conclude(Alternative& alternative,
                                                                 JumpWaiter& waiter,
                                                                 Nanoseconds patience);
  std::optional<std::expected<JumpStream, JumpFailure>> unanswered(Alternative& alternative,
                                                                   JumpWaiter& waiter,
                                                                   Nanoseconds patience);

  JumpWakeup wakeup_;
  std::vector<Alternative> alternatives_;
  const Alternative* last_ = nullptr;
  bool aborted_ = false;
};

}  // namespace netfleet::ssh

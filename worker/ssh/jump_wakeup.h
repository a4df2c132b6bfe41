// worker/ssh: lets one coroutine wait for another's word, or for a moment in time. Private to the
// room's jump_* files.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "common/clock.h"

namespace netfleet::ssh {

// Belongs to one thread; one coroutine waits at a time. A word that comes while nobody waits ends
// the next wait. What has changed, the waiting one looks up itself.
class JumpWakeup {
 public:
  explicit JumpWakeup(const asio::any_io_executor& executor) : timer_(executor) {}

  asio::awaitable<void> wait(TimePoint until) {
    if (!notified_) {
      if (until == TimePoint::max()) {
        timer_.expires_at(asio::steady_timer::time_point::max());
      } else {
        timer_.expires_after(until - BootClock::now());
      }
      asio::error_code ignored;
      auto token = asio::redirect_error(asio::use_awaitable, ignored);
      co_await timer_.async_wait(token);
    }
    notified_ = false;
  }
  void notify() {
    notified_ = true;
    timer_.cancel();
  }

 private:
  asio::steady_timer timer_;
  bool notified_ = false;
};

}  // namespace netfleet::ssh

// worker/ssh: one-time codes for sessions: whoever knows them (a command, a
// person) is asked on a thread of its own, so that no session thread waits.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <asio/thread_pool.hpp>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>

#include "common/credential.h"

namespace netfleet::ssh {

// Shared by all session threads; has its own synchronization. Its threads start with the first
// question. Belongs to the sessions that ask: it goes after the last of them.
class Codes {
 public:
  // At most `at_once` questions are put at the same time; the others wait.
  Codes(AskCode ask, std::size_t at_once) : ask_(std::move(ask)), at_once_(at_once) {}

  // A code, or why there is none. Nothing when `until`, which expires at the deadline, does so or
  // is cancelled: whoever is being asked is told that nobody waits any more. `until` belongs to the
  // caller and stays until the call ends.
  asio::awaitable<std::optional<Expected<Secret>>> get(CodeQuestion question, TimePoint deadline,
                                                       asio::steady_timer& until);

 private:
  const AskCode ask_;
  const std::size_t at_once_;
  std::once_flag started_;
  std::unique_ptr<asio::thread_pool> pool_;
};

}  // namespace netfleet::ssh

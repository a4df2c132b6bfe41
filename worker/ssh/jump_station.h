// worker/ssh: the connections of one session thread to one jump host with one credential: opened
// when they are needed and no more of them than are, closed when idle; who waits for room on them;
// whether the jump host works. Private to the room.
#pragma once

#include <asio/awaitable.hpp>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "worker/ssh/jump_connection.h"
#include "worker/ssh/jump_health.h"
#include "worker/ssh/jump_logins.h"
#include "worker/ssh/jump_route.h"
#include "worker/ssh/jump_wakeup.h"

namespace netfleet::ssh {

class JumpRequest;

// What all stations of a session thread share.
struct JumpParts {
  asio::any_io_executor executor;
  Resolver& resolver;
  KnownHosts& known_hosts;
  JumpLogins& logins;  // the process's
  JumpLimits limits{};
};

// Somebody who wants one stream. `wakeup` is notified of every change.
struct JumpWaiter {
  std::string address;
  std::uint16_t port;
  JumpWakeup& wakeup;
  std::shared_ptr<JumpBridge> bridge{};          // asked for; its answer comes later
  std::shared_ptr<JumpConnection> connection{};  // whose it is
  std::optional<std::string> failed{};           // why it will get none here now
  bool final = false;                            // nor later
  std::optional<std::list<JumpWaiter*>::iterator> place{};
};

// Lives on one thread. Its coroutines keep it alive; stop() ends them.
class JumpStation : public std::enable_shared_from_this<JumpStation> {
 public:
  // `via`: the station through which the jump host is reached; null: directly.
  JumpStation(std::shared_ptr<const JumpParts> parts, std::shared_ptr<const JumpHop> hop,
              std::shared_ptr<JumpStation> via);

  const JumpHop& hop() const { return *hop_; }
  const JumpHealth& health() const { return health_; }
  // Streams that are carried or waited for.
  std::size_t load() const;
  bool unused() const;

  // In order, at once or later: the waiter gets a bridge, or why not.
  void enqueue(JumpWaiter& waiter);
  void remove(JumpWaiter& waiter);
  // Opens a connection although nobody waits for one, to see whether the jump host works again.
  void probe();
  void stop();

  // Devices to which this jump host does not forward.
  bool forbids(const std::string& device) const { return forbidden_.contains(device); }
  void forbid(std::string device);

 private:
  struct Opening {
    std::shared_ptr<JumpConnection> connection;
    std::shared_ptr<JumpWakeup> wakeup;
    JumpRequest* request = nullptr;  // for the stream beneath
  };

  void serve();
  void grow();
  void start();
  static asio::awaitable<void> carry(std::shared_ptr<JumpStation> self,
                                     std::shared_ptr<Opening> opening);
  asio::awaitable<Attempt<void>> establish(std::shared_ptr<Opening> opening);
  asio::awaitable<Attempt<void>> approach(std::shared_ptr<Opening> opening);
  asio::awaitable<Attempt<void>> log_in(JumpConnection& connection, JumpLogins::Turn& turn);
  void note_failure(const Failure& failure, bool shown_out);
  void fail_queue(const std::string& why);

  const std::shared_ptr<const JumpParts> parts_;
  const std::shared_ptr<const JumpHop> hop_;
  const std::shared_ptr<JumpStation> via_;
  JumpHealth health_;
  std::vector<std::shared_ptr<JumpConnection>> connections_;  // logged in
  std::vector<std::shared_ptr<Opening>> openings_;
  std::list<JumpWaiter*> queue_;
  std::unordered_set<std::string> forbidden_;
  TimePoint grow_after_{};  // another connection, while there are some
  bool serving_ = false;
  bool stopped_ = false;
};

}  // namespace netfleet::ssh

// worker/ssh: the logins to jump hosts of all session threads: how many at once, how often, and
// which must not be tried again.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <expected>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "common/clock.h"
#include "worker/ssh/jump_route.h"
#include "worker/ssh/jump_wakeup.h"

namespace netfleet::ssh {

// Has its own synchronization: one for a process. A wrong password is sent once, however many
// threads want the jump host: until a login has succeeded there is one at a time, and after a
// refusal there is none. A secret that is never answered counts as refused the third time.
class JumpLogins {
 public:
  struct Limits {
    int at_once = 5;  // for each jump host: sshd refuses some from 10 on (MaxStartups 10:30:100)
    Nanoseconds apart = std::chrono::milliseconds(50);  // between two starts
  };
  JumpLogins() : JumpLogins(Limits()) {}
  explicit JumpLogins(Limits limits) : limits_(limits) {}

  // Leave to log in, given back when it goes.
  class Turn {
   public:
    Turn(JumpLogins& logins, std::shared_ptr<const JumpHop> hop)
        : logins_(&logins), hop_(std::move(hop)) {}
    Turn(Turn&& other) noexcept
        : logins_(std::exchange(other.logins_, nullptr)), hop_(std::move(other.hop_)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (logins_ != nullptr) logins_->give_back(*hop_);
    }
    // What came of it; without a word nothing is known.
    void succeeded() { logins_->note_success(*hop_); }
    void refused(std::string why) { logins_->note_refusal(hop_, std::move(why)); }
    // The connection was lost before a secret was answered: some servers refuse like that.
    void unanswered(std::string why) { logins_->note_unanswered(hop_, std::move(why)); }

   private:
    JumpLogins* logins_;
    std::shared_ptr<const JumpHop> hop_;
  };
  // Waits for it. Otherwise why the credential was refused before; empty: `stopped` was set, and
  // `wakeup` notified. `stopped` outlives the call.
  asio::awaitable<std::expected<Turn, std::string>> turn(std::shared_ptr<const JumpHop> hop,
                                                         std::shared_ptr<JumpWakeup> wakeup,
                                                         const bool& stopped);

 private:
  struct Server {
    int under_way = 0;
    TimePoint next_start{};
  };
  struct Login {
    int under_way = 0;
    bool succeeded = false;
    int unanswered = 0;
    std::optional<std::string> refused;
    std::shared_ptr<const JumpHop> hop;  // keeps what the key names by its place in memory
  };
  struct Waiting {
    asio::any_io_executor executor;
    std::weak_ptr<JumpWakeup> wakeup;
  };
  class Queued;

  // Whether it may begin now; if not, when to ask again, or why never.
  struct Verdict {
    bool granted = false;
    TimePoint again = TimePoint::max();
    std::optional<std::string> refused{};
  };
  Verdict ask(const std::shared_ptr<const JumpHop>& hop, TimePoint now);
  void give_back(const JumpHop& hop);
  void note_success(const JumpHop& hop);
  void note_refusal(std::shared_ptr<const JumpHop> hop, std::string why);
  void note_unanswered(std::shared_ptr<const JumpHop> hop, std::string why);
  void forget_unused();

  const Limits limits_;
  std::mutex mutex_;
  std::map<std::string, Server> servers_;  // guarded by mutex_, as all below
  std::map<std::string, Login> logins_;
  std::list<Waiting> waiting_;
};

}  // namespace netfleet::ssh

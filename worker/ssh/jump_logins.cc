#include "worker/ssh/jump_logins.h"

#include <fmt/format.h>

#include <asio/post.hpp>
#include <asio/this_coro.hpp>

namespace netfleet::ssh {
namespace {

// Remembered jump hosts and logins, beyond those under way.
constexpr std::size_t kMostRemembered = 10'000;

// So often a secret is sent without an answer, before it is taken for refused: each time may count
// towards a lock-out.
constexpr int kMostUnanswered = 3;

// The same machine, whoever logs in to it.
std::string server_key(const JumpHop& hop) {
  return fmt::format("{}\n{}\n{}", hop.host.address, hop.host.port,
                     hop.via == nullptr ? "" : hop.via->chain());
}

}  // namespace

// In the list as long as it waits. Its executor is used only under the lock, so not once it is
// gone.
class JumpLogins::Queued {
 public:
  Queued(JumpLogins& logins, Waiting waiting) : logins_(logins) {
    const std::lock_guard lock(logins_.mutex_);
    place_ = logins_.waiting_.insert(logins_.waiting_.end(), std::move(waiting));
  }
  ~Queued() {
    const std::lock_guard lock(logins_.mutex_);
    logins_.waiting_.erase(place_);
  }
  Queued(const Queued&) = delete;
  Queued& operator=(const Queued&) = delete;

 private:
  JumpLogins& logins_;
  std::list<Waiting>::iterator place_;
};

asio::awaitable<std::expected<JumpLogins::Turn, std::string>> JumpLogins::turn(
    std::shared_ptr<const JumpHop> hop, std::shared_ptr<JumpWakeup> wakeup, const bool& stopped) {
  const auto executor = co_await asio::this_coro::executor;
  const Queued queued(*this, {executor, wakeup});
  while (!stopped) {
    const Verdict verdict = ask(hop, BootClock::now());
    if (verdict.granted) co_return Turn(*this, hop);
    if (verdict.refused) co_return std::unexpected(*verdict.refused);
    co_await wakeup->wait(verdict.again);
  }
  co_return std::unexpected(std::string());
}

JumpLogins::Verdict JumpLogins::ask(const std::shared_ptr<const JumpHop>& hop, TimePoint now) {
  const std::lock_guard lock(mutex_);
  forget_unused();
  Login& login = logins_[hop->key()];
  Server& server = servers_[server_key(*hop)];
  if (login.refused) return {.refused = login.refused};
  const bool must_wait =
      (!login.succeeded && login.under_way > 0) || server.under_way >= limits_.at_once;
  if (must_wait) return {};
  if (now < server.next_start) return {.again = server.next_start};
  ++login.under_way;
  ++server.under_way;
  server.next_start = now + limits_.apart;
  login.hop = hop;
  return {.granted = true};
}

void JumpLogins::give_back(const JumpHop& hop) {
  const std::lock_guard lock(mutex_);
  --logins_[hop.key()].under_way;
  --servers_[server_key(hop)].under_way;
  for (const Waiting& waiting : waiting_) {
    asio::post(waiting.executor, [wakeup = waiting.wakeup] {
      if (const auto alive = wakeup.lock()) alive->notify();
    });
  }
}

void JumpLogins::note_success(const JumpHop& hop) {
  const std::lock_guard lock(mutex_);
  logins_[hop.key()].succeeded = true;
}

void JumpLogins::note_refusal(std::shared_ptr<const JumpHop> hop, std::string why) {
  const std::lock_guard lock(mutex_);
  logins_[hop->key()].refused = std::move(why);
}

// A credential that has been good fails for another reason.
void JumpLogins::note_unanswered(std::shared_ptr<const JumpHop> hop, std::string why) {
  const std::lock_guard lock(mutex_);
  Login& login = logins_[hop->key()];
  if (login.succeeded || ++login.unanswered < kMostUnanswered) return;
  login.refused = fmt::format("{} ({} times: taken for a refusal)", why, kMostUnanswered);
}

void JumpLogins::forget_unused() {
  const auto unused = [](const auto& entry) { return entry.second.under_way == 0; };
  if (logins_.size() > kMostRemembered) std::erase_if(logins_, unused);
  if (servers_.size() > kMostRemembered) std::erase_if(servers_, unused);
}

}  // namespace netfleet::ssh

// tests: jump hosts that are real OpenSSH servers with its own limits, and sessions through them.
#pragma once

#include <gmock/gmock.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/ssh/session_driver.h"
#include "tests/unit/ssh/sshd_fixture.h"
#include "worker/ssh/jump_pool.h"

namespace netfleet::testing {

// What OpenSSH does when nobody says anything.
inline std::string sshd_defaults() { return "MaxStartups 10:30:100\n"; }

// All that belongs to one session thread.
struct JumpSide {
  explicit JumpSide(ssh::JumpLimits the_limits = {}) : limits(the_limits) {}

  ssh::JumpLimits limits;
  ssh::Resolver resolver{1};
  std::unique_ptr<ssh::KnownHosts> known_hosts = no_known_hosts();
  ssh::JumpLogins own_logins;
  asio::io_context context{1};  // what still runs on it goes with it, and uses the above
  std::unique_ptr<ssh::JumpPool> pool;

  ssh::JumpPool& start(ssh::JumpLogins* logins = nullptr) {
    pool = std::make_unique<ssh::JumpPool>(context.get_executor(), resolver, *known_hosts,
                                           logins == nullptr ? own_logins : *logins, limits);
    return *pool;
  }
};

struct JumpedSession {
  Session session;
  std::shared_ptr<const ssh::JumpRoute> route;
  std::string* via = nullptr;  // where to put the chain that was used
};

// As a device's session does it.
inline asio::awaitable<ssh::Attempt<std::string>> run_jumped(JumpSide& side, JumpedSession jumped) {
  const Session& session = jumped.session;
  const auto request = side.pool->request(*jumped.route);
  std::string address = session.target.address;
  auto stream = co_await request->open(std::move(address), session.target.port, session.patience,
                                       in(session.patience * 2));
  if (jumped.via != nullptr) *jumped.via = stream ? stream->via : stream.error().via;
  if (!stream) co_return std::unexpected(std::move(stream.error().failure));
  ssh::Connection connection(side.context.get_executor());
  connection.adopt(stream->descriptor.release());
  auto output = co_await run_session(connection, session, side.resolver, *side.known_hosts);
  if (!output && !stream->passage->lost.empty()) {
    co_return std::unexpected(ssh::Failure{Outcome::kJumpFailed, stream->passage->lost});
  }
  co_return output;
}

class JumpTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    directory = new TemporaryDirectory();
    user = new ThrowAwayUser(directory->path());
    write_file(*directory / ".hushlogin", "", 0644);
    write_file(*directory / ".bashrc", "", 0644);
    const std::string key = *directory / "key";
    make_key(key, "ed25519");
    write_file(*directory / "authorized", read_file(key + ".pub"), 0644);
    auto credential = std::make_shared<Credential>();
    credential->keys.push_back({key, Secret(), ""});
    key_identity = *ssh::Identity::load(credential);
  }
  static void TearDownTestSuite() {
    key_identity.reset();
    delete user;
    delete directory;
  }

  static std::string authorized() {
    return "AuthorizedKeysFile " + (*directory / "authorized") + "\n";
  }
  // It stays until the connections to it are gone.
  Sshd* jump_host(const std::string& settings = "", std::uint16_t port = 0) {
    const std::vector<std::string> key_types = {"ed25519"};
    jump_hosts.push_back(std::make_unique<Sshd>(
        *directory, sshd_defaults() + settings + "\n" + authorized(), key_types, port));
    return jump_hosts.back().get();
  }
  void define(const std::string& name, std::uint16_t port, const std::string& through = "") {
    JumpHost host;
    host.name = name;
    host.address = "127.0.0.1";
    host.port = port;
    host.user = user->name;
    host.via = through;
    hosts[name] = host;
  }
  std::shared_ptr<const ssh::JumpRoute> route(const std::string& text) {
    auto made = ssh::make_jump_route(text, hosts, [this](const JumpHost&) { return identity; });
    EXPECT_TRUE(made) << made.error().message;
    return *made;
  }
  Session session() {
    return {.target = {.address = "127.0.0.1", .port = device.port},
            .user = user->name,
            .identity = key_identity,
            .patience = std::chrono::seconds(100)};
  }
  ssh::Attempt<std::string> run(JumpedSession jumped) {
    if (side.pool == nullptr) side.start();
    jumped.via = &via;
    return run_to_end(side.context, run_jumped(side, std::move(jumped)));
  }
  // All at the same time; how many succeeded.
  int run_all(const std::vector<JumpedSession>& sessions) {
    if (side.pool == nullptr) side.start();
    int good = 0;
    std::size_t ended = 0;
    for (const JumpedSession& jumped : sessions) {
      asio::co_spawn(side.context, run_jumped(side, jumped),
                     [&](std::exception_ptr error, ssh::Attempt<std::string> result) {
                       good += !error && result ? 1 : 0;
                       if (!result) ADD_FAILURE() << result.error().reason;
                       if (++ended == sessions.size()) side.context.stop();
                     });
    }
    side.context.restart();
    side.context.run_for(std::chrono::seconds(120));
    return good;
  }
  static void expect_ok(const ssh::Attempt<std::string>& result) {
    EXPECT_TRUE(result) << outcome_name(result.error().outcome) << ": " << result.error().reason;
  }
  static void expect_failure(const ssh::Attempt<std::string>& result, Outcome outcome,
                             const ::testing::Matcher<std::string>& reason) {
    ASSERT_FALSE(result);
    EXPECT_EQ(outcome_name(result.error().outcome), outcome_name(outcome));
    EXPECT_THAT(result.error().reason, reason);
  }
  // Lets the loop turn until it is so.
  template <typename Condition>
  bool turn_until(Condition condition) {
    const TimePoint deadline = in(std::chrono::seconds(60));
    while (!condition() && BootClock::now() < deadline) {
      side.context.restart();
      side.context.run_one_for(std::chrono::milliseconds(50));
    }
    return condition();
  }

  static inline TemporaryDirectory* directory = nullptr;
  static inline ThrowAwayUser* user = nullptr;
  static inline std::shared_ptr<const ssh::Identity> key_identity;
  std::vector<std::unique_ptr<Sshd>> jump_hosts;
  Sshd device{*directory, authorized()};
  std::shared_ptr<const ssh::Identity> identity = key_identity;  // at the jump hosts
  ssh::JumpHosts hosts;
  std::string via;
  JumpSide side;
};

// A server that lets nobody in: connects, and closes, or says nothing.
class Doorman {
 public:
  explicit Doorman(std::string_view words, bool closes) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    bind(fd_, reinterpret_cast<sockaddr*>(&address), size);
    listen(fd_, 10);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    thread_ = std::thread([this, words, closes] {
      for (int guest = 0; (guest = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
        [[maybe_unused]] const auto sent = send(guest, words.data(), words.size(), MSG_NOSIGNAL);
        if (closes) {
          close(guest);
        } else {
          guests_.push_back(guest);
        }
      }
    });
  }
  ~Doorman() {
    shutdown(fd_, SHUT_RDWR);
    thread_.join();
    close(fd_);
    for (const int guest : guests_) close(guest);
  }
  std::uint16_t port = 0;

 private:
  int fd_ = -1;
  std::vector<int> guests_;
  std::thread thread_;
};

}  // namespace netfleet::testing

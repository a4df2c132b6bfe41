// Logins to jump hosts that break off: what was a refusal, and what will work when it is tried
// again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <limits>

#include "tests/unit/ssh/hostile_server.h"
#include "tests/unit/ssh/jump_driver.h"

namespace netfleet::ssh {
namespace {

using netfleet::testing::HostileServer;
using netfleet::testing::in;
using netfleet::testing::JumpSide;
using netfleet::testing::relay;
using netfleet::testing::run_jumped;
using netfleet::testing::run_to_end;
using netfleet::testing::Sshd;
using netfleet::testing::Then;
using netfleet::testing::with_password;
using netfleet::testing::write_file;
using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// All of a session that the jump host sends, or more.
constexpr std::size_t kMost = 10'000;
constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

class JumpLogin : public netfleet::testing::JumpTest {
 protected:
  JumpLogin() { define("bastion", network.port); }

  // What a session thread has, in a hurry.
  struct Side : JumpSide {
    Side() : JumpSide({.first_pause = 1ms, .shown_out_pause = 1ms, .longest_pause = 8ms}) {
      start(&logins);
    }
    JumpLogins logins{{.apart = 0ns}};
  };

  Attempt<std::string> try_once(JumpSide& own) {
    return run_to_end(own.context, run_jumped(own, {session(), shared}));
  }
  // Until it succeeds, as sweep after sweep would.
  Attempt<std::string> try_on(JumpSide& own) {
    const TimePoint deadline = in(60s);
    auto result = try_once(own);
    while (!result && BootClock::now() < deadline) result = try_once(own);
    return result;
  }
  // Uses the jump host with this identity.
  void log_in_with(std::shared_ptr<const Identity> chosen) {
    identity = std::move(chosen);
    shared = route("bastion");
  }

  Sshd* const bastion = jump_host();
  std::atomic<std::size_t> limit = kNever;  // bytes that pass before it cuts a connection
  std::atomic<int> connections = 0;
  HostileServer network{[this](int fd) {
    ++connections;
    relay(network, fd, bastion->port, limit, Then::kClose);
  }};
  std::shared_ptr<const JumpRoute> shared;
};

TEST_F(JumpLogin, TakesNoLostConnectionForARefusal) {
  log_in_with(key_identity);
  std::vector<std::string> seen;
  for (std::size_t bytes = 20; bytes < kMost; bytes += 90) {
    limit = bytes;
    Side own;
    const auto cut = try_once(own);
    if (cut) break;
    EXPECT_EQ(outcome_name(cut.error().outcome), "jump_failed") << cut.error().reason;
    const std::string& reason = cut.error().reason;
    const std::string phase = reason.substr(0, reason.find(" bastion"));
    if (seen.empty() || seen.back() != phase) seen.push_back(phase);
    limit = kNever;
    expect_ok(try_on(own));
    if (phase == "the connection to") break;
  }
  EXPECT_THAT(seen, ElementsAre("connect to", "log in to", "the connection to"));
}

TEST_F(JumpLogin, SendsASecretThatIsNeverAnsweredThreeTimes) {
  log_in_with(*Identity::load(with_password(user->password)));
  int barred = 0;
  for (std::size_t bytes = 20; bytes < kMost; bytes += 30) {
    limit = bytes;
    connections = 0;
    Side own;
    const auto cut = try_once(own);
    if (cut) break;
    const std::string& reason = cut.error().reason;
    if (reason.find("3 times") == std::string::npos) {
      EXPECT_THAT(reason, Not(HasSubstr("refus")));
      continue;
    }
    ++barred;
    EXPECT_EQ(outcome_name(cut.error().outcome), "jump_failed");
    EXPECT_THAT(reason, AllOf(StartsWith("log in to bastion (127.0.0.1:"),
                              HasSubstr("(tried password) (3 times: taken for a refusal)")));
    EXPECT_EQ(connections, 3);
    limit = kNever;
    const auto later = try_once(own);
    ASSERT_FALSE(later);
    EXPECT_EQ(later.error().reason, reason);
    EXPECT_EQ(connections, 3);
    // A password that was good is not doubted.
    Side other;
    expect_ok(try_on(other));
    other.pool->stop();
    limit = bytes;
    const auto again = try_once(other);
    ASSERT_FALSE(again);
    EXPECT_THAT(again.error().reason, Not(HasSubstr("refus")));
    limit = kNever;
    expect_ok(try_on(other));
    break;
  }
  EXPECT_EQ(barred, 1);
}

TEST_F(JumpLogin, OutlivesAServerThatIsKilledInTheLogin) {
  const std::string mark = *directory / "kill";
  const std::string script = *directory / "kill_once";
  write_file(script,
             "if rm " + mark + "; then kill -9 $PPID; fi\ncat " + (*directory / "authorized"),
             0755);
  // OpenSSH takes no script from a directory below /tmp, but a shell that reads it.
  Sshd* const fragile = jump_host("AuthorizedKeysFile none\nAuthorizedKeysCommand /usr/bin/dash " +
                                  script + "\nAuthorizedKeysCommandUser root");
  define("bastion", fragile->port);
  log_in_with(key_identity);
  write_file(mark, "");
  Side own;
  expect_ok(try_once(own));
  EXPECT_EQ(fragile->logged("Accepted publickey"), 1);
  EXPECT_FALSE(std::filesystem::exists(mark));
}

TEST_F(JumpLogin, ComesBackWhenTheServerIsNoLongerFull) {
  Sshd* const full = jump_host("MaxStartups 1:100:1");
  define("bastion", full->port);
  log_in_with(key_identity);
  const int holder = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(full->port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(connect(holder, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  char greeting = 0;
  ASSERT_EQ(recv(holder, &greeting, 1, 0), 1);
  Side own;
  const auto result = try_once(own);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().reason, AllOf(StartsWith("connect to bastion (127.0.0.1:"),
                                           HasSubstr("a ban, or MaxStartups")));
  close(holder);
  expect_ok(try_on(own));
}

// Of the two it is the outer one that is gone.
TEST_F(JumpLogin, BlamesTheHopThatWasLost) {
  Sshd* const inner = jump_host();
  define("core", inner->port, "bastion");
  identity = key_identity;
  shared = route("core");
  std::vector<std::string> reasons;
  for (std::size_t bytes = 2500; bytes < kMost; bytes += 500) {
    limit = bytes;
    Side own;
    const auto cut = try_once(own);
    if (cut || (!reasons.empty() && reasons.back().starts_with("log in to core"))) break;
    EXPECT_EQ(outcome_name(cut.error().outcome), "jump_failed");
    reasons.push_back(cut.error().reason);
    limit = kNever;
    expect_ok(try_on(own));
  }
  EXPECT_THAT(reasons, Each(HasSubstr("bastion (127.0.0.1:")));
  EXPECT_THAT(reasons,
              ::testing::Contains(AllOf(StartsWith("log in to core (127.0.0.1:"),
                                        HasSubstr(": the connection to bastion (127.0.0.1:"),
                                        HasSubstr("was lost: "))));
  EXPECT_THAT(reasons, Each(Not(AnyOf(HasSubstr("refused"), HasSubstr("MaxStartups")))));
}

}  // namespace
}  // namespace netfleet::ssh

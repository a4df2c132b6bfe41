// Jump hosts that die, stall, refuse and vanish, all of them real OpenSSH servers or worse.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <asio/detached.hpp>
#include <asio/post.hpp>

#include "tests/unit/ssh/jump_driver.h"

namespace netfleet::ssh {
namespace {

using JumpTrouble = netfleet::testing::JumpTest;
using netfleet::testing::Doorman;
using netfleet::testing::in;
using netfleet::testing::JumpedSession;
using netfleet::testing::JumpSide;
using netfleet::testing::make_key;
using netfleet::testing::read_file;
using netfleet::testing::read_until;
using netfleet::testing::run_jumped;
using netfleet::testing::run_to_end;
using netfleet::testing::Session;
using netfleet::testing::Sshd;
using netfleet::testing::sshd_defaults;
using netfleet::testing::TemporaryDirectory;
using netfleet::testing::ThrowAwayUser;
using netfleet::testing::with_password;
using netfleet::testing::write_file;
using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(JumpTrouble, TellsEverySessionThatTheJumpHostDied) {
  Sshd* const bastion = jump_host();
  define("bastion", bastion->port);
  define("core", bastion->port, "bastion");
  side.start();
  constexpr int kSessions = 20;
  int ready = 0;
  std::vector<std::string> ends;
  auto wait_for_death = [&](std::string through) -> asio::awaitable<void> {
    const auto request = side.pool->request(*route(through));
    auto stream = co_await request->open("127.0.0.1", device.port, 20s, in(20s));
    if (!stream) {
      ends.push_back(stream.error().failure.reason);
      co_return;
    }
    Connection connection(side.context.get_executor());
    connection.adopt(stream->descriptor.release());
    Target target = session().target;
    auto step = co_await connection.connect(target, side.resolver, *side.known_hosts, in(20s));
    if (step) step = co_await connection.authenticate(user->name, key_identity, in(20s));
    if (step) step = co_await connection.open_shell(in(20s));
    ++ready;
    auto output = co_await read_until(connection, "never printed", in(60s));
    ends.push_back(step ? stream->passage->lost : step.error().reason);
  };
  for (int i = 0; i < kSessions; ++i) {
    asio::co_spawn(side.context, wait_for_death(i % 2 == 0 ? "bastion" : "core"), asio::detached);
  }
  ASSERT_TRUE(turn_until([&] { return ready == kSessions || !ends.empty(); }));
  ASSERT_THAT(ends, ::testing::IsEmpty());
  for (const pid_t child : bastion->children()) kill(child, SIGKILL);
  ASSERT_TRUE(turn_until([&] { return ends.size() == kSessions; }));
  EXPECT_THAT(ends, ::testing::Each(AllOf(HasSubstr("the connection to bastion (127.0.0.1:"),
                                          HasSubstr("was lost: "))));
  // And it is built anew for those who come later.
  expect_ok(run({session(), route("core")}));
}

TEST_F(JumpTrouble, SaysThatTheJumpHostShowsItOut) {
  const Doorman doorman("Exceeded MaxStartups\r\n", true);
  define("bastion", doorman.port);
  Session impatient = session();
  impatient.patience = 1s;
  expect_failure(
      run({impatient, route("bastion")}), Outcome::kJumpFailed,
      AllOf(StartsWith("connect to bastion (127.0.0.1:"), HasSubstr("a ban, or MaxStartups")));
}

TEST_F(JumpTrouble, StopsAtOnce) {
  const Doorman silent("", false);
  Sshd* const bastion = jump_host();
  define("silent", silent.port);
  define("behind", bastion->port, "silent");
  side.limits.connect = 60s;
  for (const std::string name : {"silent", "behind"}) {
    side.start();
    const auto request = side.pool->request(*route(name));
    std::optional<JumpFailure> failure;
    auto ask = [&]() -> asio::awaitable<void> {
      auto stream = co_await request->open("127.0.0.1", device.port, 60s, in(60s));
      if (!stream) failure = std::move(stream.error());
    };
    asio::co_spawn(side.context, ask(), asio::detached);
    asio::post(side.context, [&] { request->abort(); });
    side.context.restart();
    while (!failure && side.context.run_one_for(10s) > 0) {
    }
    ASSERT_TRUE(failure);
    EXPECT_EQ(outcome_name(failure->failure.outcome), "cancelled");
    // The opening goes on for others, until the pool is stopped.
    side.pool->stop();
    side.context.restart();
    side.context.run_for(10s);
    EXPECT_TRUE(side.context.stopped());
  }
}

TEST_F(JumpTrouble, EndsAtItsDeadline) {
  const Doorman silent("", false);
  define("silent", silent.port);
  side.limits.connect = 60s;
  side.start();
  auto ask = [&]() -> asio::awaitable<std::string> {
    const auto request = side.pool->request(*route("silent"));
    auto stream = co_await request->open("127.0.0.1", device.port, 60s, in(50ms));
    co_return stream ? "" : stream.error().failure.reason;
  };
  EXPECT_THAT(run_to_end(side.context, ask()), StartsWith("timed out waiting for silent (127"));
}

TEST_F(JumpTrouble, LeavesNoDescriptorOpen) {
  const auto open_descriptors = [] {
    int result = 0;
    for (int fd = 0; fd < 4096; ++fd) result += fcntl(fd, F_GETFD) >= 0;
    return result;
  };
  Sshd* const bastion = jump_host();
  define("bastion", bastion->port);
  define("core", bastion->port, "bastion");
  const auto stop = [&] {
    side.pool->stop();
    side.context.restart();
    side.context.run_for(60s);
    return open_descriptors();
  };
  expect_ok(run({session(), route("core")}));
  const int before = stop();
  const std::vector<JumpedSession> sessions(10, {session(), route("core")});
  EXPECT_EQ(run_all(sessions), 10);
  Session nobody = session();
  nobody.target.port = Sshd::free_port();
  expect_failure(run({nobody, route("core")}), Outcome::kUnreachable, HasSubstr("refused"));
  EXPECT_EQ(stop(), before);
}

TEST_F(JumpTrouble, SurvivesTheContextBeingDestroyed) {
  Sshd* const bastion = jump_host();
  define("bastion", bastion->port);
  define("core", bastion->port, "bastion");
  const auto shared = route("core");
  for (int turns = 1; turns < 400; turns += 23) {
    JumpSide brief;
    brief.start();
    asio::co_spawn(brief.context, run_jumped(brief, {session(), shared}), asio::detached);
    for (int turn = 0; turn < turns && brief.context.run_one_for(100ms) > 0; ++turn) {
    }
  }
}

// It takes no part in anything any more, and its machine goes on acknowledging.
class Stopped {
 public:
  explicit Stopped(std::vector<pid_t> processes) : processes_(std::move(processes)) {
    for (const pid_t process : processes_) kill(process, SIGSTOP);
  }
  ~Stopped() {
    for (const pid_t process : processes_) kill(process, SIGCONT);
  }

 private:
  const std::vector<pid_t> processes_;
};

TEST_F(JumpTrouble, NoticesThatTheJumpHostSaysNothing) {
  Sshd* const bastion = jump_host();
  define("bastion", bastion->port);
  side.limits.keepalive = 50ms;
  Session hanging = session();
  hanging.awaited = "never printed";
  std::optional<Attempt<std::string>> result;
  side.start();
  asio::co_spawn(side.context, run_jumped(side, {hanging, route("bastion")}),
                 [&](std::exception_ptr, Attempt<std::string> value) { result = value; });
  ASSERT_TRUE(turn_until([&] { return device.logged("Accepted publickey") == 1; }));
  const Stopped stopped(bastion->children());
  ASSERT_TRUE(turn_until([&] { return result.has_value(); }));
  expect_failure(*result, Outcome::kJumpFailed,
                 AllOf(HasSubstr("the connection to bastion (127.0.0.1:"),
                       HasSubstr("was lost: it did not answer for ")));
}

TEST_F(JumpTrouble, DoesNotBlameTheDeviceForADumbJumpHost) {
  Sshd* const bastion = jump_host();
  define("bastion", bastion->port);
  expect_ok(run({session(), route("bastion")}));
  const Stopped stopped(bastion->children());
  Session impatient = session();
  impatient.patience = 200ms;
  expect_failure(run({impatient, route("bastion")}), Outcome::kJumpFailed,
                 HasSubstr("bastion (127.0.0.1:"));
}

// A device that does not answer at all: its port's queue is full.
TEST_F(JumpTrouble, BlamesADeviceThatDoesNotAnswer) {
  Sshd* const bastion = jump_host();
  define("bastion", bastion->port);
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(bind(listener, generic, size), 0);
  ASSERT_EQ(listen(listener, 0), 0);
  getsockname(listener, generic, &size);
  std::vector<int> callers;
  for (int i = 0; i < 3; ++i) {
    callers.push_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    connect(callers.back(), generic, size);
  }
  Session dead = session();
  dead.target.port = ntohs(address.sin_port);
  dead.patience = 300ms;
  expect_failure(run({dead, route("bastion")}), Outcome::kUnreachable,
                 ::testing::Eq("timed out after 0.3 s in connecting from bastion"));
  expect_ok(run({session(), route("bastion")}));  // over the same connection
  EXPECT_EQ(bastion->logged("Accepted publickey"), 1);
  for (const int caller : callers) close(caller);
  close(listener);
}

TEST_F(JumpTrouble, FailsOverInTheMiddleOfASweep) {
  Sshd* const first = jump_host();
  Sshd* const second = jump_host();
  define("first", first->port);
  define("second", second->port);
  hosts["first"].max_connections = 1;
  hosts["first"].max_channels = 10;
  hosts["second"].max_channels = 10;
  side.start();
  int good = 0;
  int lost = 0;
  int killed = 0;
  std::size_t ended = 0;
  constexpr std::size_t kSessions = 60;
  auto device_task = [&]() -> asio::awaitable<void> {
    for (;;) {
      JumpedSession jumped{session(), route("first,second")};
      auto output = co_await run_jumped(side, std::move(jumped));
      if (output) ++good;
      if (output || output.error().outcome != Outcome::kJumpFailed) break;
      ++lost;  // only reads: it may be tried again
    }
    if (++ended == kSessions / 4) {
      for (const pid_t child : first->children()) ++killed, kill(child, SIGKILL);
    }
  };
  for (std::size_t i = 0; i < kSessions; ++i) {
    asio::co_spawn(side.context, device_task(), asio::detached);
  }
  ASSERT_TRUE(turn_until([&] { return ended == kSessions; }));
  EXPECT_EQ(good, kSessions);
  EXPECT_GT(killed, 0);
  EXPECT_GT(lost, 0);
  EXPECT_GT(second->logged("Accepted publickey"), 0);
}

}  // namespace
}  // namespace netfleet::ssh

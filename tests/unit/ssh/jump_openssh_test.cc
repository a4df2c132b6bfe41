// Devices behind jump hosts, all of them real OpenSSH servers.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <asio/detached.hpp>
#include <asio/post.hpp>

#include "tests/unit/ssh/jump_driver.h"

namespace netfleet::ssh {
namespace {

using Jump = netfleet::testing::JumpTest;

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

TEST_F(Jump, GoesThroughOneHop) {
  Sshd* const bastion = jump_host();
  define("bastion", bastion->port);
  expect_ok(run({session(), route("bastion")}));
  EXPECT_EQ(via, "bastion");
  expect_ok(run({session(), route("bastion")}));
  EXPECT_EQ(bastion->logged("Accepted publickey"), 1);
}

TEST_F(Jump, GoesThroughAChain) {
  Sshd* const sshd = jump_host();
  std::string previous;
  std::string chain;
  for (const std::string name : {"a", "b", "c", "d", "e", "f"}) {
    define(name, sshd->port, previous);
    previous = name;
    chain += (chain.empty() ? "" : ",") + name;
  }
  expect_ok(run({session(), route("f")}));
  EXPECT_EQ(via, chain);
}

TEST_F(Jump, Carries200SessionsOverOneConnection) {
  Sshd* const bastion = jump_host();
  define("bastion", bastion->port);
  hosts["bastion"].max_connections = 1;
  hosts["bastion"].max_channels = 200;
  const std::vector<JumpedSession> sessions(200, {session(), route("bastion")});
  EXPECT_EQ(run_all(sessions), 200);
  EXPECT_EQ(bastion->logged("Accepted publickey"), 1);
}

TEST_F(Jump, OpensFurtherConnectionsWhenTheFirstIsFull) {
  Sshd* const bastion = jump_host();
  define("bastion", bastion->port);
  hosts["bastion"].max_connections = 3;
  hosts["bastion"].max_channels = 4;
  const std::vector<JumpedSession> sessions(40, {session(), route("bastion")});
  EXPECT_EQ(run_all(sessions), 40);
  EXPECT_EQ(bastion->logged("Accepted publickey"), 3);
}

// Both jump hosts ask for new keys in the middle of it, several times.
TEST_F(Jump, CarriesALargeUploadThroughTwoHops) {
  Sshd* const bastion = jump_host("RekeyLimit 700K\nLogLevel DEBUG1");
  define("bastion", bastion->port);
  define("core", bastion->port, "bastion");
  std::string input;
  while (input.size() < 3'000'000) input += "line " + std::to_string(input.size()) + "\n";
  std::vector<JumpedSession> uploads;
  for (const std::string name : {"first", "second"}) {
    const std::string path = *directory / name;
    write_file(path, "", 0666);
    Session upload = session();
    upload.target.port = device.port;
    upload.input = "stty -echo; echo rea$((0))dy; head -c " + std::to_string(input.size()) + " >" +
                   path + "; echo en$((0))d\n" + input;
    upload.awaited = "en0d";
    uploads.push_back({upload, route("core")});
  }
  EXPECT_EQ(run_all(uploads), 2);
  EXPECT_TRUE(read_file(*directory / "first") == input);
  EXPECT_TRUE(read_file(*directory / "second") == input);
  EXPECT_GT(bastion->logged("SSH2_MSG_KEXINIT received"), 2 + 4);
}

TEST_F(Jump, LetsOthersPassOneThatNeverReads) {
  Sshd* const bastion = jump_host();
  define("bastion", bastion->port);
  hosts["bastion"].max_connections = 1;
  side.start();
  Connection idler(side.context.get_executor());
  const std::string big = "seq 1 600000; echo en$((0))d\n";  // 4.4 MB
  auto begin = [&]() -> asio::awaitable<std::string> {
    const auto request = side.pool->request(*route("bastion"));
    auto stream = co_await request->open("127.0.0.1", device.port, 20s, in(20s));
    if (!stream) co_return stream.error().failure.reason;
    idler.adopt(stream->descriptor.release());
    auto step = co_await idler.connect(session().target, side.resolver, *side.known_hosts, in(20s));
    if (step) step = co_await idler.authenticate(user->name, key_identity, in(20s));
    if (step) step = co_await idler.open_shell(in(20s));
    std::string input = big;
    if (step) step = co_await idler.write(std::move(input), in(20s));
    co_return step ? "" : step.error().reason;
  };
  ASSERT_EQ(run_to_end(side.context, begin()), "");
  Session loud = session();
  loud.input = big;
  loud.awaited = "en0d";
  const std::vector<JumpedSession> sessions(10, {loud, route("bastion")});
  EXPECT_EQ(run_all(sessions), 10);
  const auto rest = run_to_end(side.context, read_until(idler, "en0d", in(60s)));
  ASSERT_TRUE(rest) << rest.error().reason;
  EXPECT_THAT(*rest, HasSubstr("\n600000\r\n"));
}

TEST_F(Jump, TellsADeadDeviceFromADeadJumpHost) {
  Sshd* const bastion = jump_host();
  define("bastion", bastion->port);
  Session nobody = session();
  nobody.target.port = Sshd::free_port();
  expect_failure(run({nobody, route("bastion")}), Outcome::kUnreachable,
                 ::testing::Eq("connection refused"));
  EXPECT_EQ(via, "bastion");
  nobody.target.address = "no-such-host.invalid";  // asked for there
  expect_failure(run({nobody, route("bastion")}), Outcome::kUnreachable,
                 HasSubstr("name or service not known"));
  EXPECT_EQ(bastion->logged("Accepted publickey"), 1);
}

// Many answers come in one packet; each has its own reason.
TEST_F(Jump, GivesEachRefusalToItsOwner) {
  Sshd* const bastion = jump_host("PermitOpen localhost:1 127.0.0.1:*");
  define("bastion", bastion->port);
  side.start();
  int refused = 0;
  int forbidden = 0;
  std::size_t ended = 0;
  auto ask = [&](std::string address, std::uint16_t port, int& count,
                 std::string expected) -> asio::awaitable<void> {
    const auto request = side.pool->request(*route("bastion"));
    auto stream = co_await request->open(std::move(address), port, 20s, in(20s));
    const std::string reason = stream ? "opened" : stream.error().failure.reason;
    count += reason.find(expected) != std::string::npos ? 1 : 0;
    if (reason.find(expected) == std::string::npos) ADD_FAILURE() << reason;
    ++ended;
  };
  const std::uint16_t closed = Sshd::free_port();
  for (int i = 0; i < 50; ++i) {
    asio::co_spawn(side.context, ask("127.0.0.1", closed, refused, "connection refused"),
                   asio::detached);
    const auto other = static_cast<std::uint16_t>(1000 + i);
    asio::co_spawn(side.context, ask("127.0.0.2", other, forbidden, "does not forward"),
                   asio::detached);
  }
  ASSERT_TRUE(turn_until([&] { return ended == 100; }));
  EXPECT_EQ(refused, 50);
  EXPECT_EQ(forbidden, 50);
}

TEST_F(Jump, TakesAnotherWhenForwardingIsForbidden) {
  Sshd* const closed = jump_host("AllowTcpForwarding no");
  Sshd* const narrow = jump_host("PermitOpen 192.0.2.1:22");
  Sshd* const open = jump_host();
  define("closed", closed->port);
  define("narrow", narrow->port);
  define("open", open->port);
  expect_failure(run({session(), route("closed,narrow")}), Outcome::kJumpFailed,
                 AllOf(HasSubstr("closed (127.0.0.1:"), HasSubstr("narrow (127.0.0.1:"),
                       HasSubstr("does not forward to it (AllowTcpForwarding, PermitOpen)")));
  expect_ok(run({session(), route("closed,narrow,open")}));
  EXPECT_EQ(via, "open");
}

TEST_F(Jump, SendsARefusedPasswordOnceInTheWholeProcess) {
  Sshd* const bastion = jump_host("LogLevel VERBOSE");
  define("bastion", bastion->port);
  identity = *Identity::load(with_password("wrong"));
  const auto shared = route("bastion");
  JumpLogins logins;
  std::vector<std::jthread> threads;
  std::mutex mutex;
  std::vector<std::string> reasons;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      JumpSide own;
      own.start(&logins);
      for (int again = 0; again < 3; ++again) {
        const auto result = run_to_end(own.context, run_jumped(own, {session(), shared}));
        const std::lock_guard lock(mutex);
        reasons.push_back(result ? "logged in" : result.error().reason);
      }
    });
  }
  threads.clear();
  EXPECT_THAT(reasons, ::testing::SizeIs(9));
  EXPECT_THAT(reasons, ::testing::Each(AllOf(StartsWith("authentication on bastion (127.0.0.1:"),
                                             HasSubstr("refused (tried password"))));
  EXPECT_EQ(bastion->logged("Failed password"), 1);
}

TEST_F(Jump, RejectsAChangedHostKeyAtTheHop) {
  Sshd* const bastion = jump_host();
  define("bastion", bastion->port);
  const std::string path = *directory / "changed";
  write_file(path,
             "[127.0.0.1]:" + std::to_string(bastion->port) + " " + read_file(device.host_keys[0]));
  side.known_hosts = std::move(*KnownHosts::load("", {path}));
  expect_failure(run({session(), route("bastion")}), Outcome::kJumpFailed,
                 AllOf(StartsWith("connect to bastion (127.0.0.1:"),
                       HasSubstr("not the one on record at " + path + ":1")));
  EXPECT_EQ(bastion->logged("Accepted"), 0);
}

TEST_F(Jump, ChecksTheDevicesHostKeyThroughTheChain) {
  Sshd* const bastion = jump_host();
  define("bastion", bastion->port);
  const std::string path = *directory / "impostor";
  write_file(path,
             "[127.0.0.1]:" + std::to_string(device.port) + " " + read_file(bastion->host_keys[0]));
  side.known_hosts = std::move(*KnownHosts::load("", {path}));
  expect_failure(run({session(), route("bastion")}), Outcome::kHostKeyRejected,
                 HasSubstr("not the one on record"));
}

TEST_F(Jump, FailsOverAndReturnsHome) {
  const std::uint16_t home = Sshd::free_port();
  Sshd* const substitute = jump_host();
  define("home", home);
  define("substitute", substitute->port);
  side.limits.first_pause = 50ms;
  side.limits.longest_pause = 50ms;
  side.limits.proof = 100ms;
  expect_ok(run({session(), route("home,substitute")}));
  EXPECT_EQ(via, "substitute");
  Sshd* const back = jump_host("", home);
  const TimePoint deadline = in(60s);
  while (via != "home" && BootClock::now() < deadline) {
    expect_ok(run({session(), route("home,substitute")}));
  }
  EXPECT_EQ(via, "home");
  for (const pid_t child : back->children()) kill(child, SIGKILL);
  ASSERT_TRUE(turn_until([&] { return back->children().empty(); }));
  expect_ok(run({session(), route("home,substitute")}));  // whichever: none is lost
}

TEST_F(Jump, SharesATierByWeight) {
  Sshd* const a = jump_host();
  Sshd* const b = jump_host();
  define("a", a->port);
  define("b", b->port);
  hosts["b"].weight = 3;
  std::vector<std::string> chains(40);
  std::vector<JumpedSession> sessions;
  for (auto& chain : chains) sessions.push_back({session(), route("a|b"), &chain});
  EXPECT_EQ(run_all(sessions), 40);
  EXPECT_EQ(std::ranges::count(chains, "b"), 30);
}

TEST_F(Jump, ClosesWhatIsIdle) {
  Sshd* const bastion = jump_host();
  define("bastion", bastion->port);
  define("core", bastion->port, "bastion");
  side.limits.idle = 50ms;
  expect_ok(run({session(), route("core")}));
  side.context.restart();
  side.context.run_for(60s);  // ends when nothing is left to do
  EXPECT_TRUE(side.context.stopped());
  EXPECT_TRUE(turn_until([&] { return bastion->children().empty(); }));
  expect_ok(run({session(), route("core")}));
}

}  // namespace
}  // namespace netfleet::ssh

#include "worker/engine/engine.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

namespace netfleet {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

// A port on loopback that takes connections and never says a byte; without `listening`, one that
// refuses them.
class SilentPort {
 public:
  explicit SilentPort(bool listening) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    if (listening) {
      EXPECT_EQ(listen(fd_, 64), 0);
    }
    port_ = ntohs(address.sin_port);
  }
  ~SilentPort() { close(fd_); }
  std::uint16_t port() const { return port_; }
  // Whether somebody has connected; they wait in the queue, since nobody accepts them.
  bool has_caller() const {
    pollfd item{fd_, POLLIN, 0};
    return poll(&item, 1, 0) > 0;
  }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() {
    known_hosts_ = *ssh::KnownHosts::load("", {});
    identity_ = *ssh::Identity::load(std::make_shared<const Credential>());
    job_.commands = {"show clock"};
    engine_ = std::make_unique<Engine>(
        EngineParts{resolver_, *known_hosts_, PlatformSet::builtin(), events_, *spool_}, 2);
  }
  void start(std::uint32_t index, std::uint16_t port) {
    SessionOrder order;
    order.key = {1, index};
    order.attempt = 3;
    order.job = std::make_shared<const JobSpec>(job_);
    order.task = {index, port, "edge", "127.0.0.1", "ann", "auto", "", "default"};
    order.identity = identity_;
    order.lease = std::make_shared<Lease>(BootClock::now() + lease_);
    order.route = route_;
    engine_->start(std::move(order));
  }
  void go_through(std::uint16_t port) {
    ssh::JumpHosts hosts;
    hosts["bastion"].name = "bastion";
    hosts["bastion"].address = "127.0.0.1";
    hosts["bastion"].port = port;
    const auto find = [this](const JumpHost&) {
      return Expected<std::shared_ptr<const ssh::Identity>>(identity_);
    };
    route_ = *ssh::make_jump_route("bastion", hosts, find);
  }
  // The ends of `count` sessions, within 30 s.
  std::vector<SessionEnded> ends(std::size_t count) {
    std::vector<SessionEnded> found;
    while (found.size() < count) {
      pollfd item{events_.fd(), POLLIN, 0};
      if (poll(&item, 1, 30'000) <= 0) break;
      for (EngineEvent& event : events_.take()) {
        if (auto* ended = std::get_if<SessionEnded>(&event)) found.push_back(std::move(*ended));
        if (std::holds_alternative<SessionProgress>(event)) ++progress_;
      }
    }
    EXPECT_EQ(found.size(), count);
    return found;
  }

  ssh::Resolver resolver_;
  std::unique_ptr<ssh::KnownHosts> known_hosts_;
  const std::shared_ptr<Spool> spool_ = Spool::make(default_spool_directory());
  std::shared_ptr<const ssh::Identity> identity_;
  EventQueue events_;
  JobSpec job_;
  std::shared_ptr<const ssh::JumpRoute> route_;
  int progress_ = 0;
  seconds lease_{60};
  std::unique_ptr<Engine> engine_;  // last: its sessions use the rest
};

TEST_F(EngineTest, EveryStartEndsOnceAndSaysWhatWasTriedOnWhatAndWhy) {
  const SilentPort closed(false);
  for (std::uint32_t index = 0; index < 20; ++index) start(index, closed.port());
  std::vector<bool> seen(20);
  for (const SessionEnded& end : ends(20)) {
    EXPECT_FALSE(seen.at(end.task.index));
    seen.at(end.task.index) = true;
    EXPECT_EQ(end.result.index, end.task.index);
    EXPECT_EQ(end.result.attempt, 3u);
    EXPECT_EQ(end.result.outcome, Outcome::kUnreachable);
    EXPECT_FALSE(end.result.command_sent);
    EXPECT_THAT(end.result.error, HasSubstr("connect edge (127.0.0.1:"));
    EXPECT_THAT(end.result.error, HasSubstr("refused"));
  }
  EXPECT_EQ(progress_, 0) << "nobody wanted to know";
}

TEST_F(EngineTest, TellsStagesToWhoWantsThem) {
  const SilentPort closed(false);
  events_.want_progress(true);
  start(0, closed.port());
  ends(1);
  EXPECT_GE(progress_, 1);
}

TEST_F(EngineTest, StopsASessionThatWaitsForASilentDevice) {
  const SilentPort silent(true);
  start(0, silent.port());
  start(1, silent.port());
  engine_->stop({1, 1}, "stopped: a test");
  const auto first = ends(1);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].task.index, 1u);
  EXPECT_EQ(first[0].result.outcome, Outcome::kCancelled);
  EXPECT_THAT(first[0].result.error, HasSubstr("stopped: a test"));
}

TEST_F(EngineTest, StopsEverySessionWhenItEnds) {
  const SilentPort silent(true);
  for (std::uint32_t index = 0; index < 10; ++index) start(index, silent.port());
  engine_.reset();
  for (const SessionEnded& end : ends(10)) EXPECT_EQ(end.result.outcome, Outcome::kCancelled);
}

TEST_F(EngineTest, SaysThatTheJumpHostIsWhatFailed) {
  const SilentPort closed(false);
  go_through(closed.port());
  job_.timeouts.connect = Milliseconds(1);
  for (std::uint32_t index = 0; index < 10; ++index) start(index, 22);
  for (const SessionEnded& end : ends(10)) {
    EXPECT_EQ(end.result.outcome, Outcome::kJumpFailed);
    EXPECT_EQ(end.result.jump, "bastion");
    EXPECT_THAT(end.result.error, HasSubstr("connect edge (127.0.0.1:22) via bastion: connect to "
                                            "bastion (127.0.0.1:" +
                                            std::to_string(closed.port()) + "): "));
    EXPECT_THAT(end.result.error, HasSubstr("refused"));
  }
}

TEST_F(EngineTest, StopsWhatWaitsForAJumpHost) {
  const SilentPort silent(true);
  go_through(silent.port());
  for (std::uint32_t index = 0; index < 10; ++index) start(index, 22);
  engine_->stop({1, 1}, "stopped: a test");
  const auto first = ends(1);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].task.index, 1u);
  EXPECT_EQ(first[0].result.outcome, Outcome::kCancelled);
  EXPECT_THAT(first[0].result.error, HasSubstr("stopped: a test"));
  engine_.reset();
  for (const SessionEnded& end : ends(9)) EXPECT_EQ(end.result.outcome, Outcome::kCancelled);
}

TEST_F(EngineTest, NothingIsDoneToADeviceOnceTheLeaseIsOver) {
  const SilentPort silent(true);
  lease_ = seconds(0);
  start(0, silent.port());
  const auto end = ends(1);
  ASSERT_EQ(end.size(), 1u);
  EXPECT_TRUE(end[0].fenced) << "its result counts for nothing";
  EXPECT_FALSE(silent.has_caller());
}

TEST_F(EngineTest, ASilentDeviceIsUnreachableAfterTheConnectTimeout) {
  const SilentPort silent(true);
  job_.timeouts.connect = Milliseconds(50);
  start(0, silent.port());
  const auto end = ends(1);
  ASSERT_EQ(end.size(), 1u);
  EXPECT_EQ(end[0].result.outcome, Outcome::kUnreachable);
  EXPECT_THAT(end[0].result.error, HasSubstr("timed out after"));
}

}  // namespace
}  // namespace netfleet

// CURVE and the gate, over TCP on loopback.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>
#include <zmq.hpp>

#include "common/wire.h"

namespace netfleet::wire {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

curve::Keys server_keys(const curve::KeyPair& pair) {
  return {pair.public_key, pair.secret_key.clone(), {}};
}
curve::Keys client_keys(const curve::KeyPair& pair, const curve::KeyPair& server) {
  return {pair.public_key, pair.secret_key.clone(), server.public_key};
}

class Curve : public ::testing::Test {
 protected:
  void SetUp() override {
    keys_ = server_keys(server_pair_);
    gate_.emplace(*Gate::open(context_));
    router_.emplace(*Socket::make(context_, Kind::kControlRouter, {}, &keys_));
    for (int port = 20'000; endpoint_.empty() && port < 60'000; port += 7) {
      const std::string candidate = fmt::format("tcp://127.0.0.1:{}", port);
      if (router_->bind(candidate)) endpoint_ = candidate;
    }
    ASSERT_FALSE(endpoint_.empty());
  }

  // The next message at the server, while its gate is answered; none within the time.
  std::optional<Received> receive(seconds limit) {
    const TimePoint end = BootClock::now() + limit;
    while (BootClock::now() < end) {
      Poller poller;
      poller.add(*router_, true, false);
      poller.add(*gate_);
      poller.wait(milliseconds(100));
      gate_->answer([this](const std::string& key, const std::string& address, bool to_control) {
        asked_.insert(key);
        for_control_.insert(to_control);
        addresses_.insert(address);
        return listed_.contains(key);
      });
      if (auto received = router_->receive()) return received;
    }
    return std::nullopt;
  }

  Socket dealer(const curve::Keys* keys) {
    Socket socket = *Socket::make(context_, Kind::kControlDealer, "worker-1", keys);
    EXPECT_TRUE(socket.connect(endpoint_));
    EXPECT_EQ(socket.send("hello"), Sent::kYes);
    return socket;
  }

  Context context_;
  curve::KeyPair server_pair_ = *curve::make_key_pair({curve::Role::kDispatcher, "dispatcher"});
  curve::KeyPair worker_pair_ = *curve::make_key_pair({curve::Role::kWorker, "eu-1"});
  curve::Keys keys_;
  std::optional<Gate> gate_;
  std::optional<Socket> router_;
  std::string endpoint_;
  std::set<std::string> listed_, asked_, addresses_;
  std::set<bool> for_control_;
};

TEST_F(Curve, AListedKeyComesInAndIsNamedOnEachMessage) {
  listed_ = {worker_pair_.public_key};
  const curve::Keys own = client_keys(worker_pair_, server_pair_);
  Socket worker = dealer(&own);
  const auto hello = receive(seconds(20));
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->bytes, "hello");
  EXPECT_EQ(hello->user, worker_pair_.public_key);
  EXPECT_EQ(addresses_, std::set<std::string>{"127.0.0.1"});
  EXPECT_EQ(for_control_, std::set<bool>{true});
  ASSERT_EQ(router_->send_to("worker-1", "welcome", "s3cret"), Sent::kYes);
  Poller poller;
  poller.add(worker, true, false);
  poller.wait(seconds(10));
  const auto welcome = worker.receive();
  ASSERT_TRUE(welcome);
  EXPECT_EQ(welcome->secret.reveal(), "s3cret");
}

TEST_F(Curve, TheGateIsToldWhichSocketIsMeant) {
  listed_ = {worker_pair_.public_key};
  Socket sink = *Socket::make(context_, Kind::kSinkPull, {}, &keys_);
  std::string endpoint;
  for (int port = 30'000; endpoint.empty() && port < 60'000; port += 7) {
    const std::string candidate = fmt::format("tcp://127.0.0.1:{}", port);
    if (sink.bind(candidate)) endpoint = candidate;
  }
  const curve::Keys own = client_keys(worker_pair_, server_pair_);
  Socket worker = *Socket::make(context_, Kind::kSinkPush, {}, &own);
  ASSERT_TRUE(worker.connect(endpoint));
  const TimePoint end = BootClock::now() + seconds(20);
  while (for_control_.empty() && BootClock::now() < end) receive(seconds(1));
  EXPECT_EQ(for_control_, std::set<bool>{false});
}

// The good one comes last and is heard: what came before it never arrives.
TEST_F(Curve, NobodyElseIsHeard) {
  listed_ = {worker_pair_.public_key};
  const curve::KeyPair stranger = *curve::make_key_pair({curve::Role::kWorker, "eu-1"});
  const curve::Keys unlisted = client_keys(stranger, server_pair_);
  const curve::Keys wrong_server = client_keys(worker_pair_, stranger);
  const Socket plain = dealer(nullptr);
  const Socket unknown = dealer(&unlisted);
  const Socket misled = dealer(&wrong_server);
  EXPECT_FALSE(receive(seconds(2)));
  EXPECT_EQ(asked_, std::set<std::string>{stranger.public_key});
  const curve::Keys own = client_keys(worker_pair_, server_pair_);
  Socket worker = dealer(&own);
  const auto hello = receive(seconds(20));
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->user, worker_pair_.public_key);
}

TEST_F(Curve, WithoutAGateNobodyComesIn) {
  gate_.reset();
  const curve::Keys own = client_keys(worker_pair_, server_pair_);
  const Socket worker = dealer(&own);
  Poller poller;
  poller.add(*router_, true, false);
  poller.wait(seconds(2));
  EXPECT_FALSE(router_->receive());
}

// A raw peer that says hello and then reads nothing: sending to it ends, and says so.
TEST(WireBounds, APeerThatDoesNotReadIsNoticed) {
  constexpr const char* kPlace = "ipc://@netfleet-wire-bounds-test";
  Context context;
  Socket router = *Socket::make(context, Kind::kControlRouter);
  ASSERT_TRUE(router.bind(kPlace));
  zmq::context_t other;
  zmq::socket_t deaf(other, zmq::socket_type::dealer);
  deaf.set(zmq::sockopt::rcvhwm, 1);
  deaf.set(zmq::sockopt::linger, 0);
  deaf.set(zmq::sockopt::routing_id, "worker-1");
  deaf.connect(kPlace);
  deaf.send(zmq::str_buffer("hello"));
  Poller poller;
  poller.add(router, true, false);
  poller.wait(seconds(10));
  ASSERT_TRUE(router.receive());
  std::size_t taken = 0;
  Sent sent = Sent::kYes;
  for (; sent == Sent::kYes && taken < 100'000; ++taken) {
    sent = router.send_to("worker-1", std::string(1000, 'x'));
  }
  EXPECT_EQ(sent, Sent::kWouldBlock) << taken;
}

// A peer that sends faster than it is read is held back: what waits here is bounded.
TEST(WireBounds, APeerThatFloodsIsHeldBack) {
  constexpr const char* kPlace = "ipc://@netfleet-wire-flood-test";
  Context context;
  Socket router = *Socket::make(context, Kind::kControlRouter);
  ASSERT_TRUE(router.bind(kPlace));
  zmq::context_t other;
  zmq::socket_t flood(other, zmq::socket_type::dealer);
  flood.set(zmq::sockopt::sndhwm, 1);
  flood.set(zmq::sockopt::linger, 0);
  flood.set(zmq::sockopt::sndtimeo, 1000);  // as long as nothing moves any more
  flood.connect(kPlace);
  const std::string body(10'000, 'x');
  std::size_t taken = 0;
  while (taken < 100'000 && flood.send(zmq::buffer(body))) ++taken;
  EXPECT_LT(taken, 5'000u);
}

}  // namespace
}  // namespace netfleet::wire

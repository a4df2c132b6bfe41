#include "common/wire.h"

#include <gtest/gtest.h>

namespace netfleet::wire {
namespace {

using std::chrono::seconds;

// Waits until the socket has a message, at most 10 s.
std::optional<Received> receive_soon(Socket& socket) {
  Poller poller;
  poller.add(socket, true, false);
  poller.wait(seconds(10));
  return socket.receive();
}

TEST(Wire, ControlTalksBothWaysAndTellsWhoIsGone) {
  Context context;
  Socket router = *Socket::make(context, Kind::kControlRouter);
  ASSERT_TRUE(router.bind("inproc://control"));
  Socket dealer = *Socket::make(context, Kind::kControlDealer, "worker-1");
  ASSERT_TRUE(dealer.connect("inproc://control"));
  ASSERT_EQ(dealer.send("hello"), Sent::kYes);
  const auto hello = receive_soon(router);
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->from, "worker-1");
  EXPECT_EQ(hello->bytes, "hello");
  EXPECT_EQ(router.send_to("worker-1", "welcome", "s3cret"), Sent::kYes);
  const auto welcome = receive_soon(dealer);
  ASSERT_TRUE(welcome);
  EXPECT_EQ(welcome->bytes, "welcome");
  EXPECT_EQ(welcome->secret.reveal(), "s3cret");
  EXPECT_EQ(router.send_to("nobody", "welcome"), Sent::kNoSuchPeer);
}

TEST(Wire, ALaneWithoutWorkersTakesNothing) {
  Context context;
  Socket push = *Socket::make(context, Kind::kLanePush);
  ASSERT_TRUE(push.bind("inproc://lane"));
  EXPECT_FALSE(push.can_send());
  EXPECT_EQ(push.send("offer"), Sent::kWouldBlock);
  Socket pull = *Socket::make(context, Kind::kLanePull);
  ASSERT_TRUE(pull.connect("inproc://lane"));
  EXPECT_TRUE(push.can_send());
  EXPECT_EQ(push.send("offer"), Sent::kYes);
  EXPECT_EQ(receive_soon(pull)->bytes, "offer");
}

TEST(Wire, LargeResultsArriveWhole) {
  Context context;
  Socket pull = *Socket::make(context, Kind::kSinkPull);
  ASSERT_TRUE(pull.bind("inproc://sink"));
  Socket push = *Socket::make(context, Kind::kSinkPush);
  ASSERT_TRUE(push.connect("inproc://sink"));
  const std::string body(5 << 20, 'x');
  ASSERT_EQ(push.send(body), Sent::kYes);
  EXPECT_EQ(receive_soon(pull)->bytes, body);
}

TEST(Wire, ASinkThatIsNotReadHoldsFewFrames) {
  Context context;
  Socket pull = *Socket::make(context, Kind::kSinkPull);
  ASSERT_TRUE(pull.bind("inproc://sink"));
  Socket push = *Socket::make(context, Kind::kSinkPush);
  ASSERT_TRUE(push.connect("inproc://sink"));
  int held = 0;
  while (held < 100 && push.send("a frame of results") == Sent::kYes) ++held;
  EXPECT_EQ(held, 4) << "two on each side: a frame may be large";
  for (int i = 0; i < held; ++i) EXPECT_TRUE(receive_soon(pull));
  Poller poller;
  poller.add(push, false, true);
  poller.wait(seconds(10));
  EXPECT_EQ(push.send("another"), Sent::kYes);
}

TEST(Wire, SaysWhatCannotBeBound) {
  Context context;
  Socket first = *Socket::make(context, Kind::kSinkPull);
  ASSERT_TRUE(first.bind("inproc://taken"));
  Socket second = *Socket::make(context, Kind::kSinkPull);
  const auto bound = second.bind("inproc://taken");
  ASSERT_FALSE(bound);
  EXPECT_NE(bound.error().message.find("inproc://taken"), std::string::npos);
}

}  // namespace
}  // namespace netfleet::wire

#include "worker/fleet/dispatcher_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace netfleet {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;
using ::testing::StartsWith;

TimePoint at(int milliseconds) { return TimePoint(Milliseconds(milliseconds)); }

v1::Welcome welcome() {
  v1::Welcome message;
  message.set_heartbeat_ms(1500);
  message.set_lease_ms(10'000);
  return message;
}

class Watch : public ::testing::Test {
 protected:
  DispatcherWatch watch_{"w1", "tcp://hub:7600"};
};

TEST_F(Watch, SaysThatItJoinedOnce) {
  watch_.on_hello(at(0));
  EXPECT_THAT(watch_.on_welcome(at(10), 7, welcome()),
              Optional(StartsWith("worker=w1 dispatcher=tcp://hub:7600 joined")));
  watch_.on_hello(at(20));
  EXPECT_FALSE(watch_.on_welcome(at(30), 7, welcome())) << "a lost message is no news";
}

TEST_F(Watch, SaysOnceThatTheDispatcherIsSilentAndWhenItIsBack) {
  watch_.on_hello(at(0));
  watch_.on_welcome(at(0), 7, welcome());
  for (int second = 10; second < 13; ++second) {
    watch_.on_hello(at(second * 1000));
    EXPECT_FALSE(watch_.tick(at(second * 1000), 5));
  }
  EXPECT_THAT(watch_.tick(at(13'000), 5), Optional(HasSubstr("silent")));
  for (int hour = 1; hour < 5; ++hour) {
    watch_.on_hello(at(hour * 3'600'000));
    EXPECT_FALSE(watch_.tick(at(hour * 3'600'000), 5));
  }
  EXPECT_THAT(watch_.on_welcome(at(20'000'000), 7, welcome()), Optional(HasSubstr("back")));
}

TEST_F(Watch, TellsARestartFromACut) {
  watch_.on_hello(at(0));
  watch_.on_welcome(at(0), 7, welcome());
  watch_.on_hello(at(100));
  EXPECT_THAT(watch_.on_welcome(at(200), 8, welcome()), Optional(HasSubstr("started again")));
}

TEST_F(Watch, OneThatHasFinishedIsNotSilent) {
  watch_.on_hello(at(0));
  watch_.on_welcome(at(0), 7, welcome());
  EXPECT_THAT(watch_.on_dismissed(), Optional(HasSubstr("finished")));
  watch_.on_hello(at(1000));
  EXPECT_FALSE(watch_.tick(at(60'000), 0));
  EXPECT_THAT(watch_.on_welcome(at(70'000), 8, welcome()), Optional(HasSubstr("joined")));
}

TEST_F(Watch, SaysThatResultsAreNotTaken) {
  watch_.on_hello(at(0));
  watch_.on_welcome(at(0), 7, welcome());
  EXPECT_FALSE(watch_.tick(at(50'000), 0));
  EXPECT_FALSE(watch_.tick(at(79'999), 3));
  EXPECT_THAT(watch_.tick(at(80'000), 3), Optional(HasSubstr("results=3")));
  EXPECT_FALSE(watch_.tick(at(90'000), 3));
  watch_.on_acknowledged(at(91'000));
  EXPECT_FALSE(watch_.tick(at(91'000), 2));
  EXPECT_THAT(watch_.tick(at(121'000), 2), Optional(HasSubstr("results=2")));
}

}  // namespace
}  // namespace netfleet

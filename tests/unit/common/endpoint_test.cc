#include "common/endpoint.h"

#include <gtest/gtest.h>

namespace netfleet {
namespace {

TEST(Endpoint, DerivesTheOtherSocketsPlaces) {
  EXPECT_EQ(Endpoint::parse("tcp://hub:7600")->at(2), "tcp://hub:7602");
  EXPECT_EQ(Endpoint::parse("tcp://[::1]:7600")->at(0), "tcp://[::1]:7600");
  EXPECT_EQ(Endpoint::parse("ipc:///run/nf")->at(0), "ipc:///run/nf");
  EXPECT_EQ(Endpoint::parse("ipc:///run/nf")->at(1), "ipc:///run/nf.1");
}

TEST(Endpoint, KnowsWhatIsLocal) {
  EXPECT_TRUE(Endpoint::parse("tcp://127.8.9.1:7600")->is_local());
  EXPECT_TRUE(Endpoint::parse("tcp://[::1]:7600")->is_local());
  EXPECT_TRUE(Endpoint::parse("tcp://localhost:7600")->is_local());
  EXPECT_TRUE(Endpoint::parse("ipc:///run/nf")->is_local());
  EXPECT_FALSE(Endpoint::parse("tcp://0.0.0.0:7600")->is_local());
  EXPECT_FALSE(Endpoint::parse("tcp://127.example.net:7600")->is_local());
  EXPECT_FALSE(Endpoint::parse("tcp://10.0.0.1:7600")->is_local());
}

TEST(Endpoint, RefusesWhatIsNone) {
  for (const char* text :
       {"", "tcp://", "hub:7600", "tcp://hub", "tcp://hub:0", "tcp://hub:70000", "tcp://hub:65530",
        "tcp://::1:7600", "udp://hub:1", "ipc://", "tcp://:7600", "tcp://hub:76x"}) {
    EXPECT_FALSE(Endpoint::parse(text)) << text;
  }
}

}  // namespace
}  // namespace netfleet

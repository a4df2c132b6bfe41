#include "worker/device/echo.h"

#include <gtest/gtest.h>

namespace netfleet {
namespace {

using Part = Echo::Part;

TEST(Echo, IsTheCommand) {
  EXPECT_EQ(Echo("show version").next("show version", 15), Part::kWhole);
  EXPECT_EQ(Echo("show version ").next("show version", 15), Part::kWhole);
  EXPECT_EQ(Echo("show version").next(" show version  ", 15), Part::kWhole);
  EXPECT_EQ(Echo("show version").next("show versions", 16), Part::kNone);
  EXPECT_EQ(Echo("show version").next("", 3), Part::kNone);
}

TEST(Echo, GoesOnInTheNextLines) {
  Echo echo("show interfaces description | include uplink to the core");
  EXPECT_EQ(echo.next("show interfaces descripti", 28), Part::kBegun);
  EXPECT_EQ(echo.next("on | include uplink to the", 26), Part::kBegun);
  EXPECT_EQ(echo.next("core", 4), Part::kWhole);
}

TEST(Echo, StartsAgainAfterALineThatWasOutput) {
  Echo echo("show interfaces description");
  EXPECT_EQ(echo.next("show interfaces", 28), Part::kBegun);
  EXPECT_EQ(echo.next("something", 9), Part::kNone);
  echo.reset();
  EXPECT_EQ(echo.next("show interfaces description", 30), Part::kWhole);
}

TEST(Echo, DoesNotWrapOnANarrowLine) {
  EXPECT_EQ(Echo("show version").next("show", 7), Part::kNone);
}

TEST(Echo, IsTheEndOfAScrolledCommand) {
  EXPECT_EQ(Echo("show interfaces description").next("$faces description", 21), Part::kWhole);
  EXPECT_EQ(Echo("show interfaces description").next("$tion", 21), Part::kNone);
  EXPECT_EQ(Echo("show interfaces description").next("$faces status up", 21), Part::kNone);
}

}  // namespace
}  // namespace netfleet

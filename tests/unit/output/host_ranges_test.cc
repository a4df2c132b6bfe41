#include "dispatcher/output/host_ranges.h"

#include <gtest/gtest.h>

namespace netfleet {
namespace {

TEST(HostRanges, FoldsNeighbours) {
  EXPECT_EQ(fold_hosts({"sw1", "sw2", "sw3", "sw5"}), "sw[1-3,5]");
  EXPECT_EQ(fold_hosts({"sw2", "sw1"}), "sw[1-2]");
  EXPECT_EQ(fold_hosts({"sw9", "sw10", "sw11"}), "sw[9-11]");
}

TEST(HostRanges, LeavesOneNameAsItIs) {
  EXPECT_EQ(fold_hosts({}), "");
  EXPECT_EQ(fold_hosts({"sw007"}), "sw007");
  EXPECT_EQ(fold_hosts({"edge", "core"}), "edge,core");
  EXPECT_EQ(fold_hosts({""}), "");
}

TEST(HostRanges, KeepsZerosInFront) {
  EXPECT_EQ(fold_hosts({"sw08", "sw09", "sw10"}), "sw[08-10]");
  EXPECT_EQ(fold_hosts({"sw1", "sw01"}), "sw[1,01]");
  EXPECT_EQ(fold_hosts({"sw01", "sw02", "sw1", "sw2"}), "sw[1-2,01-02]");
  EXPECT_EQ(fold_hosts({"sw0", "sw1"}), "sw[0-1]");
  EXPECT_EQ(fold_hosts({"sw99", "sw098", "sw100"}), "sw[098,99,100]");
}

TEST(HostRanges, FoldsInEveryNumberWhatStandsForJustTheseNames) {
  EXPECT_EQ(fold_hosts({"r1s1", "r1s2", "r2s1", "r2s2"}), "r[1-2]s[1-2]");
  EXPECT_EQ(fold_hosts({"r1s1", "r1s2", "r2s1"}), "r1s[1-2],r2s1");
  EXPECT_EQ(fold_hosts({"10.0.0.1", "10.0.0.2", "10.0.1.1", "10.0.1.2"}), "10.0.[0-1].[1-2]");
  EXPECT_EQ(fold_hosts({"sw1.dc2.example.com", "sw2.dc2.example.com"}), "sw[1-2].dc2.example.com");
}

TEST(HostRanges, KeepsTheOrderOfWhatComesFirst) {
  EXPECT_EQ(fold_hosts({"sw2", "edge", "sw1", "core7"}), "sw[1-2],edge,core7");
}

TEST(HostRanges, TouchesNoNameThatItsOwnSignsAreIn) {
  EXPECT_EQ(fold_hosts({"a[1", "a[2"}), "a[1,a[2");
  EXPECT_EQ(fold_hosts({"a,1", "a,2"}), "a,1,a,2");
}

TEST(HostRanges, TakesNumbersOfAnyLength) {
  EXPECT_EQ(fold_hosts({"a123456789012345678", "a123456789012345679"}),
            "a[123456789012345678-123456789012345679]");
  EXPECT_EQ(fold_hosts({"a18446744073709551615", "a18446744073709551616"}),
            "a18446744073709551615,a18446744073709551616");
}

}  // namespace
}  // namespace netfleet

#include "dispatcher/output/order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Order, InventoryHoldsResultsUntilTheirTurn) {
  Order order(OutputOrder::kInventory, 4);
  EXPECT_THAT(order.arrived(2), IsEmpty());
  EXPECT_THAT(order.arrived(1), IsEmpty());
  EXPECT_THAT(order.arrived(0), ElementsAre(0, 1, 2));
  EXPECT_FALSE(order.complete());
  EXPECT_THAT(order.arrived(3), ElementsAre(3));
  EXPECT_TRUE(order.complete());
}

TEST(Order, CompletionShowsResultsAsTheyArrive) {
  Order order(OutputOrder::kCompletion, 3);
  EXPECT_THAT(order.arrived(2), ElementsAre(2));
  EXPECT_THAT(order.arrived(0), ElementsAre(0));
  EXPECT_FALSE(order.complete());
  EXPECT_THAT(order.arrived(1), ElementsAre(1));
  EXPECT_TRUE(order.complete());
}

TEST(Order, OfNothingIsComplete) {
  EXPECT_TRUE(Order(OutputOrder::kInventory, 0).complete());
  EXPECT_TRUE(Order(OutputOrder::kCompletion, 0).complete());
}

TEST(Order, EveryArrivalOrderIsShownInInventoryOrder) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::uint32_t> arrival(1 + random() % 50);
    std::iota(arrival.begin(), arrival.end(), 0u);
    const std::vector<std::uint32_t> expected = arrival;
    std::ranges::shuffle(arrival, random);
    Order order(OutputOrder::kInventory, static_cast<std::uint32_t>(arrival.size()));
    std::vector<std::uint32_t> shown;
    for (const std::uint32_t index : arrival) {
      EXPECT_FALSE(order.complete());
      for (const std::uint32_t next : order.arrived(index)) shown.push_back(next);
    }
    EXPECT_EQ(shown, expected);
    EXPECT_TRUE(order.complete());
  }
}

TEST(Order, ReleaseShowsWhatIsThereAndWaitsForNothingMore) {
  Order order(OutputOrder::kInventory, 6);
  order.arrived(0);
  order.arrived(4);
  order.arrived(2);
  EXPECT_THAT(order.release(), ElementsAre(2, 4));
  EXPECT_THAT(order.release(), IsEmpty());
  EXPECT_THAT(order.arrived(3), ElementsAre(3));
  EXPECT_THAT(order.arrived(1), ElementsAre(1));
  EXPECT_FALSE(order.complete());
  EXPECT_THAT(order.arrived(5), ElementsAre(5));
  EXPECT_TRUE(order.complete());
}

TEST(Order, ReleaseOfCompletionHasNothingToShow) {
  Order order(OutputOrder::kCompletion, 2);
  order.arrived(1);
  EXPECT_THAT(order.release(), IsEmpty());
  EXPECT_THAT(order.arrived(0), ElementsAre(0));
  EXPECT_TRUE(order.complete());
}

TEST(OrderDeathTest, AResultArrivesOnce) {
  Order order(OutputOrder::kInventory, 2);
  order.arrived(1);
  EXPECT_DEATH(order.arrived(1), "CHECK");
  EXPECT_DEATH(order.arrived(2), "CHECK");
}

}  // namespace
}  // namespace netfleet

#include "common/secret.h"

#include <gtest/gtest.h>

#include <string>
#include <type_traits>

namespace netfleet {
namespace {

static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);

TEST(Secret, HoldsItsTextAndMoves) {
  Secret first("hunter2");
  EXPECT_EQ(first.reveal(), "hunter2");
  EXPECT_STREQ(first.c_str(), "hunter2");
  Secret second = std::move(first);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): moved-from is empty, by contract
  EXPECT_EQ(second.reveal(), "hunter2");
  second = second.clone();
  EXPECT_EQ(second.reveal(), "hunter2");
}

TEST(Secret, TakesTextLongerThanAPage) {
  const std::string text(10'000, 'x');
  EXPECT_EQ(Secret(text).reveal(), text);
}

TEST(Secret, WipeOverwrites) {
  std::string text = "hunter2";
  wipe(text.data(), text.size());
  EXPECT_EQ(text, std::string(7, '\0'));
}

}  // namespace
}  // namespace netfleet

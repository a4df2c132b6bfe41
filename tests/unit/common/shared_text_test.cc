#include "common/shared_text.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace netfleet {
namespace {

TEST(SharedText, IsTheTextItWasMadeOf) {
  const std::string text = "10.0.0.1";
  const SharedText shared(text);
  EXPECT_EQ(shared, text);
  EXPECT_EQ(shared.str(), text);
  EXPECT_STREQ(shared.c_str(), text.c_str());
  EXPECT_EQ(shared.size(), 8u);
  EXPECT_NE(shared, "10.0.0.2");
  EXPECT_EQ(fmt::format("<{:>10}>", shared), "<  10.0.0.1>");
}

TEST(SharedText, WithoutTextNeedsNoMemory) {
  const SharedText none, empty("");
  EXPECT_EQ(none, empty);
  EXPECT_TRUE(empty.empty());
  EXPECT_EQ(empty.data(), nullptr);
  EXPECT_STREQ(empty.c_str(), "");
  EXPECT_NE(empty, SharedText("x"));
}

TEST(SharedText, KeepsBytesThatAreNoText) {
  const std::string odd("a\0b", 3);
  EXPECT_EQ(SharedText(odd).str(), odd);
}

TEST(SharedText, CopiesHaveTheSameBytesForAsLongAsOneIsThere) {
  SharedText copy;
  {
    const SharedText original("edge-7");
    copy = original;
    EXPECT_EQ(copy.data(), original.data());
  }
  EXPECT_EQ(copy, "edge-7");
  SharedText moved = std::move(copy);
  EXPECT_EQ(moved, "edge-7");
  const SharedText& itself = moved;
  moved = itself;
  EXPECT_EQ(moved, "edge-7");
}

TEST(SharedText, EqualTextsAreEqualWhereverTheyLie) {
  const SharedText one("eu"), other("eu");
  EXPECT_NE(one.data(), other.data());
  EXPECT_EQ(one, other);
  EXPECT_NE(one, SharedText("us"));
  EXPECT_LT(one, "us");
}

TEST(SharedText, IsCopiedByManyThreads) {
  const SharedText shared("linux");
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([shared] {
        for (int j = 0; j < 1000; ++j) {
          const SharedText copy = shared;
          EXPECT_EQ(copy, "linux");
        }
      });
    }
  }
  EXPECT_EQ(shared, "linux");
}

TEST(TextPool, GivesEqualTextsTheSameBytes) {
  TextPool pool;
  const SharedText first = pool("linux");
  EXPECT_EQ(pool(std::string("linux")).data(), first.data());
  EXPECT_NE(pool("ios").data(), first.data());
  EXPECT_TRUE(pool("").empty());
}

TEST(TextPool, ForgetsWhatIsTooMuchAndStaysRight) {
  TextPool pool;
  const SharedText first = pool("0");
  for (int i = 0; i < 10'000; ++i) EXPECT_EQ(pool(std::to_string(i)), std::to_string(i));
  EXPECT_EQ(pool("0"), first);
  EXPECT_NE(pool("0").data(), first.data());
}

}  // namespace
}  // namespace netfleet

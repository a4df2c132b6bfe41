#include "worker/device/pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace netfleet {
namespace {

using testing::HasSubstr;

Pattern pattern(const std::string& expression, bool multi_line = false) {
  return Pattern::compile(expression, multi_line).value();
}

TEST(Pattern, FindsWhereItMatches) {
  const auto span = pattern("b+").find("abbc");
  ASSERT_TRUE(span.has_value());
  EXPECT_EQ(span->begin, 1u);
  EXPECT_EQ(span->end, 3u);
  EXPECT_FALSE(pattern("x").matches("abc"));
}

TEST(Pattern, MatchesAtLinesOnlyWhenAsked) {
  EXPECT_FALSE(pattern("^b$").matches("a\nb\nc"));
  EXPECT_TRUE(pattern("^b$", true).matches("a\nb\nc"));
}

TEST(Pattern, DollarIsTheVeryEnd) { EXPECT_FALSE(pattern("a$").matches("a\n")); }

TEST(Pattern, TakesAnyBytes) {
  EXPECT_TRUE(
      pattern("^a.b$").matches("a\xff"
                               "b"));
  EXPECT_TRUE(pattern("^a.b$").matches(std::string_view("a\0b", 3)));
  EXPECT_TRUE(pattern("^$").matches(""));
}

TEST(Pattern, SaysWhereTheExpressionIsWrong) {
  const auto wrong = Pattern::compile("ab(c");
  ASSERT_FALSE(wrong.has_value());
  EXPECT_THAT(wrong.error().message, HasSubstr("\"ab(c\", at position 5"));
  EXPECT_FALSE(Pattern::compile("(*UTF)x").has_value());
}

// Interpreted at first, in machine code later.
TEST(Pattern, GivesUpOnARunawayExpression) {
  const Pattern runaway = pattern("^(?:a+a+)+$");
  for (int i = 0; i < 100; ++i) {
    // Exponential without a limit: 2^40 steps.
    EXPECT_FALSE(runaway.matches(std::string(40, 'a') + "b"));
  }
}

TEST(Pattern, FindsTheSameHoweverMuchItHasSeen) {
  const Pattern many = pattern("^(?:[ab]|c)*(x)$");
  for (std::size_t size = 0; size < 3'000; size += 100) {
    const std::string subject = std::string(size, 'c') + "x";
    EXPECT_EQ(pattern("^(?:[ab]|c)*(x)$").find_group(subject)->begin, size);
    EXPECT_EQ(many.find_group(subject)->begin, size);
  }
}

TEST(Pattern, ThatWasProvenIsTheSame) {
  const Pattern proven = Pattern::proven("^b$", true);
  EXPECT_EQ(proven.expression(), "^b$");
  EXPECT_TRUE(proven.multi_line());
  EXPECT_TRUE(proven.matches("a\nb\nc"));
  EXPECT_FALSE(Pattern::proven("^b$", false).matches("a\nb\nc"));
}

TEST(Pattern, IsSharedBetweenThreads) {
  const Pattern shared = pattern(R"(^([\w.]+)#$)");
  std::vector<int> found(4);
  std::vector<std::thread> threads;
  for (int& count : found) {
    threads.emplace_back([&shared, &count] {
      for (int i = 0; i < 500; ++i) count += shared.matches("R" + std::to_string(i) + "#");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(found, testing::Each(500));
}

}  // namespace
}  // namespace netfleet

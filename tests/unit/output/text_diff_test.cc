#include "dispatcher/output/text_diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace netfleet {
namespace {

using ::testing::HasSubstr;

std::string hunks(std::string_view before, std::string_view after) {
  const auto found = TextDiff().hunks({before, before}, {after, after});
  EXPECT_TRUE(found) << found.error().message;
  return found.value_or("");
}

TEST(TextDiff, IsEmptyForEqualTexts) {
  EXPECT_EQ(hunks("", ""), "");
  EXPECT_EQ(hunks("a\nb\n", "a\nb\n"), "");
}

TEST(TextDiff, WritesHunksAsDiffDoes) {
  EXPECT_EQ(hunks("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"),
            "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
  EXPECT_EQ(hunks("", "a\n"), "@@ -0,0 +1 @@\n+a\n");
  EXPECT_EQ(hunks("a\n", ""), "@@ -1 +0,0 @@\n-a\n");
}

TEST(TextDiff, SaysWhereALineEndIsMissing) {
  EXPECT_EQ(hunks("a", "a\n"), "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
}

TEST(TextDiff, ComparesOneTextAndShowsAnother) {
  const auto found = TextDiff().hunks({"clock *\na\nb\n", "clock 12\na\nb\n"},
                                      {"clock *\na\nc\n", "clock 13\na\nc\n"});
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, "@@ -1,3 +1,3 @@\n clock 13\n a\n-b\n+c\n");
}

TEST(TextDiff, TakesBytesThatAreNoText) {
  EXPECT_EQ(hunks(std::string_view("a\0b\n", 4), std::string_view("a\0c\n", 4)),
            std::string("@@ -1 +1 @@\n-a\0b\n+a\0c\n", 22));
}

TEST(TextDiff, RefusesWhatIsTooLarge) {
  const std::string large(TextDiff::kMostBytes + 1, 'x');
  const auto found = TextDiff().hunks({"a", "a"}, {large, large});
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, HasSubstr("more than 64 MiB"));
}

}  // namespace
}  // namespace netfleet

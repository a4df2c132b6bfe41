#include "common/utf8.h"

#include <gtest/gtest.h>

namespace netfleet {
namespace {

constexpr char kReplacement[] = "\xEF\xBF\xBD";

TEST(Utf8, LeavesValidTextAlone) {
  for (const char* text : {"", "plain\r\n\t", "Zürich", "日本", "\xF0\x9F\x98\x80"}) {
    EXPECT_EQ(to_utf8(text), text);
  }
}

TEST(Utf8, ReplacesEachInvalidPart) {
  const std::string r = kReplacement;
  EXPECT_EQ(to_utf8("a\xFFz"), "a" + r + "z");
  EXPECT_EQ(to_utf8("\xC0\xAF"), r + r) << "overlong";
  EXPECT_EQ(to_utf8("\xED\xA0\x80"), r + r + r) << "a surrogate";
  EXPECT_EQ(to_utf8("\xF4\x90\x80\x80"), r + r + r + r) << "above U+10FFFF";
  EXPECT_EQ(to_utf8("\xE6\x97"), r) << "cut off";
  EXPECT_EQ(to_utf8("\xE6\x97x"), r + "x");
}

}  // namespace
}  // namespace netfleet

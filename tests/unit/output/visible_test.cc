#include "dispatcher/output/visible.h"

#include <gtest/gtest.h>

namespace netfleet {
namespace {

std::string visible(std::string_view bytes) {
  std::string out = "> ";
  append_visible(out, bytes);
  return out.substr(2);
}

TEST(Visible, LeavesTextTabsAndLineEnds) {
  EXPECT_EQ(visible("show\tclock\n12:00 ü €\n"), "show\tclock\n12:00 ü €\n");
  EXPECT_EQ(visible(""), "");
}

TEST(Visible, ShowsControlCharactersInsteadOfSendingThem) {
  EXPECT_EQ(visible("\x1b[31mred\r\x07"), "^[[31mred^M^G");
  EXPECT_EQ(visible(std::string_view("a\0b\x7f", 4)), "a^@b^?");
}

TEST(Visible, ReplacesEightBitControlCharactersAndInvalidBytes) {
  EXPECT_EQ(visible("a\xC2\x9B"
                    "31m"),
            "a\uFFFD31m");  // CSI in UTF-8
  EXPECT_EQ(visible("a\x9B"
                    "31m"),
            "a\uFFFD31m");                     // and alone
  EXPECT_EQ(visible("\xC2\xA0"), "\xC2\xA0");  // the first one that is a character
  EXPECT_EQ(visible("\xC2"), "\uFFFD");
}

TEST(Visible, OneLineIsOneLine) { EXPECT_EQ(one_line("a\nb\tc\r\n\x1b"), "a b c^M ^["); }

TEST(Visible, EveryByteIsHarmless) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const char bytes[] = {static_cast<char>(first), static_cast<char>(second)};
      for (const char byte : one_line({bytes, 2})) {
        const auto code = static_cast<unsigned char>(byte);
        EXPECT_TRUE(code >= 0x20 && code != 0x7f) << first << " " << second;
      }
      const std::string line = one_line({bytes, 2});
      for (std::size_t i = 0; i + 1 < line.size(); ++i) {
        EXPECT_FALSE(line[i] == '\xC2' && static_cast<unsigned char>(line[i + 1]) < 0xA0);
      }
    }
  }
}

}  // namespace
}  // namespace netfleet

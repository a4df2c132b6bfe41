#include "worker/device/terminal.h"

#include <gtest/gtest.h>

#include <string>

namespace netfleet {
namespace {

// The finished lines, then the current one after a '|'.
std::string show(std::string_view bytes, std::size_t columns = 511, std::size_t chunk = 4096) {
  Terminal terminal(columns);
  std::string lines;
  for (std::size_t at = 0; at < bytes.size(); at += chunk) {
    terminal.feed(bytes.substr(at, chunk), lines);
  }
  return lines + "|" + std::string(terminal.line());
}

struct Case {
  const char* what;
  std::string_view bytes;
  std::string_view shown;
  std::size_t columns = 511;
};

using namespace std::string_view_literals;

const Case kCases[] = {
    {"plain", "one\r\ntwo\nthree"sv, "one\ntwo\n|three"sv},
    {"line ends", "a\r\r\nb\n\rc\r\r\r\nd\n\r\n\re"sv, "a\nb\nc\nd\n\n|e"sv},
    {"blank lines and blanks", "\r\n  a  \r\n\r\n"sv, "\n  a  \n\n|"sv},
    {"tabs stay", "a\tb\r\n\tc"sv, "a\tb\n|\tc"sv},
    {"carriage return draws over", "10%\r 55%\r100%\r\n"sv, "100%\n|"sv},
    {"longer text below stays", "abcdef\rxy\r\n"sv, "xycdef\n|"sv},
    {"backspace", "shwo\b\bow\r\n"sv, "show\n|"sv},
    {"backspace at the start", "\b\bab\b\b\b\bx\r\n"sv, "xb\n|"sv},
    {"rubbed out with blanks", "abc\b\b\b   \b\b\bx\r\n"sv, "x\n|"sv},
    {"rubbed out to nothing", "abc\r   \r\r\n"sv, "\n|"sv},
    {"more blanks than there was text", "ab\r     \rx\r\n"sv, "x\n|"sv},
    {"a blank over text within it", "abc\b\b \b\r\n"sv, "a c\n|"sv},
    {"backspace over a character of three bytes", "a\xe2\x82\xac\bx\r\n"sv, "ax\n|"sv},
    {"a character of three bytes over one", "abc\b\b\xe2\x82\xac\r\n"sv,
     "a\xe2\x82\xac"
     "c\n|"sv},
    {"no UTF-8", "\xff\xfe\xc3\r\n\x80"sv, "\xff\xfe\xc3\n|\x80"sv},
    {"controls are dropped",
     "a\0b\ac\x0e\x0f\x7f"
     "d\fe\v\r\n"sv,
     "abcde\n|"sv},
    {"colours", "\x1b[1;31mred\x1b[0m \x1b[38;5;12mblue\x1b[m"sv, "|red blue"sv},
    {"bracketed paste", "\x1b[?2004hR1#\x1b[?2004l\r\r\n"sv, "R1#\n|"sv},
    {"titles",
     "\x1b]0;a title\a"
     "a\x1b]2;b\x1b\\b\x1bP1$r\x1b\\c"sv,
     "|abc"sv},
    {"a title without end stops at the line", "\x1b]0;never\r\nnext"sv, "\n|next"sv},
    {"charsets", "\x1b(Ba\x1b)0b\x1b#8c\x1b=d\x1b>e"sv, "|abcde"sv},
    {"cursor saved and back",
     "ab\x1b"
     "7cd\x1b"
     "8X\x1b[sY\x1b[uZ"sv,
     "|abXZ"sv},
    {"erase to the end", "abcdef\b\b\b\x1b[K\r\n"sv, "abc\n|"sv},
    {"erase to the start", "abcdef\b\b\b\x1b[1K\r\n"sv, "    ef\n|"sv},
    {"erase the line", "abc\x1b[2K\rx\r\n"sv, "x\n|"sv},
    {"erase the line, cursor stays", "abc\x1b[2Kx\r\n"sv, "   x\n|"sv},
    {"erase the screen", "abc\x1b[2J\x1b[Hx\r\n"sv, "x\n|"sv},
    {"erase below", "abc\r\x1b[Jx\r\n"sv, "x\n|"sv},
    {"cursor to a column", "abcdef\x1b[3Gx\x1b[Hy\x1b[5;2Hz\r\n"sv, "yzxdef\n|"sv},
    {"cursor left and right", "abcdef\x1b[4Dx\x1b[2Cy\r\n"sv, "abxdey\n|"sv},
    {"cursor beyond the end", "a\x1b[3Cb\r\n"sv, "a   b\n|"sv},
    {"characters deleted, inserted, erased", "abcdef\r\x1b[2P\x1b[2@XY\x1b[1X\r\n"sv,
     "XY def\n|"sv},
    {"a sequence within a sequence", "a\x1b[3\x1b[1mb\x1b[1\rmc"sv, "|cb"sv},
    {"a sequence made void",
     "a\x1b[1\x18"
     "b\x1b]x\x1a"
     "c"sv,
     "|abc"sv},
    {"next line",
     "a\x1b"
     "Eb"sv,
     "a\n|b"sv},
    {"readline goes on in the next row", "0123456789 \rabc\r\n"sv, "0123456789abc\n|"sv, 10},
    {"up again in a wrapped line", "0123456789 \rabc\x1b[A\rX\x1b[B\rY\r\n"sv, "X123456789Ybc\n|"sv,
     10},
    {"a full row is left when written beyond", "0123456789\rX\r\n"sv, "X123456789\n|"sv, 10},
    {"back over a wrap and erased", "0123456789 \r\b\b\b\b\b\b\b\b\b\b\x1b[K\rX\r\n"sv, "X\n|"sv,
     10},
    {"a wrapped line, erased whole, leaves no row behind", "P24\r\b\b\x1b[K \nab\rX\n"sv,
     " \nXb\n|"sv, 2},
    {"no width", "0123456789 \rX\r\n"sv, "X123456789 \n|"sv, 0},
    {"a pager that rubs out", "--More--\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\bnext\r\n"sv,
     "next\n|"sv},
};

TEST(Terminal, ShowsWhatATerminalWould) {
  for (const Case& each : kCases)
    EXPECT_EQ(show(each.bytes, each.columns), each.shown) << each.what;
}

TEST(Terminal, ShowsTheSameHoweverTheBytesAreCut) {
  for (const Case& each : kCases) {
    for (std::size_t chunk = 1; chunk < each.bytes.size(); ++chunk) {
      EXPECT_EQ(show(each.bytes, each.columns, chunk), each.shown) << each.what << " by " << chunk;
    }
  }
}

TEST(Terminal, FindsEveryControlByteInLongText) {
  // The scan looks at eight bytes at a time: a control byte at each place of them.
  for (std::size_t at = 0; at < 24; ++at) {
    std::string text(24, 'x');
    std::string expected = text;
    text[at] = '\a';
    expected.erase(at, 1);
    EXPECT_EQ(show(text), "|" + expected);
    text[at] = '\t';
    EXPECT_EQ(show(text), "|" + text);
    text[at] = '\x7f';
    EXPECT_EQ(show(text), "|" + expected);
  }
}

TEST(Terminal, HandsOnALineThatNeverEnds) {
  Terminal terminal(511, 100);
  std::string lines;
  for (int i = 0; i < 60; ++i) terminal.feed("12345", lines);
  EXPECT_TRUE(terminal.line_goes_on());
  EXPECT_LE(terminal.line().size(), 100u);
  terminal.feed("\r\nx", lines);
  EXPECT_FALSE(terminal.line_goes_on());
  EXPECT_EQ(lines.size(), 301u);
  EXPECT_EQ(lines.find('\n'), 300u);
}

TEST(Terminal, SkipsAControlStringThatNeverEnds) {
  Terminal terminal;
  std::string lines;
  terminal.feed("\x1b]0;" + std::string(5000, 'x'), lines);
  terminal.feed("R1#", lines);
  EXPECT_TRUE(terminal.line().ends_with("R1#"));
}

class HiddenLine : public testing::Test {
 protected:
  std::string after(std::string_view bytes) {
    terminal_.feed("--More--", lines_);
    terminal_.hide_line();
    EXPECT_EQ(terminal_.line(), "");
    terminal_.feed(bytes, lines_);
    return lines_ + "|" + std::string(terminal_.line());
  }
  Terminal terminal_;
  std::string lines_;
};

TEST_F(HiddenLine, IsGoneWithALineFeed) { EXPECT_EQ(after("\r\nx"), "|x"); }
TEST_F(HiddenLine, IsGoneWhenRubbedOut) {
  EXPECT_EQ(after("\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\bx\r\n"), "x\n|");
}
TEST_F(HiddenLine, LeavesABlankLineThatFollows) { EXPECT_EQ(after("\r        \r\r\nx"), "\n|x"); }
TEST_F(HiddenLine, IsGoneWhenDrawnOver) { EXPECT_EQ(after("\rline\r\n"), "line\n|"); }
TEST_F(HiddenLine, IsGoneWhenErased) { EXPECT_EQ(after("\r\x1b[Kab"), "|ab"); }
TEST_F(HiddenLine, StaysHiddenWithABlank) { EXPECT_EQ(after(" "), "|"); }
TEST_F(HiddenLine, IsBackWhenTextGoesOn) { EXPECT_EQ(after(" or not"), "|--More-- or not"); }

TEST_F(HiddenLine, GivesWayToALineOfItsOwn) {
  after("");
  const auto id = terminal_.line_id();
  terminal_.feed("\r\x1b[K", lines_);
  EXPECT_NE(terminal_.line_id(), id);
}

}  // namespace
}  // namespace netfleet

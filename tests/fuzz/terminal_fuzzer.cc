// tests/fuzz: what a terminal makes of any bytes. The first bytes choose the width, the cutting and
// where a pager's mark is hidden; the rest is what the device sends.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "common/check.h"
#include "worker/device/terminal.h"

using netfleet::Terminal;

namespace {

// So many bytes cannot make a line that reaches the terminal's limit: such a line is handed on in
// pieces that do depend on the cutting.
constexpr std::size_t kMaxCompared = 2048;

bool is_plain(std::string_view text) {
  return text.find_first_of(std::string_view("\0\x1b\r\b\a", 5)) == std::string_view::npos;
}

// What comes of it does not depend on how it is cut, but for where the mark is hidden.
std::string show(std::string_view bytes, std::size_t columns, std::size_t chunk,
                 std::size_t hide_at) {
  Terminal terminal(columns);
  std::string lines;
  std::uint64_t id = terminal.line_id();
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t until = at < hide_at ? hide_at : bytes.size();
    const std::string_view piece = bytes.substr(at, std::min(chunk, until - at));
    terminal.feed(piece, lines);
    at += piece.size();
    if (at == hide_at) {
      terminal.hide_line();
      CHECK(terminal.line().find_first_not_of(' ') == std::string_view::npos);
    }
    CHECK(terminal.line_id() >= id);
    id = terminal.line_id();
    CHECK(is_plain(terminal.line()));
  }
  CHECK(is_plain(lines));
  return lines + '|' + std::string(terminal.line());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 3,
                               std::min(size - 3, kMaxCompared));
  const std::size_t columns = data[0] % 4 == 0 ? 511 : data[0] / 4;
  const std::size_t chunk = data[1] % 32 + 1;
  const std::size_t hide_at = data[2] % 2 == 0 ? 0 : data[2] / 2;
  const std::string whole = show(bytes, columns, bytes.size() + 1, hide_at);
  CHECK(whole == show(bytes, columns, chunk, hide_at));

  // A short limit hands long lines on in pieces: nothing is lost of plain text.
  if (bytes.find_first_of(std::string_view("\0\x1b\r\b\a\x7f", 6)) != std::string_view::npos) {
    return 0;
  }
  Terminal narrow(columns, 16);
  std::string lines;
  for (std::size_t at = 0; at < bytes.size(); at += chunk) {
    narrow.feed(bytes.substr(at, chunk), lines);
  }
  std::string expected;
  for (const char c : bytes) {
    if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') expected += c;
  }
  CHECK(lines + std::string(narrow.line()) == expected);
  return 0;
}

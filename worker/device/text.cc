#include "worker/device/text.h"

#include <algorithm>

#include "common/utf8.h"

namespace netfleet {

std::string_view trim_left(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

std::string_view trim_right(std::string_view text) {
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::string_view without_line_feed(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  return line;
}

std::string printable(std::string_view text, std::size_t characters) {
  std::string result = to_utf8(trim_right(text.substr(0, characters * 4)));
  std::replace_if(
      result.begin(), result.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  std::size_t at = 0;
  while (at < result.size() && characters-- > 0) {
    ++at;
    while (at < result.size() && (static_cast<unsigned char>(result[at]) & 0xc0) == 0x80) ++at;
  }
  result.resize(at);
  return result;
}

}  // namespace netfleet

// dispatcher/output: text from devices and files that must not steer a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace netfleet {

// How many of the first bytes are such that `is_plain` holds. In blocks, which compilers turn into
// vector instructions: outputs are large and nearly all plain.
template <typename IsPlain>
std::size_t prefix_length(std::string_view bytes, IsPlain is_plain) {
  constexpr std::size_t kBlock = 16;
  std::size_t length = 0;
  for (; length + kBlock <= bytes.size(); length += kBlock) {
    unsigned char others = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
      others |= static_cast<unsigned char>(!is_plain(bytes[length + i]));
    }
    if (others != 0) break;
  }
  while (length < bytes.size() && is_plain(bytes[length])) ++length;
  return length;
}

// Appends `bytes` as valid UTF-8 without control characters: "^[" for ESC, "^M" for CR, U+FFFD for
// the eight-bit ones and for invalid bytes. Tabs and line ends stay.
void append_visible(std::string& out, std::string_view bytes);

// The same on one line: tabs and line ends become blanks.
std::string one_line(std::string_view bytes);

}  // namespace netfleet

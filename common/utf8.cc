#include "common/utf8.h"

#include <algorithm>
#include <cstdint>

namespace netfleet {
namespace {

// Length of the valid sequence at `text`, or 0 and in `bad` how many bytes to replace by one U+FFFD
// (Unicode 15, 3.9, "maximal subpart").
std::size_t sequence_at(std::string_view text, std::size_t& bad) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  bad = 1;
  if (lead < 0x80) return 1;
  std::size_t length = 0;
  std::uint8_t low = 0x80, high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  } else {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if (i >= text.size() || byte(i) < low || byte(i) > high) {
      bad = i;
      return 0;
    }
    low = 0x80;
    high = 0xBF;
  }
  return length;
}

}  // namespace

std::size_t character_size(std::string_view bytes) {
  std::size_t bad = 0;
  return bytes.empty() ? 0 : sequence_at(bytes, bad);
}

std::string to_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    std::size_t bad = 1;
    if (const std::size_t good = sequence_at(bytes, bad); good > 0) {
      out.append(bytes.substr(0, good));
      bytes.remove_prefix(good);
    } else {
      out.append("\xEF\xBF\xBD");
      bytes.remove_prefix(std::min(bad, bytes.size()));
    }
  }
  return out;
}

}  // namespace netfleet

// common: the patterns of ssh_config and of known hosts: '*' any bytes, '?' one byte, nothing else.
// No pattern makes it slow. Not for the inventory's limits, which know sets too
// (dispatcher/inventory/glob.h).
#pragma once

#include <cstddef>
#include <string_view>

namespace netfleet {

// Whether all of `text` matches.
inline bool wildcard_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace netfleet

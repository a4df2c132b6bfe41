#include "worker/device/volatile_mask.h"

#include <algorithm>

namespace netfleet {
namespace {

void append_masked(std::string& out, std::string_view line, const std::vector<Pattern>& patterns) {
  for (const Pattern& pattern : patterns) {
    const auto found = pattern.find(line);
    if (!found || found->begin == found->end) continue;
    out.append(line, 0, found->begin).append("*").append(line.substr(found->end));
    return;
  }
  out.append(line);
}

}  // namespace

std::string mask_volatile(std::string_view text, const std::vector<Pattern>& patterns) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    append_masked(out, text.substr(0, end), patterns);
    if (end < text.size()) out.push_back('\n');
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace netfleet

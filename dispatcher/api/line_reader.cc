#include "dispatcher/api/line_reader.h"

#include <fmt/format.h>

namespace netfleet {

Expected<bool> LineReader::read(std::string_view bytes, const Visit& visit) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    if (line_.size() + part.size() > longest_) {
      return fail(fmt::format("a line is longer than {} bytes", longest_));
    }
    if (end == std::string_view::npos) {
      line_.append(part);
      return true;
    }
    bytes.remove_prefix(end + 1);
    bool more = true;
    if (line_.empty()) {
      more = part.empty() || visit(part);
    } else {
      line_.append(part);
      more = visit(line_);
      line_.clear();
    }
    if (!more) return false;
  }
  return true;
}

}  // namespace netfleet

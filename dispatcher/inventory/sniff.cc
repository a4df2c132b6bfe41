// dispatcher/inventory: what kind of file is this?
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "dispatcher/inventory/parsers.h"

namespace netfleet {
namespace {

// The first line that is neither blank nor a comment.
std::string_view first_line(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin != std::string_view::npos && line[begin] != '#') return line;
  }
  return {};
}

bool has_hosts_key(std::string_view text) {
  constexpr std::string_view kKey = "hosts:";
  for (std::size_t at = text.find(kKey); at != std::string_view::npos;
       at = text.find(kKey, at + 1)) {
    if (at != 0 && text[at - 1] != '\n') continue;
    const std::string_view rest = text.substr(at + kKey.size());
    // "hosts:22" is a host called hosts.
    if (rest.empty() || rest.find_first_of(" \t\r\n") == 0) return true;
  }
  return false;
}

}  // namespace

InventoryFormat sniff_format(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const std::string_view line = first_line(text);
  if (is_csv_header(line)) return InventoryFormat::kCsv;
  if (line.starts_with("---") || has_hosts_key(text)) return InventoryFormat::kYaml;
  return InventoryFormat::kText;
}

Expected<void> strip_bom(std::string_view& text, const std::string& source) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return fail(fmt::format("read inventory {}: it is UTF-16; save it as UTF-8", source));
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const std::size_t nul = text.find('\0');
  if (nul != std::string_view::npos) {
    const auto line = std::ranges::count(text.substr(0, nul), '\n') + 1;
    return fail(fmt::format("{}:{}: the inventory is no text: it holds a NUL byte", source, line));
  }
  return {};
}

}  // namespace netfleet

#include "dispatcher/output/table.h"

#include <algorithm>

#include "dispatcher/output/visible.h"

namespace netfleet {
namespace {

// Characters, as far as a terminal shows each in one column.
std::size_t width_of(const std::string& cell) {
  return static_cast<std::size_t>(
      std::ranges::count_if(cell, [](char byte) { return (byte & 0xC0) != 0x80; }));
}

}  // namespace

std::string render_table(const std::vector<std::vector<std::string>>& rows,
                         const std::vector<Align>& columns) {
  std::vector<std::vector<std::string>> safe = rows;
  std::vector<std::size_t> widths(columns.size());
  for (auto& row : safe) {
    row.resize(columns.size());
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = one_line(row[i]);
      widths[i] = std::max(widths[i], width_of(row[i]));
    }
  }
  std::string text;
  for (const auto& row : safe) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string blanks(widths[i] - width_of(row[i]), ' ');
      line += columns[i] == Align::kLeft ? row[i] + blanks : blanks + row[i];
      line += "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

}  // namespace netfleet

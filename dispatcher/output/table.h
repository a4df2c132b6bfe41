// dispatcher/output: rows of words under each other. Formatting only.
#pragma once

#include <string>
#include <vector>

namespace netfleet {

enum class Align : unsigned char { kLeft, kRight };

// The first row are the names of the columns. Cells are made safe for a terminal (visible.h).
std::string render_table(const std::vector<std::vector<std::string>>& rows,
                         const std::vector<Align>& columns);

}  // namespace netfleet

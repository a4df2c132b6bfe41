// worker/device: the way from one CLI mode to another, over the moves of a platform's file. Pure.
#pragma once

#include <string>
#include <vector>

#include "common/error.h"
#include "worker/device/platform.h"

namespace netfleet {

// The first mode of the file that this prompt, under this line, belongs to; nullptr: none.
const Platform::Mode* find_mode(const Platform& platform, std::string_view prompt,
                                std::string_view line_above);

// The fewest moves that lead there, in order; none when it is the same mode. The error names the
// platform's modes, or says that none of its moves leads there. The moves live as long as the
// platform.
Expected<std::vector<const Platform::Move*>> find_way(const Platform& platform,
                                                      const std::string& from,
                                                      const std::string& to);

}  // namespace netfleet

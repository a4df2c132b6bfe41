// worker/device: what in an output says nothing of the device, since it changes by itself: clocks,
// uptimes, the time of the last change. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "worker/device/pattern.h"

namespace netfleet {

// `text` with "*" in place of what the first of `patterns` that fits a line matches in it. As many
// lines as before.
std::string mask_volatile(std::string_view text, const std::vector<Pattern>& patterns);

}  // namespace netfleet

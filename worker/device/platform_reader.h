// worker/device: reads platform files (YAML) into Platform values. The room's only user of yaml-cpp
// and of the file system; PlatformSet::add_directory lives here too.
#pragma once

#include <string>
#include <string_view>

#include "common/error.h"
#include "worker/device/platform.h"

namespace netfleet {

// One platform a file. The error has a line for each thing that is wrong, in order: "file:line:
// ...". Unknown and repeated keys are wrong, as is a pattern that does not compile.
Expected<Platform> parse_platform(const std::string& text, const std::string& file);

}  // namespace netfleet

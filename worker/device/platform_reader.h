// worker/device: reads platform files (YAML) into Platform values. The room's only user of yaml-cpp
// and of the file system; PlatformSet::builtin and add_directory live here too.
#pragma once

#include <string>
#include <string_view>

#include "common/error.h"
#include "worker/device/platform.h"

namespace netfleet {

// One platform a file. `file` is the name in errors, which start with "file:line: ". Unknown and
// repeated keys are errors, as is a pattern that does not compile.
Expected<Platform> parse_platform(const std::string& text, const std::string& file);

}  // namespace netfleet

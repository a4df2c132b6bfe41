// worker/device: a platform as bytes, as the build puts it into the programs: what a start reads
// instead of YAML. Written and read by one build: no format to keep.
#pragma once

#include <string>
#include <string_view>

#include "worker/device/platform.h"

namespace netfleet {

// All that the platform says; two platforms with the same image are the same.
std::string platform_image(const Platform& platform);
// `image` must be one; its expressions are compiled when they are first needed.
Platform platform_of_image(std::string_view image);

}  // namespace netfleet

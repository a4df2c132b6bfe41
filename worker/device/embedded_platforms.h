// worker/device: the platform files as the build put them into the binary, read and proven
// (worker/embed writes the source file).
#pragma once

#include <span>
#include <string_view>

namespace netfleet {

struct EmbeddedPlatform {
  std::string_view name;
  std::string_view aliases;  // with a blank between two
  std::string_view image;    // platform_image.h
};

std::span<const EmbeddedPlatform> embedded_platforms();

}  // namespace netfleet

// worker/device: the platform files as the build put them into the binary
// (scripts/cmake/embed.cmake writes the source file). Text only; platform_reader.cc reads it.
#pragma once

#include <span>

namespace netfleet {

struct EmbeddedFile {
  const char* name;  // "cisco_ios.yaml"
  const char* text;
};

std::span<const EmbeddedFile> embedded_platforms();

}  // namespace netfleet

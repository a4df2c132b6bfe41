// worker/device: the platform files as the build put them into the binary
// (scripts/cmake/embed.cmake writes the source file). Text only; platform_reader.cc reads it.
#pragma once

#include <span>

namespace netfleet {

struct EmbeddedPlatform {
  const char* file;     // "cisco_ios.yaml"
  const char* name;     // as the file has it, known without reading it: "cisco_ios"
  const char* aliases;  // the same, with a blank between two: "ios"
  const char* text;
};

std::span<const EmbeddedPlatform> embedded_platforms();

}  // namespace netfleet

// embed_platforms OUTPUT FILE...: a tool of the build. Reads platform files, all that is wrong with
// them is an error, and writes what they say as the C++ source behind embedded_platforms.h.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

#include "worker/device/platform_image.h"
#include "worker/device/platform_reader.h"

namespace netfleet {
namespace {

// Octal, for a hexadecimal escape would go on with the text behind it.
std::string literal(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const bool plain = c >= ' ' && c <= '~' && c != '"' && c != '\\' && c != '?';
    text += plain ? std::string(1, c) : fmt::format("\\{:03o}", static_cast<unsigned char>(c));
  }
  return fmt::format("std::string_view(\"{}\", {})", text, bytes.size());
}

int embed(const std::string& output, std::span<const char* const> files) {
  std::string rows;
  int wrong = 0;
  for (const char* const file : files) {
    std::ifstream in(file, std::ios::binary);
    const std::string yaml{std::istreambuf_iterator<char>(in), {}};
    const auto platform = parse_platform(yaml, file);
    if (!platform) {
      std::fprintf(stderr, "%s\n", platform.error().message.c_str());
      ++wrong;
      continue;
    }
    rows += fmt::format("    {{\"{}\", \"{}\",\n     {}}},\n", platform->name,
                        fmt::join(platform->aliases, " "), literal(platform_image(*platform)));
  }
  if (wrong != 0) return 1;
  std::ofstream out(output, std::ios::binary);
  out << "// Written by embed_platforms.\n#include \"worker/device/embedded_platforms.h\"\n\n"
         "namespace netfleet {\nnamespace {\nconstexpr EmbeddedPlatform kPlatforms[] = {\n"
      << rows
      << "};\n}  // namespace\n"
         "std::span<const EmbeddedPlatform> embedded_platforms() { return kPlatforms; }\n"
         "}  // namespace netfleet\n";
  out.close();
  if (out) return 0;
  std::fprintf(stderr, "embed_platforms: %s cannot be written\n", output.c_str());
  return 1;
}

}  // namespace
}  // namespace netfleet

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: embed_platforms OUTPUT FILE...\n");
    return 2;
  }
  return netfleet::embed(argv[1], {argv + 2, argv + argc});
}

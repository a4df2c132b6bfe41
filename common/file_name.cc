#include "common/file_name.h"

#include <fmt/format.h>

#include <cstdint>

namespace netfleet {
namespace {

// Longer names are cut; file systems take 255 bytes, with an ending and the mark of a cut name.
constexpr std::size_t kLongestName = 180;

// FNV-1a: only has to tell the few names apart that begin alike for so many bytes.
std::uint64_t name_hash(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : name) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

}  // namespace

std::string file_name_of(std::string_view host) {
  std::string name;
  for (const char byte : host) {
    const auto code = static_cast<unsigned char>(byte);
    if (byte == '/' || byte == '%' || code < 0x20 || code == 0x7f ||
        (byte == '.' && name.empty())) {
      name += fmt::format("%{:02X}", code);
    } else {
      name.push_back(byte);
    }
  }
  if (name.empty()) name = "%";
  if (name.size() > kLongestName) {
    name = fmt::format("{}%~{:016x}", name.substr(0, kLongestName), name_hash(host));
  }
  return name;
}

}  // namespace netfleet

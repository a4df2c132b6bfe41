#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/check.h"
#include "worker/device/embedded_platforms.h"
#include "worker/device/platform.h"
#include "worker/device/platform_image.h"

namespace netfleet {
namespace {

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

}  // namespace

const PlatformSet& PlatformSet::builtin() {
  static const PlatformSet set = [] {
    PlatformSet result;
    for (const EmbeddedPlatform& embedded : embedded_platforms()) {
      Entry entry{std::string(embedded.name),
                  std::make_shared<const Lazy<Platform>>(
                      [image = embedded.image] { return platform_of_image(image); })};
      CHECK(result.add(std::move(entry), words(embedded.aliases)).has_value());
    }
    return result;
  }();
  return set;
}

}  // namespace netfleet

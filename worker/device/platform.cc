#include "worker/device/platform.h"

#include <fmt/format.h>

namespace netfleet {

Expected<void> PlatformSet::add(Platform platform) {
  const auto added = std::make_shared<const Platform>(std::move(platform));
  std::vector<std::string> keys = added->aliases;
  keys.push_back(added->name);
  for (const std::string& key : keys) {
    const Platform* const taken = find(key);
    if (taken != nullptr && taken->name != added->name) {
      return fail(fmt::format("platform {}: the name {} belongs to platform {}", added->name, key,
                              taken->name));
    }
  }
  std::erase_if(by_name_, [&](const auto& entry) { return entry.second->name == added->name; });
  for (std::string& key : keys) by_name_.insert_or_assign(std::move(key), added);
  return {};
}

const Platform* PlatformSet::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second.get();
}

std::vector<std::string> PlatformSet::names() const {
  std::vector<std::string> names;
  for (const auto& [key, platform] : by_name_) {
    if (key == platform->name) names.push_back(key);
  }
  return names;
}

std::vector<const Platform*> PlatformSet::all() const {
  std::vector<const Platform*> all;
  for (const auto& [key, platform] : by_name_) {
    if (key == platform->name) all.push_back(platform.get());
  }
  return all;
}

}  // namespace netfleet

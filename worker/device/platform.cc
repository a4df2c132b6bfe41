#include "worker/device/platform.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace netfleet {

Expected<void> PlatformSet::add(Platform platform) {
  Entry entry{platform.name, nullptr};
  std::vector<std::string> aliases = platform.aliases;
  entry.platform = std::make_shared<const Lazy<Platform>>(
      [platform = std::move(platform)]() mutable { return std::move(platform); });
  return add(std::move(entry), std::move(aliases));
}

Expected<void> PlatformSet::add(Entry entry, std::vector<std::string> aliases) {
  std::vector<std::string> keys = std::move(aliases);
  keys.push_back(entry.name);
  for (const std::string& key : keys) {
    const auto taken = by_name_.find(key);
    if (taken != by_name_.end() && taken->second.name != entry.name) {
      return fail(fmt::format("platform {}: the name {} belongs to platform {}", entry.name, key,
                              taken->second.name));
    }
  }
  std::erase_if(by_name_, [&](const auto& known) { return known.second.name == entry.name; });
  for (std::string& key : keys) by_name_.insert_or_assign(std::move(key), entry);
  return {};
}

const Platform* PlatformSet::find(const std::string& name) const {
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    return &found->second.platform->get();
  }
  for (const std::string_view transport : {"_ssh", "_telnet", "_serial"}) {
    if (!name.ends_with(transport)) continue;
    const auto found =
        by_name_.find(std::string_view(name).substr(0, name.size() - transport.size()));
    if (found != by_name_.end()) return &found->second.platform->get();
  }
  return nullptr;
}

std::vector<std::string> PlatformSet::names() const {
  std::vector<std::string> names;
  for (const auto& [key, entry] : by_name_) {
    if (key == entry.name) names.push_back(key);
  }
  return names;
}

std::vector<const Platform*> PlatformSet::all() const {
  std::vector<const Platform*> all;
  for (const auto& [key, entry] : by_name_) {
    if (key == entry.name) all.push_back(&entry.platform->get());
  }
  return all;
}

}  // namespace netfleet

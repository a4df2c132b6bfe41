// dispatcher/inventory: which host is under which limits. Pure.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "common/problems.h"
#include "dispatcher/inventory/limit_lists.h"

namespace netfleet {
namespace {

using Numbers = std::vector<std::uint16_t>;

// The limits of groups or of regions, by the name of what they belong to.
class ByName {
 public:
  void add(const std::string& name, std::uint16_t limit) {
    if (!name.empty()) limits_[name].push_back(limit);
  }
  bool empty() const { return limits_.empty(); }
  void collect(std::string_view name, Numbers& into) const {
    const auto found = limits_.find(name);
    if (found != limits_.end()) into.insert(into.end(), found->second.begin(), found->second.end());
  }

 private:
  std::map<std::string, Numbers, std::less<>> limits_;
};

class Resolution {
 public:
  explicit Resolution(Inventory& inventory) : inventory_(inventory) {}

  Expected<void> resolve() {
    if (inventory_.limits.size() > kMaxLimits) {
      return fail(fmt::format("more than {} limits", kMaxLimits));
    }
    if (auto known = resolve_names(); !known) return known;
    for (Host& host : inventory_.hosts) {
      auto list = list_of(host);
      if (!list) return std::unexpected(list.error());
      host.limits = *list;
    }
    inventory_.limit_lists = lists_.take_lists();
    inventory_.limit_references.clear();
    warn_unused();
    return {};
  }

 private:
  // Numbers of names become numbers of limits.
  Expected<void> resolve_names() {
    std::map<std::string_view, std::uint16_t> by_name;
    for (std::uint16_t i = 0; i < inventory_.limits.size(); ++i) {
      const NamedLimit& limit = inventory_.limits[i];
      by_name.emplace(limit.name, i);
      groups_.add(limit.group, i);
      regions_.add(limit.region, i);
      if (limit.everybody) everybody_.push_back(i);
    }
    std::string unknown;
    Numbers numbers;
    for (const LimitReference& reference : inventory_.limit_references) {
      const auto found = by_name.find(reference.name);
      numbers.push_back(found == by_name.end() ? 0 : found->second);
      if (found != by_name.end()) continue;
      unknown += fmt::format("{}{}: unknown limit '{}'{}", unknown.empty() ? "" : "\n",
                             reference.place, shown(reference.name), near(reference.name));
    }
    if (!unknown.empty()) return fail(std::move(unknown));
    listed_ = inventory_.limit_lists;
    for (Numbers& list : listed_) {
      for (std::uint16_t& number : list) number = numbers[number];
      list.insert(list.end(), everybody_.begin(), everybody_.end());
    }
    return {};
  }

  std::string near(std::string_view name) const {
    for (const NamedLimit& limit : inventory_.limits) {
      if (is_near(name, limit.name)) return fmt::format(", did you mean '{}'?", shown(limit.name));
    }
    return inventory_.limits.empty() ? " (no limits are given: 'limits:' beside 'hosts:')" : "";
  }

  Expected<std::uint16_t> list_of(const Host& host) {
    Numbers numbers = listed_[host.limits];
    if (!groups_.empty()) {
      for (const std::string& group : host.groups) groups_.collect(group, numbers);
    }
    if (!regions_.empty()) regions_.collect(host.region, numbers);
    return lists_.list(std::move(numbers));
  }

  void warn_unused() {
    std::vector<bool> used(inventory_.limits.size());
    for (const Numbers& list : inventory_.limit_lists) {
      for (const std::uint16_t limit : list) used[limit] = true;
    }
    for (std::size_t i = 0; i < used.size(); ++i) {
      const NamedLimit& limit = inventory_.limits[i];
      if (used[i] || !limit.jump.empty()) continue;
      inventory_.warnings.push_back(
          fmt::format("{}: no host is under limit '{}'", limit.place, shown(limit.name)));
    }
  }

  Inventory& inventory_;
  ByName groups_, regions_;
  Numbers everybody_;
  std::vector<Numbers> listed_;  // by Host::limits as read
  LimitLists lists_;
};

}  // namespace

std::uint32_t default_burst(double logins_per_second) {
  return std::max(1u, static_cast<std::uint32_t>(std::ceil(logins_per_second / 10)));
}

Expected<void> resolve_limits(Inventory& inventory) {
  if (inventory.limits.empty() && inventory.limit_references.empty()) return {};
  return Resolution(inventory).resolve();
}

}  // namespace netfleet

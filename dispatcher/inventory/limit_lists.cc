#include "dispatcher/inventory/limit_lists.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/host_text.h"

namespace netfleet {

Expected<std::uint16_t> LimitLists::name(std::string_view name, std::string_view source,
                                         std::size_t line) {
  if (const auto known = by_name_.find(name); known != by_name_.end()) return known->second;
  if (const auto checked = check_label(name, "limit"); !checked) {
    return std::unexpected(checked.error());
  }
  if (references_.size() == kMaxLimits) return fail(fmt::format("more than {} limits", kMaxLimits));
  const auto number = static_cast<std::uint16_t>(references_.size());
  references_.push_back({std::string(name), fmt::format("{}:{}", source, line)});
  by_name_.emplace(name, number);
  return number;
}

Expected<std::uint16_t> LimitLists::list(std::vector<std::uint16_t> numbers) {
  std::ranges::sort(numbers);
  const auto repeated = std::ranges::unique(numbers);
  numbers.erase(repeated.begin(), repeated.end());
  if (const auto known = by_list_.find(numbers); known != by_list_.end()) return known->second;
  if (lists_.size() == kMaxLimitLists) {
    return fail(fmt::format("more than {} different lists of limits", kMaxLimitLists));
  }
  const auto number = static_cast<std::uint16_t>(lists_.size());
  lists_.push_back(numbers);
  by_list_.emplace(std::move(numbers), number);
  return number;
}

}  // namespace netfleet

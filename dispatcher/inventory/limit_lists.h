// dispatcher/inventory: the limits that hosts list, each name and each distinct list once: a
// million hosts share a few lists. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "dispatcher/inventory/inventory.h"

namespace netfleet {

inline constexpr std::size_t kMaxLimits = 1000;
inline constexpr std::size_t kMaxLimitLists = 10'000;

// One thread.
class LimitLists {
 public:
  LimitLists() = default;
  // Goes on with lists that were made before.
  explicit LimitLists(std::vector<std::vector<std::uint16_t>> lists) : lists_(std::move(lists)) {
    for (std::size_t i = 0; i < lists_.size(); ++i) {
      by_list_.emplace(lists_[i], static_cast<std::uint16_t>(i));
    }
  }

  // The number of a name, which is read at source:line. The error: it cannot be one, or there are
  // too many.
  Expected<std::uint16_t> name(std::string_view name, std::string_view source, std::size_t line);
  // The number of a list, in any order; 0 for the empty one. An error when there are too many.
  Expected<std::uint16_t> list(std::vector<std::uint16_t> numbers);
  const std::vector<std::uint16_t>& at(std::uint16_t number) const { return lists_[number]; }

  // What was collected, for Inventory.
  std::vector<LimitReference> take_references() { return std::move(references_); }
  std::vector<std::vector<std::uint16_t>> take_lists() { return std::move(lists_); }

 private:
  std::vector<LimitReference> references_;
  std::map<std::string, std::uint16_t, std::less<>> by_name_;
  std::vector<std::vector<std::uint16_t>> lists_{{}};
  std::map<std::vector<std::uint16_t>, std::uint16_t> by_list_{{{}, 0}};
};

}  // namespace netfleet

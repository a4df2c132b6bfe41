// dispatcher/inventory: finds hosts by name. A table of positions beside the hosts themselves,
// since a million entries of std::unordered_map cost more than reading the file does.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "dispatcher/inventory/inventory.h"

namespace netfleet {

// Open addressing over positions in `hosts`, which the caller only appends to. One thread.
class NameTable {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  explicit NameTable(const std::vector<Host>& hosts) : hosts_(hosts) {
    slots_.assign(64, kNone);
    for (std::uint32_t i = 0; i < hosts.size(); ++i) add(i);
  }

  // The position of the host called `name`, or kNone.
  std::uint32_t find(std::string_view name) const { return slots_[slot_of(name)]; }

  // hosts[position] was just appended; its name is not in the table yet.
  void add(std::uint32_t position) {
    if ((used_ + 1) * 2 > slots_.size()) grow();
    slots_[slot_of(hosts_[position].name)] = position;
    ++used_;
  }

 private:
  std::size_t slot_of(std::string_view name) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = std::hash<std::string_view>{}(name)&mask;
    while (slots_[slot] != kNone && hosts_[slots_[slot]].name != name) slot = (slot + 1) & mask;
    return slot;
  }

  void grow() {
    std::vector<std::uint32_t> old(slots_.size() * 4, kNone);
    old.swap(slots_);
    for (const std::uint32_t position : old) {
      if (position != kNone) slots_[slot_of(hosts_[position].name)] = position;
    }
  }

  const std::vector<Host>& hosts_;
  std::vector<std::uint32_t> slots_;  // a power of two
  std::size_t used_ = 0;
};

}  // namespace netfleet

// dispatcher/inventory: finds hosts by name. A table of positions beside the hosts themselves,
// since a million entries of std::unordered_map cost more than reading the file does.
#pragma once

#include <algorithm>
#include <bit>
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
    resize(hosts.size());
    for (std::uint32_t i = 0; i < hosts.size(); ++i) add(i);
  }

  // Makes room for `count` hosts at once.
  void reserve(std::size_t count) {
    if (count * 2 > slots_.size()) resize(count);
  }

  // The position of the host called `name`, or kNone.
  std::uint32_t find(std::string_view name) const { return slots_[slot_of(name)].position; }

  // hosts[position] was just appended; its name is not in the table yet.
  void add(std::uint32_t position) {
    if ((used_ + 1) * 2 > slots_.size()) resize(used_ * 2);
    const std::string_view name = hosts_[position].name;
    slots_[slot_of(name)] = {position, hash_of(name)};
    ++used_;
  }

 private:
  struct Slot {
    std::uint32_t position = kNone;
    std::uint32_t hash = 0;  // spares a look at the host, which is in no cache
  };

  static std::uint32_t hash_of(std::string_view name) {
    return static_cast<std::uint32_t>(std::hash<std::string_view>{}(name));
  }

  std::size_t slot_of(std::string_view name) const {
    const std::uint32_t hash = hash_of(name);
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = hash & mask;
    while (slots_[slot].position != kNone &&
           (slots_[slot].hash != hash || hosts_[slots_[slot].position].name != name)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  void resize(std::size_t count) {
    std::vector<Slot> old(std::bit_ceil(std::max<std::size_t>(64, count * 2 + 2)));
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.position == kNone) continue;
      std::size_t at = slot.hash & (slots_.size() - 1);
      while (slots_[at].position != kNone) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = slot;
    }
  }

  const std::vector<Host>& hosts_;
  std::vector<Slot> slots_;  // a power of two
  std::size_t used_ = 0;
};

}  // namespace netfleet

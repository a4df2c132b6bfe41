// dispatcher/output: the order buffer. Pure: it keeps indexes, never bodies.
#pragma once

#include <cstdint>
#include <vector>

namespace netfleet {

enum class OutputOrder : std::uint8_t { kInventory, kCompletion };

// Says which results may be shown now. One bit a task of memory.
class Order {
 public:
  Order(OutputOrder order, std::uint32_t total);
  // Result `index` is there now (each index once). Returns the indexes that may be shown, in order.
  std::vector<std::uint32_t> arrived(std::uint32_t index);
  // Gives the order up: returns what is there and was not shown, in order; from now on every result
  // may be shown when it arrives. For the end of a sweep that has gaps.
  std::vector<std::uint32_t> release();
  bool complete() const { return shown_ == total_; }

 private:
  OutputOrder order_;
  std::uint32_t total_;
  std::uint32_t next_ = 0;  // inventory order: all before it have been shown
  std::uint32_t shown_ = 0;
  std::vector<bool> here_;
};

}  // namespace netfleet

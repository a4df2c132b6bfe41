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
  bool complete() const { return shown_ == total_; }
  // The first index that has not been shown.
  std::uint32_t next() const { return next_; }

 private:
  OutputOrder order_;
  std::uint32_t total_;
  std::uint32_t next_ = 0;
  std::uint32_t shown_ = 0;
  std::vector<bool> here_;
};

}  // namespace netfleet

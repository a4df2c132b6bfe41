#include "dispatcher/output/order.h"

#include "common/check.h"

namespace netfleet {

Order::Order(OutputOrder order, std::uint32_t total) : order_(order), total_(total), here_(total) {}

std::vector<std::uint32_t> Order::arrived(std::uint32_t index) {
  CHECK(index < total_ && !here_[index]);
  here_[index] = true;
  std::vector<std::uint32_t> shown;
  if (order_ == OutputOrder::kCompletion) {
    shown.push_back(index);
  } else {
    while (next_ < total_ && here_[next_]) shown.push_back(next_++);
  }
  shown_ += static_cast<std::uint32_t>(shown.size());
  return shown;
}

std::vector<std::uint32_t> Order::release() {
  std::vector<std::uint32_t> shown;
  if (order_ == OutputOrder::kInventory) {
    for (std::uint32_t index = next_; index < total_; ++index) {
      if (here_[index]) shown.push_back(index);
    }
  }
  order_ = OutputOrder::kCompletion;
  shown_ += static_cast<std::uint32_t>(shown.size());
  return shown;
}

}  // namespace netfleet

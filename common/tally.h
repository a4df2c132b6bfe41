// common: a sum that several threads add to, to tell when it is worth changing how something is
// done.
#pragma once

#include <atomic>
#include <cstddef>

namespace netfleet {

class Tally {
 public:
  // Whether the sum and `amount` come to `limit`; only if not, `amount` is added.
  bool reaches(std::size_t limit, std::size_t amount) {
    if (sum_.load(std::memory_order_relaxed) + amount >= limit) return true;
    sum_.fetch_add(amount, std::memory_order_relaxed);
    return false;
  }

 private:
  std::atomic<std::size_t> sum_ = 0;
};

}  // namespace netfleet

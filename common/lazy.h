// common: a value that is made when it is first asked for, and then for good: by whichever thread
// comes first, while the others wait for it. For what is dear to make and mostly never needed.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

namespace netfleet {

template <typename T>
class Lazy {
 public:
  // `make` is called at most once, and must not ask for this value.
  explicit Lazy(std::move_only_function<T()> make) : make_(std::move(make)) {}
  Lazy(const Lazy&) = delete;
  Lazy& operator=(const Lazy&) = delete;

  const T& get() const {
    if (const T* const made = made_.load(std::memory_order_acquire)) return *made;
    std::call_once(once_, [this] {
      value_.emplace(std::exchange(make_, nullptr)());
      made_.store(&*value_, std::memory_order_release);
    });
    return *value_;
  }

 private:
  mutable std::move_only_function<T()> make_;
  mutable std::once_flag once_;
  mutable std::optional<T> value_;
  mutable std::atomic<const T*> made_ = nullptr;
};

}  // namespace netfleet

// tests/simulation: true time and what happens in it, in order. No process sees this time: each has
// a clock of its own (process.h).
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "common/clock.h"

namespace netfleet::simulation {

class EventLoop {
 public:
  using Happening = std::function<void()>;

  Nanoseconds now() const { return now_; }
  // Not before now; those of one time happen in the order of adding.
  void at(Nanoseconds time, Happening happening) {
    heap_.push_back({std::max(time, now_), ++added_, std::move(happening)});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  void after(Nanoseconds delay, Happening happening) { at(now_ + delay, std::move(happening)); }
  // Makes the next one happen; false when there is none before `end`: then it is `end` now.
  bool step(Nanoseconds end) {
    if (heap_.empty() || heap_.front().time > end) {
      now_ = end;
      return false;
    }
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Event event = std::move(heap_.back());
    heap_.pop_back();
    now_ = event.time;
    event.happening();
    return true;
  }

 private:
  struct Event {
    Nanoseconds time;
    std::uint64_t number;
    Happening happening;
  };
  static bool later(const Event& left, const Event& right) {
    return left.time != right.time ? left.time > right.time : left.number > right.number;
  }
  std::vector<Event> heap_;
  Nanoseconds now_{0};
  std::uint64_t added_ = 0;
};

}  // namespace netfleet::simulation

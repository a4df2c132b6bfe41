#include "dispatcher/serve/clerks.h"

#include <utility>

#include "common/blocked_signals.h"

namespace netfleet {

Clerks::Clerks(unsigned threads) {
  const BlockedSignals blocked(all_signals());
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

Clerks::~Clerks() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  work_.notify_all();
}

void Clerks::add(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
    ++undone_;
  }
  work_.notify_one();
}

void Clerks::wait(std::chrono::seconds longest) {
  std::unique_lock lock(mutex_);
  done_.wait_for(lock, longest, [this] { return undone_ == 0; });
}

void Clerks::run() {
  while (true) {
    std::function<void()> work;
    {
      std::unique_lock lock(mutex_);
      work_.wait(lock, [this] { return over_ || !queue_.empty(); });
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
    const std::lock_guard lock(mutex_);
    --undone_;
    done_.notify_all();
  }
}

}  // namespace netfleet

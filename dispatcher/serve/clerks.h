// dispatcher/serve: a few threads for what may take time: reading inventories, disks, telling
// people. Work waits in a queue; each piece has its own deadlines.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace netfleet {

// For any thread.
class Clerks {
 public:
  explicit Clerks(unsigned threads);
  ~Clerks();  // finishes what is queued
  Clerks(const Clerks&) = delete;
  Clerks& operator=(const Clerks&) = delete;

  void add(std::function<void()> work);
  // Until all that was added is done, or for so long.
  void wait(std::chrono::seconds longest);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<std::function<void()>> queue_;  // guarded by mutex_
  std::size_t undone_ = 0;                   // of what was added; guarded by mutex_
  std::condition_variable done_;
  bool over_ = false;  // guarded by mutex_
  std::vector<std::jthread> threads_;
};

}  // namespace netfleet

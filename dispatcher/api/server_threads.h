// dispatcher/api: the server's threads: one accepts connections, the others serve one at a time
// each. Not for what is said on a connection.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "dispatcher/api/descriptor.h"
#include "dispatcher/api/stopping.h"

namespace netfleet {

class ServerThreads {
 public:
  struct Work {
    std::function<void(ApiDescriptor)> serve;          // never throws
    std::function<void(ApiDescriptor)> refuse;         // too many at once; at once, too
    std::function<void(const std::string&)> complain;  // connections cannot be accepted
  };
  // At most `count` are served at once, as many again wait. `stopping` outlives it.
  ServerThreads(ApiDescriptor listening, std::uint32_t count, Work work, const Stopping& stopping);
  // After `stopping` has begun.
  ~ServerThreads();
  ServerThreads(const ServerThreads&) = delete;
  ServerThreads& operator=(const ServerThreads&) = delete;

 private:
  void accept_all();
  void accept_ready(bool& complained);
  void serve_some();

  const ApiDescriptor listening_;
  const std::uint32_t count_;
  const Work work_;
  const Stopping& stopping_;
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<ApiDescriptor> waiting_;  // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace netfleet

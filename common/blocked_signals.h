// common: a scope without signals. Threads that are started in it never see those; elsewhere they
// wait for its end.
#pragma once

#include <pthread.h>
#include <signal.h>

#include "common/check.h"

namespace netfleet {

inline sigset_t all_signals() {
  sigset_t signals;
  sigfillset(&signals);
  return signals;
}

// For the thread that makes it, as long as it lives.
class BlockedSignals {
 public:
  explicit BlockedSignals(const sigset_t& signals) {
    CHECK(pthread_sigmask(SIG_BLOCK, &signals, &before_) == 0);
  }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace netfleet

// worker/ssh: whether a jump host may be used now. No input or output: time is passed in.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "common/clock.h"

namespace netfleet::ssh {

// The limits of one session thread for each jump host.
struct JumpLimits {
  Nanoseconds connect = std::chrono::seconds(10);  // name, TCP, key exchange
  Nanoseconds login = std::chrono::seconds(30);
  Nanoseconds idle = std::chrono::seconds(30);       // without a stream, then it is closed
  Nanoseconds keepalive = std::chrono::seconds(15);  // of silence, then it is asked
  // After a failure: doubled each time up to the longest.
  Nanoseconds first_pause = std::chrono::milliseconds(500);
  Nanoseconds shown_out_pause = std::chrono::seconds(5);  // at least, after a ban or MaxStartups
  Nanoseconds longest_pause = std::chrono::seconds(60);
  // How long it must have worked again before it is preferred to a substitute.
  Nanoseconds proof = std::chrono::seconds(20);
  // After so many failures in a row nobody waits for it.
  int hopeless = 4;
};

class JumpHealth {
 public:
  enum class State {
    kUp,       // works, or nobody has tried
    kProving,  // works again, not yet for long: better than nothing
    kDown,     // see retry_at()
    kBarred    // never again: it refused the credential
  };

  explicit JumpHealth(const JumpLimits& limits) : limits_(limits) {}

  State state(TimePoint now) const {
    if (state_ == State::kProving && now - since_ >= limits_.proof) return State::kUp;
    return state_;
  }
  // A connection was opened.
  void worked(TimePoint now) {
    if (state_ == State::kDown) {
      state_ = State::kProving;
      since_ = now;
    }
    if (state(now) == State::kUp) failures_ = 0;
  }
  // No connection could be opened, or the last one was lost.
  void failed(TimePoint now, Nanoseconds at_least, std::string why) {
    if (state(now) == State::kUp) failures_ = 0;
    state_ = State::kDown;
    why_ = std::move(why);
    Nanoseconds pause = limits_.first_pause;
    for (int i = 0; i < failures_ && pause < limits_.longest_pause; ++i) pause *= 2;
    ++failures_;
    retry_at_ =
        now + std::clamp(pause, std::min(at_least, limits_.longest_pause), limits_.longest_pause);
  }
  // As after many failures: what is wrong does not go by itself.
  void failed_for_long(TimePoint now, std::string why) {
    failed(now, limits_.longest_pause, std::move(why));
    failures_ = std::max(failures_, limits_.hopeless);
  }
  void refused(std::string why) {
    state_ = State::kBarred;
    why_ = std::move(why);
  }

  TimePoint retry_at() const { return retry_at_; }
  bool hopeless() const { return state_ == State::kBarred || failures_ >= limits_.hopeless; }
  const std::string& why() const { return why_; }

 private:
  JumpLimits limits_;
  State state_ = State::kUp;
  TimePoint since_{};
  TimePoint retry_at_{};
  int failures_ = 0;
  std::string why_;
};

}  // namespace netfleet::ssh

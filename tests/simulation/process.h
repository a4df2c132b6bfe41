// tests/simulation: what a process has whatever it runs: a life, a clock, and an inbox for the time
// that it is stopped.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "tests/simulation/event_loop.h"
#include "tests/simulation/random.h"

namespace netfleet::simulation {

class Process {
 public:
  Process(EventLoop& loop, Random& random, double clock_rate)
      : loop_(loop), random_(random), rate_(clock_rate) {
    base_ = random.between(std::chrono::seconds(1'000), std::chrono::seconds(100'000));
  }
  virtual ~Process() = default;

  // Its machine's clock: never goes back, runs a few per cent too fast or too slow, may jump.
  TimePoint now() const { return clock_at(loop_.now()); }
  // What it will show at that true time, unless it jumps.
  TimePoint clock_at(Nanoseconds time) const { return TimePoint(base_ + scaled(time)); }
  void jump_clock(Nanoseconds forward) { base_ += forward; }
  bool alive() const { return alive_; }
  bool paused() const { return paused_until_ > loop_.now(); }
  std::uint32_t life() const { return life_; }

  // SIGSTOP, then SIGCONT.
  void pause(Nanoseconds length) {
    if (!alive_) return;
    paused_until_ = std::max(paused_until_, loop_.now() + length);
    loop_.at(paused_until_, [this, life = life_] {
      if (alive_ && life_ == life && !paused()) resume();
    });
  }
  // Something arrives: handled now, or when the process goes on.
  void receive(std::function<void()> handle) {
    if (!alive_) return;
    if (paused()) return inbox_.push_back(std::move(handle));
    handle();
    if (alive_) turn();
  }

 protected:
  void begin_life() {
    ++life_;
    alive_ = true;
    paused_until_ = Nanoseconds(0);
    wake_at_ = Nanoseconds::max();
    inbox_.clear();
  }
  void end_life() {
    alive_ = false;
    inbox_.clear();
  }
  // turn() will be called then, or sooner.
  void wake_at(TimePoint time) {
    if (time == TimePoint::max() || !alive_) return;
    const double missing =
        static_cast<double>(std::max<std::int64_t>(0, (time - now()).count())) / rate_;
    const Nanoseconds at = loop_.now() + Nanoseconds(static_cast<std::int64_t>(missing) + 1);
    if (at >= wake_at_) return;
    wake_at_ = at;
    loop_.at(at, [this, at, life = life_] {
      if (!alive_ || life_ != life || wake_at_ != at) return;
      wake_at_ = Nanoseconds::max();
      if (!paused()) turn();
    });
  }
  virtual void turn() = 0;     // one turn of its loop
  virtual void on_resume() {}  // what other threads do before the loop notices anything

  EventLoop& loop_;
  Random& random_;

 private:
  void resume() {
    on_resume();
    if (alive_ && random_.chance(0.5)) turn();
    for (auto& handle : std::exchange(inbox_, {})) {
      if (alive_) handle();
    }
    if (alive_) turn();
  }
  Nanoseconds scaled(Nanoseconds time) const {
    return Nanoseconds(static_cast<std::int64_t>(static_cast<double>(time.count()) * rate_));
  }

  double rate_;
  Nanoseconds base_{0};
  Nanoseconds paused_until_{0};
  Nanoseconds wake_at_ = Nanoseconds::max();
  std::vector<std::function<void()>> inbox_;
  std::uint32_t life_ = 0;
  bool alive_ = false;
};

}  // namespace netfleet::simulation

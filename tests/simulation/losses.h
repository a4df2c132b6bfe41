// tests/simulation: what the network may lose where no lease may end. A lease outlives the loss of
// any three messages that it hangs on: a claim is said four times within a lease, a heartbeat six
// times, a Hello four times. So of those that one lease hangs on three may be lost within two
// leases, and no more.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "common/codec.h"
#include "tests/simulation/scenario.h"

namespace netfleet::simulation {

class Losses {
 public:
  explicit Losses(const Scenario& scenario)
      : bounded_(scenario.kind != Kind::kStorm),
        may_fill_(scenario.may_fill),
        window_(Nanoseconds(scenario.lease) * 2) {}

  // A second copy of a claim may come after its Deny, and be granted to a worker that waits no
  // longer: if that grant is lost, nobody knows of it. ZeroMQ delivers no message twice.
  bool may_repeat(const v1::ToDispatcher& message) const {
    return !bounded_ || !message.has_claim();
  }

  // Whether this message of that worker, or to it, may be lost; then it is.
  template <typename Message>
  bool allow(std::uint32_t worker, Nanoseconds now, const Message& message) {
    if (!bounded_) return true;
    if (may_fill_ && starts(message)) return false;
    auto& lost = lost_[worker];
    std::erase_if(lost, [&](const Loss& one) { return one.at < now - window_; });
    const std::vector<Subject> subjects = subjects_of(message);
    for (const Subject& subject : subjects) {
      if (!spared(lost, subject)) return false;
    }
    for (const Subject& subject : subjects) lost.push_back({now, subject});
    return true;
  }

 private:
  using Subject = std::optional<TaskKey>;  // none: all that this worker has
  struct Loss {
    Nanoseconds at;
    Subject subject;
  };
  static constexpr std::ptrdiff_t kMost = 3;

  // Said again, but not before there is room on the disk.
  static bool starts(const v1::ToWorker& message) {
    return message.has_grant() || message.has_job();
  }
  static bool starts(const v1::ToDispatcher&) { return false; }
  static std::vector<Subject> subjects_of(const v1::ToDispatcher& message);
  static std::vector<Subject> subjects_of(const v1::ToWorker& message);
  static bool spared(const std::vector<Loss>& lost, const Subject& subject);

  bool bounded_;
  bool may_fill_;
  Nanoseconds window_;
  std::map<std::uint32_t, std::vector<Loss>> lost_;  // by worker
};

}  // namespace netfleet::simulation

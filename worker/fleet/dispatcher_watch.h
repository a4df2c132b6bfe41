// worker/fleet: what people are told about the dispatcher of this worker: joined, silent, back,
// finished, and results that it does not take. Pure: facts and times in, lines out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/clock.h"
#include "proto/netfleet.pb.h"

namespace netfleet {

// Each on_* returns the line to log, if the fact is news.
class DispatcherWatch {
 public:
  using Line = std::optional<std::string>;
  // `with_keys`: the two speak CURVE, so a wrong key is another reason for silence.
  DispatcherWatch(std::string worker, std::string dispatcher, bool with_keys = false)
      : worker_(std::move(worker)), dispatcher_(std::move(dispatcher)), with_keys_(with_keys) {}

  void on_hello(TimePoint now);  // one was sent, and no answer has come yet
  Line on_welcome(TimePoint now, std::uint64_t epoch, const v1::Welcome& welcome);
  Line on_dismissed();
  void on_acknowledged(TimePoint now) { progress_at_ = now; }
  // `kept`: results that are not acknowledged.
  Line tick(TimePoint now, std::size_t kept);

 private:
  std::string line(const std::string& what) const;

  std::string worker_;
  std::string dispatcher_;
  bool with_keys_;
  std::optional<TimePoint> unanswered_since_;
  std::uint64_t epoch_ = 0;
  bool dismissed_ = false;
  bool told_silent_ = false;
  bool told_kept_ = false;
  TimePoint progress_at_{};  // nothing is kept, or something was acknowledged
};

}  // namespace netfleet

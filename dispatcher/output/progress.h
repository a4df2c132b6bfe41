// dispatcher/output: the progress line on a terminal's stderr. Pure: text in, text out, the clock
// passed in; the shell writes it.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "common/clock.h"
#include "dispatcher/output/renderer.h"

namespace netfleet {

class Progress {
 public:
  Progress(std::uint32_t total, TimePoint start) : total_(total), start_(start) {}
  void count(Outcome outcome);
  // All results so far, at once.
  void set(const std::array<std::uint32_t, kOutcomeCount>& by_outcome);
  // One line without line ending, at most `columns` wide: done/total, percent, rate, ETA, running,
  // failures by outcome.
  std::string line(TimePoint now, std::uint32_t running, int columns) const;

 private:
  std::uint32_t total_;
  TimePoint start_;
  std::uint32_t done_ = 0;
  Summary counts_;
};

}  // namespace netfleet

#include "dispatcher/api/refusals.h"

#include <fmt/format.h>

#include <chrono>

namespace netfleet {

Expected<void> RefusalNotes::write(AuditRecord record) {
  {
    const std::lock_guard lock(mutex_);
    const TimePoint now = BootClock::now();
    if (now - second_ >= std::chrono::seconds(1)) {
      second_ = now;
      written_ = 0;
    }
    if (written_ >= a_second_) {
      ++left_out_;
      return {};
    }
    ++written_;
    if (left_out_ > 0) record.detail += fmt::format("; {} more refusals before", left_out_);
    left_out_ = 0;
  }
  return audit_.write(record);
}

}  // namespace netfleet

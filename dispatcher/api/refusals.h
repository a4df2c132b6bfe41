// dispatcher/api: the audit log of those who were turned away, in bounds: a stranger who asks all
// the time fills no disk and slows down nobody.
#pragma once

#include <cstdint>
#include <mutex>

#include "dispatcher/api/audit.h"

namespace netfleet {

// For any thread.
class RefusalNotes {
 public:
  // So many lines a second; those that are left out are counted in the next one.
  RefusalNotes(Audit& audit, std::uint32_t a_second) : audit_(audit), a_second_(a_second) {}
  Expected<void> write(AuditRecord record);

 private:
  Audit& audit_;
  const std::uint32_t a_second_;
  std::mutex mutex_;
  TimePoint second_{};          // guarded by mutex_: when the newest second began
  std::uint32_t written_ = 0;   // guarded by mutex_: in that second
  std::uint64_t left_out_ = 0;  // guarded by mutex_
};

}  // namespace netfleet

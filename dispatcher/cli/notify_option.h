// dispatcher/cli: `run --notify-...`: who is told of a sweep, from the command line to the thread
// that does it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/error.h"
#include "dispatcher/cli/console.h"
#include "dispatcher/cli/options.h"
#include "dispatcher/fleet/hub.h"
#include "dispatcher/notify/notifier.h"
#include "dispatcher/store/store.h"

namespace netfleet {

// One sweep's. Without such options it does nothing. The loop's thread alone.
class SweepNotices {
 public:
  // An error when what is told to whom cannot be made out.
  static Expected<SweepNotices> make(const RunOptions& options, const SweepRecord& sweep,
                                     Console& console);
  void count(Outcome outcome);
  void ended(const SweepEnd& end, int exit_status);
  // For as long as a notice may take, or until a signal is to be read from `signal_fd`.
  void finish(int signal_fd);

 private:
  std::unique_ptr<Notifier> notifier_;
  std::optional<FailureThreshold> threshold_;
  WallTime started_at_;
  Summary summary_;
  std::uint32_t failures_ = 0;
  bool told_ = false;
};

}  // namespace netfleet

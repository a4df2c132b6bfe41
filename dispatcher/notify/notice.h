// dispatcher/notify: what is told of a sweep to a command or a webhook, and when. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "dispatcher/output/renderer.h"

namespace netfleet {

// How many failures are worth a notice: a count, or a share of all hosts.
struct FailureThreshold {
  std::uint32_t count = 0;
  double percent = 0;  // with count 0
  // "20" or "2.5%".
  static Expected<FailureThreshold> parse(const std::string& text);
  bool reached(std::uint32_t failures, std::uint32_t total) const;
};

// Hosts that were not told to go without a result.
bool is_failure(Outcome outcome);

struct Notice {
  enum class Event : std::uint8_t { kFailures, kEnded } event = Event::kEnded;
  Summary summary;  // of what is done
  WallTime started_at;
  std::optional<int> exit_status;  // kEnded
  std::vector<FailedHost> failed;  // some of them
};

// One JSON object, ASCII, at most 32 KiB. Tells names, outcomes, counts and messages: no outputs,
// no commands, nothing that was typed.
std::string notice_json(const Notice& notice);
std::string_view event_name(Notice::Event event);

}  // namespace netfleet

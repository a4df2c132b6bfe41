// common: how a task or a command ended. A failed device is data, not an error.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace netfleet {

// The closed list. The names (outcome_name) are part of the JSONL contract and of the store.
enum class Outcome : std::uint8_t {
  kOk,
  kCommandFailed,    // the device refused a command
  kUnreachable,      // no usable SSH server: name, refused, no route, connect or banner time-out,
                     // not SSH, no common algorithm
  kJumpFailed,       // a hop on the way failed
  kAuthFailed,       // refused, no usable method, forced password change, refused enable secret
  kHostKeyRejected,  // unknown under strict, or changed
  kTimedOut,         // authentication, login dialogue, a command or the task took too long
  kDisconnected,     // closed by the device after it had let us in, or it refused a shell
  kCancelled,        // the user ended the sweep first
  kSkipped,          // never started: the authentication guard or a failure budget ended the sweep
  kDeferred,         // outside its window
  kLost,             // a worker died with it and it may not be repeated
  kInternal,         // a defect of netfleet itself
};
inline constexpr int kOutcomeCount = 13;

// "ok", "command_failed", ...
std::string_view outcome_name(Outcome outcome);
std::optional<Outcome> outcome_from_name(std::string_view name);

// Whether another attempt may help: unreachable and jump_failed always; timed_out and disconnected
// only while no command had been sent to the device. Everything else, never.
bool may_retry(Outcome outcome, bool command_sent);

}  // namespace netfleet

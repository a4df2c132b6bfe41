#include "common/outcome.h"

#include <array>

namespace netfleet {
namespace {
constexpr std::array<std::string_view, kOutcomeCount> kNames = {
    "ok",        "command_failed", "unreachable", "jump_failed", "auth_failed", "host_key_rejected",
    "timed_out", "disconnected",   "cancelled",   "skipped",     "deferred",    "lost",
    "internal"};
}  // namespace

std::string_view outcome_name(Outcome outcome) { return kNames[static_cast<std::size_t>(outcome)]; }

std::optional<Outcome> outcome_from_name(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Outcome>(i);
  }
  return std::nullopt;
}

bool may_retry(Outcome outcome, bool command_sent) {
  switch (outcome) {
    case Outcome::kUnreachable:
    case Outcome::kJumpFailed:
      return true;
    case Outcome::kTimedOut:
    case Outcome::kDisconnected:
      return !command_sent;
    default:
      return false;
  }
}

}  // namespace netfleet

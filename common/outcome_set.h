// common: several outcomes at once, as people name them.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/outcome.h"

namespace netfleet {

class OutcomeSet {
 public:
  constexpr OutcomeSet() = default;
  constexpr OutcomeSet(std::initializer_list<Outcome> outcomes) {
    for (const Outcome outcome : outcomes) insert(outcome);
  }
  constexpr void insert(Outcome outcome) { bits_ |= bit(outcome); }
  constexpr void insert(OutcomeSet others) { bits_ |= others.bits_; }
  constexpr bool contains(Outcome outcome) const { return (bits_ & bit(outcome)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool operator==(const OutcomeSet&) const = default;

 private:
  static constexpr std::uint32_t bit(Outcome outcome) {
    return std::uint32_t{1} << static_cast<unsigned>(outcome);
  }
  std::uint32_t bits_ = 0;
};
static_assert(kOutcomeCount <= 32);

// Tried, and not ok: neither cancelled nor skipped nor deferred.
inline constexpr OutcomeSet kFailedOutcomes = {
    Outcome::kCommandFailed,   Outcome::kUnreachable, Outcome::kJumpFailed,   Outcome::kAuthFailed,
    Outcome::kHostKeyRejected, Outcome::kTimedOut,    Outcome::kDisconnected, Outcome::kLost,
    Outcome::kInternal};

// "failed,skipped": names of outcomes, and `failed` for kFailedOutcomes. The error names the word.
Expected<OutcomeSet> parse_outcomes(std::string_view list);
// The shortest list that parse_outcomes() reads back.
std::string format_outcomes(OutcomeSet outcomes);

}  // namespace netfleet

// common: rules of the fleet protocol that the simulation breaks on purpose, one at a time, to
// prove that it would notice. In everything that is shipped BROKEN() is the constant false.
#pragma once

#ifdef NETFLEET_BREACHES

#include <cstdint>

namespace netfleet {

// What each one breaks is said in tests/simulation/breaches.cc.
enum class Breach : std::uint8_t {
  kNone,
  kR1DeclineOfAnyRound,
  kR2OfferClaimedTwice,
  kR3LateClaimDenied,
  kR4ClaimSaidOnce,
  kR4NoSecondGrant,
  kR5GrantNotAskedFor,
  kR6LeaseFromReceipt,
  kR7ActUnchecked,
  kR8RenewalOfAll,
  kR9FinishedNotListed,
  kR9SentOnce,
  kR10SameIncarnation,
  kR11LeasesNotRestored,
  kR11StrangersIgnored,
  kR12GrantBeforeJournal,
  kR12AckBeforeStored,
  kR13NoHold,
  kR13ClaimsInHold,
  kR13ChangesNotSynced,
  kR14OlderCountWins,
  kR15OffersNeverExpire,
  kR16QueueKept,
  kR17RepeatedNotAcked,
  kR18OutboxUnbounded,
  kR19AnyAttemptTaken,
  kR20RevokeDropsResult,
  kR21LeaveAtOnce,
  kControlOutOfOrder,
  kOlderThanHello,
  kReleaseAfterStart,
  kReleaseSaidOnce,
  kJournalNotNamed,
  kResultsOfAnyJournal,
  kOldEpochHeard,
  kJobNotChecked,
  kAbandonFreesAtOnce,
  kLeaseLengthForgotten,
  kCancelSaidOnce,
  kMinWorkersAgain,
  kNoQuarantine,
  kChangesRepeated,
  kSessionsUnlimited,
  kLoginsUnlimited,
  kBurstAfterRestart,
  kDevicesShared,
  kGuardAsleep,
  kGuardOneSweep,
  kRefusedSlotFree,
  kPriorityIgnored,
  kSharesIgnored,
  kCreditIgnored,
  kBatchesIgnored,
  kFailuresUncounted,
  kHeldClaimsGranted,
  kRoomIgnored,
  kWithheldNotTaken,
  kWithheldTold,
  kWithheldTooEarly,
  kClosingIgnored,
  kClosedClaimsGranted,
  kTurnsIgnored,
  kNewLanesUntold,
  kWelcomeWaits,
};

inline Breach breach = Breach::kNone;  // set once, before any simulation runs

}  // namespace netfleet

#define BROKEN(name) (::netfleet::breach == ::netfleet::Breach::name)

#else

#define BROKEN(name) false

#endif

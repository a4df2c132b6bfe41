// dispatcher/fleet: the journal goes before everything else. Holds the ledger's actions, in order,
// until the journal entries ahead of them are safe. Only renewals go past them: they tell of
// nothing that is not known already, and what runs must not be stopped because the disk is slow.
// Knows no socket and no store.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "dispatcher/sweep/ledger.h"

namespace netfleet {

class ActionGate {
 public:
  // Takes the ledger's actions; returns the journal entries among them, which are to be made safe
  // in this order.
  std::vector<Journal> add(std::vector<Action> actions);
  // `journaled` entries are safe, counted from the first one ever: the actions that may be carried
  // out now, without their journal entries.
  std::vector<Action> take(std::uint64_t journaled);
  // No further entry will ever be safe: grants that wait are dropped, everything else may be
  // carried out. Returns the entries that are not safe.
  std::vector<Journal> give_up();

  bool empty() const { return waiting_.empty() && renewals_.empty(); }

 private:
  struct Waiting {
    std::uint64_t needs;  // so many entries must be safe
    Action action;
  };
  std::deque<Waiting> waiting_;
  std::vector<Action> renewals_;
  std::uint64_t entries_ = 0;  // seen so far
  std::uint64_t safe_ = 0;
};

}  // namespace netfleet

// dispatcher/fleet: the journal goes before everything else. Holds the ledger's actions, in order,
// until the journal entries ahead of them are safe. Only renewals, welcomes and requests for a
// Hello go past them: they tell of nothing that is not known already, and what runs must not be
// stopped because the disk is slow.
// Knows no socket and no store.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "dispatcher/sweep/ledger.h"

namespace netfleet {

class ActionGate {
 public:
  // Takes the ledger's actions; returns the journal entries among them, which are to be made safe
  // in this order, each sweep's by itself.
  std::vector<Journal> add(std::vector<Action> actions);
  // So many entries of a sweep are safe, counted from its first one ever.
  void journaled(std::uint32_t sweep, std::uint64_t entries) { safe_[sweep] = entries; }
  // The actions that may be carried out now, without their journal entries.
  std::vector<Action> take();
  // No further entry of the sweep will ever be safe: what these granted is dropped, everything else
  // no longer waits for them. Returns the entries that are not safe.
  std::vector<Journal> give_up(std::uint32_t sweep);
  // There is no room for entries at the moment: what was granted and waits is dropped, and
  // returned. The entries still come.
  std::vector<TaskKey> withhold();

  bool empty() const { return waiting_.empty() && passing_.empty(); }
  // Whether an end of one of the sweep's tasks waits.
  bool holds_end(std::uint32_t sweep) const;
  void forget(std::uint32_t sweep);  // it has ended

 private:
  struct Waiting {
    Action action;
    std::uint64_t ordinal = 0;  // of a journal entry, among those of its sweep
  };
  bool is_safe(const Journal& entry, std::uint64_t ordinal) const;
  void drop_grants(const std::map<TaskKey, std::uint32_t>& attempts);
  void told(const v1::Grant& grant);

  std::deque<Waiting> waiting_;
  std::vector<Action> passing_;
  std::map<TaskKey, std::uint32_t> untold_;      // attempts that were granted by what waits
  std::map<std::uint32_t, std::uint64_t> seen_;  // entries so far, by sweep
  std::map<std::uint32_t, std::uint64_t> safe_;
};

}  // namespace netfleet

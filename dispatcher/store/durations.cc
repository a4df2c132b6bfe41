// How long past sweeps took, and how they went.
#include "dispatcher/store/impl.h"

namespace netfleet {

Expected<SweepDurations> Store::durations(std::uint32_t sweep) {
  return impl_->guarded("read how long a sweep took", [&] {
    SQLite::Statement select(impl_->database,
                             "SELECT count(*),avg(duration_ms),max(duration_ms) FROM results"
                             " WHERE key>=? AND key<? AND outcome NOT IN"
                             " ('cancelled','skipped','deferred')");
    select.bind(1, key_of(sweep, 0));
    select.bind(2, key_of(sweep + 1, 0));
    select.executeStep();
    SweepDurations found;
    found.tasks = static_cast<std::uint32_t>(select.getColumn(0).getInt64());
    found.mean = Milliseconds(static_cast<std::int64_t>(select.getColumn(1).getDouble()));
    found.longest = Milliseconds(select.getColumn(2).getInt64());
    return found;
  });
}

Expected<std::array<std::uint32_t, kOutcomeCount>> Store::outcome_counts(std::uint32_t sweep) {
  return impl_->guarded("count a sweep's outcomes", [&] {
    SQLite::Statement select(impl_->database,
                             "SELECT outcome,count(*) FROM results WHERE key>=? AND key<?"
                             " GROUP BY outcome");
    select.bind(1, key_of(sweep, 0));
    select.bind(2, key_of(sweep + 1, 0));
    std::array<std::uint32_t, kOutcomeCount> counts{};
    while (select.executeStep()) {
      const std::string name = select.getColumn(0).getString();
      const auto outcome = outcome_from_name(name);
      if (!outcome) throw StoreFailure("an outcome that does not exist: " + name);
      counts[static_cast<std::size_t>(*outcome)] =
          static_cast<std::uint32_t>(select.getColumn(1).getInt64());
    }
    return counts;
  });
}

}  // namespace netfleet

// How long past sweeps took: for estimates.
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

}  // namespace netfleet

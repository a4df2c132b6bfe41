// dispatcher/schedule: which job becomes a sweep now. Pure: the time is passed in, what is to be
// done comes back. Not for running sweeps, nor for remembering across a restart (the store's).
#pragma once

#include <date/date.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dispatcher/schedule/firing.h"

namespace netfleet {

enum class Overlap : std::uint8_t { kSkip, kQueue, kCancel };  // when the last sweep still runs
enum class Missed : std::uint8_t { kSkip, kOnce };             // what fell due while nobody looked

// When a job becomes a sweep.
struct Schedule {
  std::string name;
  CronExpression cron;
  const date::time_zone* zone;
  Overlap overlap = Overlap::kSkip;
  Missed missed = Missed::kSkip;
  std::chrono::seconds latest{3600};  // a missed firing that is older is skipped in any case
  std::chrono::seconds jitter{0};     // each firing is later by a part of this, the same always
};

// The schedules and what they wait for. A firing is due once: what was taken up to `since` is never
// due again, whatever the clock does. Firings of one schedule are decided one after the other:
// while a sweep is being begun nothing more of it is due, so that what is written down of each
// firing is never ahead of what has become of those before it.
class Agenda {
 public:
  struct Step {
    enum class Kind : std::uint8_t {
      kStart,   // make a sweep
      kCancel,  // end the one that runs; kStart follows once ended() was called
      kSkip,    // tell why none was made
    };
    Kind kind;
    std::string schedule;
    Instant due;         // of the newest firing that this stands for
    Instant taken;       // with it, all firings up to here are
    std::string reason;  // kSkip: for people
  };

  // Adds it, or changes the one of that name without touching what runs or waits of it. `since`:
  // up to when its firings were taken before (from the store; now for a new one).
  void set(Schedule schedule, Instant since);
  // Returns when the one was due that waits behind the sweep that runs, if there is one.
  std::optional<Instant> remove(const std::string& name);
  bool has(const std::string& name) const { return entries_.contains(name); }
  // A sweep of it runs or is being begun.
  bool is_busy(const std::string& name) const {
    return has(name) && entries_.at(name).sweep != Entry::kIdle;
  }

  // What is to be done now. Call it again at next().
  std::vector<Step> advance(Instant now);
  // What kStart asked for, or was begun before the schedule was set, runs. Call advance() after it.
  void started(const std::string& name);
  // That one is being prepared to go on.
  void goes_on(const std::string& name);
  // It has ended, or could not be begun. Call advance() after it.
  void ended(const std::string& name);
  // Up to when its firings are taken.
  Instant taken_until(const std::string& name) const { return entries_.at(name).taken; }
  // The earliest time at which advance() has something to do; nothing without schedules.
  std::optional<Instant> next() const;
  // When this one fires next.
  Instant next_of(const std::string& name) const;

 private:
  struct Firing {
    Instant due;    // jitter included
    Instant fires;  // without
  };
  struct Entry {
    Schedule schedule;
    Instant taken;  // all firings up to here were taken
    Firing next{};
    enum : std::uint8_t { kIdle, kBegins, kRuns } sweep = kIdle;
    std::optional<Firing> waiting{};  // queued behind the one that runs
  };

  static void plan(Entry& entry);
  static void take_missed(Entry& entry, Instant now, std::vector<Step>& steps);
  static void overlap(Entry& entry, Firing firing, std::vector<Step>& steps);
  static void begin(Entry& entry, Firing firing, std::vector<Step>& steps);

  std::map<std::string, Entry> entries_;
};

}  // namespace netfleet

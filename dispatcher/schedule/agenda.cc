#include "dispatcher/schedule/agenda.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/duration.h"

namespace netfleet {
namespace {

using std::chrono::seconds;

// A firing that is taken this late is on time: the process was busy, not away.
constexpr seconds kOnTime{60};
// A clock that is set back by more goes on from where it stands.
constexpr seconds kClockSetBack{3600};

std::string for_people(Instant time) { return date::format("%FT%TZ", time); }

}  // namespace

void Agenda::plan(Entry& entry) {
  const Schedule& schedule = entry.schedule;
  entry.fires = next_firing(schedule.cron, *schedule.zone, entry.taken);
  const std::string key =
      fmt::format("{} {}", schedule.name, entry.fires.time_since_epoch().count());
  const Milliseconds jitter = stable_part(key, schedule.jitter);
  entry.due = entry.fires + std::chrono::floor<seconds>(jitter);
}

void Agenda::set(Schedule schedule, Instant since) {
  const std::string name = schedule.name;
  const auto known = entries_.find(name);
  if (known == entries_.end()) {
    Entry entry{std::move(schedule), since, {}, {}, false, std::nullopt};
    plan(entry);
    entries_.emplace(name, std::move(entry));
    return;
  }
  known->second.schedule = std::move(schedule);
  plan(known->second);
}

void Agenda::remove(const std::string& name) { entries_.erase(name); }

std::vector<Agenda::Step> Agenda::advance(Instant now) {
  std::vector<Step> steps;
  for (auto& [name, entry] : entries_) {
    if (entry.taken > now + kClockSetBack) {
      steps.push_back({Step::Kind::kSkip, name, entry.taken,
                       fmt::format("the clock was set back: it goes on from {}, having taken "
                                   "firings up to {}",
                                   for_people(now), for_people(entry.taken))});
      entry.taken = now;
      plan(entry);
    }
    if (entry.due <= now) take_missed(entry, now, steps);
    if (!entry.running && entry.waiting) {
      begin(entry, *std::exchange(entry.waiting, std::nullopt), steps);
    }
  }
  return steps;
}

// Everything that is due, of which only the newest may become a sweep.
void Agenda::take_missed(Entry& entry, Instant now, std::vector<Step>& steps) {
  std::size_t missed = 0;
  Instant newest{};
  for (; entry.due <= now; ++missed) {
    newest = entry.due;
    entry.taken = entry.fires;
    plan(entry);
  }
  const seconds late = now - newest;
  const std::string& name = entry.schedule.name;
  if (missed > 1) {
    steps.push_back({Step::Kind::kSkip, name, newest,
                     fmt::format("{} earlier firings were missed", missed - 1)});
  }
  if (late > kOnTime && entry.schedule.missed == Missed::kSkip) {
    steps.push_back({Step::Kind::kSkip, name, newest,
                     fmt::format("missed: it was due {} ago", format_duration(late))});
    return;
  }
  if (late > std::max(kOnTime, entry.schedule.latest)) {
    steps.push_back({Step::Kind::kSkip, name, newest,
                     fmt::format("missed: it was due {} ago, more than the {} that it may be late",
                                 format_duration(late), format_duration(entry.schedule.latest))});
    return;
  }
  begin(entry, newest, steps);
}

void Agenda::begin(Entry& entry, Instant due, std::vector<Step>& steps) {
  const std::string& name = entry.schedule.name;
  if (entry.running) {
    switch (entry.schedule.overlap) {
      case Overlap::kSkip:
        steps.push_back({Step::Kind::kSkip, name, due, "the sweep before it still runs"});
        return;
      case Overlap::kCancel:
        if (!entry.waiting) steps.push_back({Step::Kind::kCancel, name, due, {}});
        [[fallthrough]];
      case Overlap::kQueue:
        entry.waiting = due;
        return;
    }
  }
  entry.running = true;
  steps.push_back({Step::Kind::kStart, name, due, {}});
}

void Agenda::ended(const std::string& name) {
  const auto entry = entries_.find(name);
  if (entry != entries_.end()) entry->second.running = false;
}

std::optional<Instant> Agenda::next() const {
  std::optional<Instant> earliest;
  for (const auto& [name, entry] : entries_) {
    if (!earliest || entry.due < *earliest) earliest = entry.due;
  }
  return earliest;
}

Instant Agenda::next_of(const std::string& name) const { return entries_.at(name).due; }

}  // namespace netfleet

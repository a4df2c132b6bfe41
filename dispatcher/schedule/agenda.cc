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
  const Instant fires = next_firing(schedule.cron, *schedule.zone, entry.taken);
  const std::string key = fmt::format("{} {}", schedule.name, fires.time_since_epoch().count());
  const Milliseconds jitter = stable_part(key, schedule.jitter);
  entry.next = {fires + std::chrono::floor<seconds>(jitter), fires};
}

void Agenda::set(Schedule schedule, Instant since) {
  const std::string name = schedule.name;
  const auto known = entries_.find(name);
  if (known == entries_.end()) {
    Entry entry{.schedule = std::move(schedule), .taken = since};
    plan(entry);
    entries_.emplace(name, std::move(entry));
    return;
  }
  known->second.schedule = std::move(schedule);
  plan(known->second);
}

std::optional<Instant> Agenda::remove(const std::string& name) {
  const auto entry = entries_.find(name);
  if (entry == entries_.end()) return std::nullopt;
  const std::optional<Firing> waiting = entry->second.waiting;
  entries_.erase(entry);
  if (!waiting) return std::nullopt;
  return waiting->due;
}

std::vector<Agenda::Step> Agenda::advance(Instant now) {
  std::vector<Step> steps;
  for (auto& [name, entry] : entries_) {
    if (entry.sweep == Entry::kBegins) continue;
    if (entry.taken > now + kClockSetBack) {
      steps.push_back({Step::Kind::kSkip, name, now, now,
                       fmt::format("the clock was set back: it goes on from {}, having taken "
                                   "firings up to {}",
                                   for_people(now), for_people(entry.taken))});
      entry.taken = now;
      plan(entry);
    }
    if (entry.next.due <= now) take_missed(entry, now, steps);
    if (entry.sweep == Entry::kIdle && entry.waiting) {
      begin(entry, *std::exchange(entry.waiting, std::nullopt), steps);
    }
  }
  return steps;
}

// Everything that is due, of which only the newest may become a sweep.
void Agenda::take_missed(Entry& entry, Instant now, std::vector<Step>& steps) {
  std::size_t earlier = 0;
  Firing before{};
  Firing newest = entry.next;
  entry.taken = newest.fires;
  for (plan(entry); entry.next.due <= now; plan(entry)) {
    ++earlier;
    before = std::exchange(newest, entry.next);
    entry.taken = newest.fires;
  }
  const seconds late = now - newest.due;
  const Schedule& schedule = entry.schedule;
  const auto skip = [&](const Firing& firing, std::string reason) {
    steps.push_back(
        {Step::Kind::kSkip, schedule.name, firing.due, firing.fires, std::move(reason)});
  };
  if (earlier > 0) {
    skip(before, fmt::format("missed: it was due {} ago{}", format_duration(now - before.due),
                             earlier == 1 ? "" : fmt::format(", and {} before it", earlier - 1)));
  }
  if (late > kOnTime && schedule.missed == Missed::kSkip) {
    return skip(newest, fmt::format("missed: it was due {} ago", format_duration(late)));
  }
  if (late > std::max(kOnTime, schedule.latest)) {
    return skip(newest,
                fmt::format("missed: it was due {} ago, more than the {} that it may be late",
                            format_duration(late), format_duration(schedule.latest)));
  }
  if (entry.sweep == Entry::kIdle && !entry.waiting) return begin(entry, newest, steps);
  overlap(entry, newest, steps);
}

// One at a time, and at most one behind it: the newest.
void Agenda::overlap(Entry& entry, Firing firing, std::vector<Step>& steps) {
  const std::string& name = entry.schedule.name;
  if (entry.schedule.overlap == Overlap::kSkip) {
    steps.push_back(
        {Step::Kind::kSkip, name, firing.due, firing.fires, "the sweep before it still runs"});
    return;
  }
  if (entry.waiting) {
    steps.push_back(
        {Step::Kind::kSkip, name, entry.waiting->due, entry.waiting->fires,
         fmt::format("the sweep before it still ran when {} was due", for_people(firing.due))});
  } else if (entry.schedule.overlap == Overlap::kCancel) {
    steps.push_back({Step::Kind::kCancel, name, firing.due, firing.fires, {}});
  }
  entry.waiting = firing;
}

void Agenda::begin(Entry& entry, Firing firing, std::vector<Step>& steps) {
  entry.sweep = Entry::kBegins;
  steps.push_back({Step::Kind::kStart, entry.schedule.name, firing.due, firing.fires, {}});
}

void Agenda::started(const std::string& name) {
  const auto entry = entries_.find(name);
  if (entry != entries_.end()) entry->second.sweep = Entry::kRuns;
}

void Agenda::goes_on(const std::string& name) {
  const auto entry = entries_.find(name);
  if (entry != entries_.end()) entry->second.sweep = Entry::kBegins;
}

void Agenda::ended(const std::string& name) {
  const auto entry = entries_.find(name);
  if (entry != entries_.end()) entry->second.sweep = Entry::kIdle;
}

std::optional<Instant> Agenda::next() const {
  std::optional<Instant> earliest;
  for (const auto& [name, entry] : entries_) {
    if (entry.sweep == Entry::kBegins) continue;
    if (!earliest || entry.next.due < *earliest) earliest = entry.next.due;
  }
  return earliest;
}

Instant Agenda::next_of(const std::string& name) const { return entries_.at(name).next.due; }

}  // namespace netfleet

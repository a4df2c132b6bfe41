#include "tests/simulation/books.h"

#include <fmt/format.h>

#include <algorithm>

namespace netfleet::simulation {

std::uint64_t Books::device_of(HostId id) const {
  const std::uint64_t shared = host(id).device;
  if (shared != 0) return (std::uint64_t{disks_.at(id.sweep)} << 48) | shared;
  return (std::uint64_t{id.sweep + 1} << 32) | id.index;
}

std::shared_ptr<SessionRecord> Books::started(SessionRecord record) {
  const auto session = std::make_shared<SessionRecord>(std::move(record));
  auto& before = sessions_[session->host];
  for (const auto& other : before) {
    if (live(*other)) {
      fail("one live lease",
           fmt::format("host {} attempt {} starts at {} while attempt {} runs at {}",
                       session->host.text(), session->attempt, session->worker, other->attempt,
                       other->worker));
    }
    if (other->attempt == session->attempt && !grants_lost_) {
      fail("an attempt starts once",
           fmt::format("host {} attempt {} starts at {}, and did at {}", session->host.text(),
                       session->attempt, session->worker, other->worker));
    }
    if (never_twice(session->host.sweep) && !other->repeatable) {
      fail("a change starts once",
           fmt::format("host {} attempt {} starts again at {}", session->host.text(),
                       session->attempt, session->worker));
    }
  }
  before.push_back(session);
  std::erase_if(open_, [](const auto& other) { return other->over; });
  open_.push_back(session);
  check_sessions(*session);
  return session;
}

// Leases that are good, not those of sessions that hang in a stopped worker.
void Books::check_sessions(const SessionRecord& session) {
  for (const std::uint16_t limit : host(session.host).limits) {
    const std::uint32_t most = scenario_.limits[limit].sessions;
    if (most == 0) continue;
    std::uint32_t count = 0;
    for (const auto& other : open_) {
      const auto& theirs = host(other->host).limits;
      if (disks_.at(other->host.sweep) != disk_ || forgotten_.contains(other->host)) continue;
      if (live(*other) && std::find(theirs.begin(), theirs.end(), limit) != theirs.end()) ++count;
    }
    if (count > most) {
      fail("sessions at once",
           fmt::format("{} of {} in {}", count, most, scenario_.limits[limit].name));
    }
  }
}

void Books::acted(const std::shared_ptr<SessionRecord>& session, bool command) {
  if (forgotten_.contains(session->host)) return;
  Device& device = devices_[device_of(session->host)];
  if (device.current != session->id) {
    if (device.past.contains(session->id)) {
      fail("one worker on a device",
           fmt::format("host {} attempt {} at {} acts after another took over",
                       session->host.text(), session->attempt, session->worker));
    }
    if (device.current != 0) device.past.insert(device.current);
    device.current = session->id;
  }
  session->commanded |= command;
}

void Books::login_refused(HostId id, const std::vector<std::uint32_t>& running) {
  const std::uint16_t credential = host(id).credential;
  const std::uint32_t most = script(id.sweep).max_auth_failures;
  if (++refusals_[{id.sweep, credential}] < most || most == 0) return;
  guard_closed(id.sweep, credential);
  for (const std::uint32_t sweep : running) {
    if (script(sweep).max_auth_failures > 0) guard_closed(sweep, credential);
  }
}

// The slot of a refused login is not used again before the guard has heard of it.
void Books::tried_wrong_password(HostId id) {
  const std::uint16_t credential = host(id).credential;
  std::uint32_t slots = 0;
  for (const WorkerScript& worker : scenario_.workers) slots += worker.slots;
  if (++tries_[{id.sweep, credential}] > slots && scenario_.kind == Kind::kLossy &&
      script(id.sweep).max_auth_failures == 1) {
    fail("no more refused logins than slots", fmt::format("sweep {}", id.sweep));
  }
}

void Books::ended(const std::shared_ptr<SessionRecord>& session, bool repeatable) {
  session->over = true;
  session->repeatable = repeatable && !session->commanded;
}

void Books::worker_died(std::uint64_t incarnation) {
  for (const auto& session : open_) {
    if (session->incarnation != incarnation || session->over) continue;
    session->over = true;
    if (!host(session->host).poison || grants_lost_) continue;
    if (++poisoned_[session->host] > 2) {
      fail("quarantine", fmt::format("host {} was there when the {}. worker died",
                                     session->host.text(), poisoned_[session->host]));
    }
  }
}

void Books::granted(HostId id, std::uint32_t attempt) {
  if (guarded_.contains({id.sweep, host(id).credential})) {
    fail("the guard",
         fmt::format("host {} attempt {} is granted after it closed", id.text(), attempt));
  }
  if (const std::string why = brakes(id.sweep).why_not(id.index); !why.empty()) {
    fail("the roll-out's brakes", fmt::format("host {} attempt {}: {}", id.text(), attempt, why));
  }
  granted_.insert({id, attempt});
  check_logins(id);
}

// A bucket that is as strict as can be: a login is taken with the offer, which may be granted until
// it runs out; clocks are up to 5 % wrong.
void Books::check_logins(HostId id) {
  for (const std::uint16_t number : host(id).limits) {
    const LimitSpec& limit = scenario_.limits[number];
    if (limit.logins_per_second == 0) continue;
    const double rate = limit.logins_per_second * 1.06;
    const double expiry = Seconds(longest_expiry_).count();
    const double most = 2 * limit.burst + rate * expiry + 1;
    const auto [entry, added] = buckets_.try_emplace(number, Bucket{most, loop_.now()});
    Bucket& bucket = entry->second;
    bucket.logins = std::min(most, bucket.logins + rate * Seconds(loop_.now() - bucket.at).count());
    bucket.at = loop_.now();
    bucket.logins -= 1;
    if (bucket.logins < 0) fail("logins per second", limit.name);
  }
}

void Books::lease_ended(HostId id, std::uint32_t attempt) {
  if (!leases_may_end(scenario_.kind)) {
    fail("no lease ends without need", fmt::format("that of host {}", id.text()));
  }
  // Where nothing is lost, a grant finds the worker that waits for it. What an earlier dispatcher
  // has written down it may not have sent.
  if (scenario_.kind != Kind::kAbsence || !granted_.contains({id, attempt})) return;
  const auto& sessions = sessions_[id];
  if (std::none_of(sessions.begin(), sessions.end(),
                   [attempt](const auto& session) { return session->attempt == attempt; })) {
    fail("what is granted is started", fmt::format("host {} attempt {}", id.text(), attempt));
  }
}

void Books::check_cancelled(std::uint32_t sweep) const {
  for (const auto& session : open_) {
    if (session->host.sweep == sweep && !session->over) {
      fail("a cancelled sweep stops",
           fmt::format("host {} at {}", session->host.text(), session->worker));
    }
  }
}

void Books::ended_without_result(HostId id, Outcome outcome, const std::string& why) {
  if (why.ends_with("failed") || why.contains("--max-failures")) {
    if (!brakes(id.sweep).too_many()) fail("a roll-out stops for a reason", id.text() + ": " + why);
  }
  brakes(id.sweep).ended(id.index, outcome);
  brakes(id.sweep).done(id.index);
  if (outcome == Outcome::kCancelled) cancelled_.insert(id);
  if (outcome == Outcome::kCancelled && !interrupted_.contains(id.sweep)) {
    fail("only who cancels cancels", id.text() + ": " + why);
  }
  const bool served = scenario_.regions[host(id).region] != "nowhere";
  if (outcome == Outcome::kUnreachable && served && !leases_may_end(scenario_.kind)) {
    fail("a region that is served is not given up", id.text());
  }
  if (outcome == Outcome::kLost && !leases_may_end(scenario_.kind)) {
    fail("nothing is lost without need", fmt::format("host {}", id.text()));
  }
}

}  // namespace netfleet::simulation

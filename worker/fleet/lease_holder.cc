#include "worker/fleet/lease_holder.h"

#include <algorithm>
#include <utility>

#include "common/breach.h"

namespace netfleet {
namespace {

constexpr Milliseconds kHelloAgainAfter{1000};
constexpr std::size_t kMostJobs = 64;  // kept, if nothing of them is held

// Nine tenths of a lease: the rest is for clocks that do not run equally fast.
Nanoseconds safe_part(Milliseconds lease) { return Nanoseconds(lease) * 9 / 10; }

TimePoint time_of(std::uint64_t stamp) {
  return TimePoint(Nanoseconds(static_cast<std::int64_t>(stamp)));
}

}  // namespace

v1::ToDispatcher& LeaseHolder::add_message() {
  actions_.push_back(SendToDispatcher{});
  v1::ToDispatcher& message = std::get<SendToDispatcher>(actions_.back()).message;
  message.set_incarnation(options_.incarnation);
  message.set_sequence(++sequence_);
  message.set_free(told_free_ = free_slots());
  message.set_journal(journal_);
  return message;
}

void LeaseHolder::stamp(v1::ResultFrame& frame) {
  frame.set_incarnation(options_.incarnation);
  frame.set_sequence(++sequence_);
  frame.set_free(told_free_ = free_slots());
  frame.set_journal(journal_);
}

void LeaseHolder::start(TimePoint now) {
  last_heard_ = now;
  say_hello(now);
}

void LeaseHolder::say_hello(TimePoint now) {
  if (in_lanes_) actions_.push_back(LeaveLanes{});
  in_lanes_ = false;
  welcomed_ = false;
  next_heartbeat_ = TimePoint::max();
  next_hello_ = now + hello_again_after_;
  hello_again_after_ = std::min(hello_again_after_ * 2, first_wait() * 4);
  actions_.push_back(OpenControl{});
  reopening_ = true;
  v1::Hello& hello = *add_message().mutable_hello();
  hello.set_name(options_.name);
  for (const auto& region : options_.regions) hello.add_regions(region);
  hello.set_slots(options_.slots);
  hello.set_software("netfleet " NETFLEET_VERSION);
  list_held(*hello.mutable_running(), *hello.mutable_finished());
}

// An eighth of a lease, so that one may be lost; a new DEALER does not hear the answer to the Hello
// of the one before, so each wait is longer than the last.
Milliseconds LeaseHolder::first_wait() const { return std::min(kHelloAgainAfter, lease_ / 8); }

void LeaseHolder::list_held(Refs& running, Refs& finished) const {
  for (const auto& [key, held] : held_) {
    if (held.state == State::kRunning) *running.Add() = make_ref(key, held.attempt);
    if (held.state == State::kFinished && !BROKEN(kR9FinishedNotListed)) {
      *finished.Add() = make_ref(key, held.attempt);
    }
  }
}

// Another store: its sweeps may have the numbers of those that this worker still holds tasks of.
void LeaseHolder::change_journal(std::uint64_t journal) {
  if (journal_ != 0 && journal != journal_ && !BROKEN(kJournalNotNamed)) {
    std::vector<TaskKey> dropped;
    for (auto& [key, held] : held_) {
      if (held.state == State::kRunning) stop(key, held, StopReason::kRevoked);
      if (held.state == State::kFinished) actions_.push_back(DropResult{key});
      if (held.state != State::kStopped) dropped.push_back(key);
    }
    for (const TaskKey key : dropped) forget(key);
    released_.clear();
  }
  journal_ = journal;
}

void LeaseHolder::on_welcome(TimePoint now, std::uint64_t epoch, const v1::Welcome& welcome) {
  change_journal(welcome.journal());
  if (epoch != epoch_) {
    jobs_.clear();
    closed_.clear();
    closed_order_.clear();
  }
  epoch_ = epoch;
  welcomed_ = true;
  next_hello_ = TimePoint::max();
  heartbeat_ = Milliseconds(welcome.heartbeat_ms());
  lease_ = Milliseconds(welcome.lease_ms());
  hello_again_after_ = first_wait();
  report_progress_ = welcome.report_progress();
  lanes_ = {welcome.sink_offset(), {}};
  for (const auto& lane : welcome.lanes()) lanes_.offsets.push_back(lane.offset());
  next_heartbeat_ = now + heartbeat_;
  next_scan_ = now;
  actions_.push_back(lanes_);
  in_lanes_ = true;
  full_since_ = TimePoint::max();
  for (auto& [key, held] : held_) {
    held.retry = now;  // what is open is asked or told again
    if (held.state == State::kRunning) next_heartbeat_ = now;  // some lease may be about to end
  }
  add_message().mutable_free_slots();
}

void LeaseHolder::on_offers(TimePoint now, const v1::OfferFrame& frame) {
  // Of an earlier acquaintance: the offer runs out by itself.
  if (!welcomed_ || (frame.epoch() != epoch_ && !BROKEN(kOldEpochHeard))) return;
  v1::Claim claim;
  v1::Decline decline;
  for (const v1::Offer& offer : frame.offers()) {
    const TaskKey key = key_of(offer.task());
    if (is_closed(key, offer.task().attempt())) continue;  // an old one, come twice
    const auto known = held_.find(key);
    if (known != held_.end() && BROKEN(kR2OfferClaimedTwice))
      forget(key);
    else if (known != held_.end() && known->second.attempt == offer.task().attempt()) {
      Held& held = known->second;
      if (held.state == State::kRunning) *claim.add_offers() = offer;
      if (held.state == State::kFinished) actions_.push_back(SendResult{key});
      continue;
    }
    if (held_.contains(key) || free_slots() == 0) {  // an older attempt is still winding down here
      *decline.add_offers() = offer;
      continue;
    }
    held_[key] = {.attempt = offer.task().attempt(),
                  .round = offer.round(),
                  .since = now,
                  .retry = now + lease_ / 4};
    ++busy_;
    *claim.add_offers() = offer;
  }
  if (claim.offers_size() > 0) send_claim(now, std::move(claim));
  if (decline.offers_size() > 0) *add_message().mutable_decline() = std::move(decline);
  mind_lanes(now);
}

void LeaseHolder::on_message(TimePoint now, const v1::ToWorker& message) {
  if (reopening_) return;
  const bool meets = message.has_welcome() || message.has_refused() || message.has_hello_again();
  const bool known = welcomed_ && message.epoch() == epoch_;
  if (!meets && !known && !BROKEN(kOldEpochHeard)) return;  // of an earlier acquaintance
  last_heard_ = now;
  switch (message.body_case()) {
    case v1::ToWorker::kWelcome:
      on_welcome(now, message.epoch(), message.welcome());
      break;
    case v1::ToWorker::kRefused:
      parted_ = true;
      actions_.push_back(Part{Parting::kRefused, message.refused().reason()});
      break;
    case v1::ToWorker::kJob:
      on_job(message.job());
      break;
    case v1::ToWorker::kGrant:
      on_grant(now, message.grant());
      break;
    case v1::ToWorker::kDeny:
      on_deny(message.deny());
      break;
    case v1::ToWorker::kRenewal:
      on_renewal(message.renewal());
      break;
    case v1::ToWorker::kResultAck:
      for (const auto& ref : message.result_ack().tasks()) {
        const auto held = held_.find(key_of(ref));
        if (held != held_.end() && held->second.state == State::kFinished &&
            held->second.attempt == ref.attempt()) {
          const TaskKey key = held->first;
          forget(key);
          actions_.push_back(DropResult{key});
        }
      }
      break;
    case v1::ToWorker::kHelloAgain:
      if (welcomed_) say_hello(now);  // else a Hello is under way
      break;
    case v1::ToWorker::kDrain:
      drain(now);
      break;
    case v1::ToWorker::kCancel:
      on_cancel(message.cancel().sweep());
      break;
    case v1::ToWorker::kDismissed:
      on_dismissed(now);
      break;
    default:
      break;  // a credential is the shell's business
  }
  part_if_drained();
  tell_free(now);
  mind_lanes(now);
}

// Of very many sweeps the idle ones are forgotten: a repeated claim is described again.
void LeaseHolder::on_job(const v1::JobSpec& job) {
  jobs_.insert(job.sweep());
  actions_.push_back(KnowJob{job});
  if (jobs_.size() <= kMostJobs) return;
  std::unordered_set<std::uint32_t> wanted{job.sweep()};
  for (const auto& [key, held] : held_) wanted.insert(key.sweep);
  std::erase_if(jobs_, [&](std::uint32_t sweep) {
    if (wanted.contains(sweep)) return false;
    actions_.push_back(ForgetJob{sweep});
    return true;
  });
}

// An earlier claim's says nothing of the one that is under way.
void LeaseHolder::on_deny(const v1::Deny& deny) {
  for (const auto& ref : deny.tasks()) {
    const auto held = held_.find(key_of(ref));
    if (held != held_.end() && held->second.state == State::kClaimed &&
        held->second.attempt == ref.attempt() && held->second.claimed <= time_of(deny.sent_at())) {
      forget(held->first);
    }
  }
}

void LeaseHolder::on_grant(TimePoint now, const v1::Grant& grant) {
  TimePoint end = time_of(grant.sent_at()) + safe_part(lease_);
  if (BROKEN(kR6LeaseFromReceipt)) end = now + safe_part(lease_);
  v1::Release release;
  for (const v1::TaskSpec& task : grant.tasks()) {
    const TaskKey key = key_of(task.task());
    const auto found = held_.find(key);
    const bool ours = found != held_.end() && found->second.attempt == task.task().attempt();
    if (ours && found->second.state == State::kRunning) {
      found->second.lease->extend(end);  // a repeated claim was granted again: no second start
      continue;
    }
    if (ours && found->second.state != State::kClaimed) continue;  // stopped or finished already
    if (ours && time_of(grant.sent_at()) < found->second.since) continue;  // not to this claim
    if (!jobs_.contains(key.sweep) && !BROKEN(kJobNotChecked)) {
      if (ours) found->second.retry = now;  // its description comes with the next grant
      continue;
    }
    if (!ours && BROKEN(kR5GrantNotAskedFor) && found == held_.end()) {
      held_[key] = {.attempt = task.task().attempt(), .lease = std::make_shared<Lease>(end)};
      ++busy_;
    } else if (!ours) {
      // It was never started here, if it is not so old that nothing is known of it any more.
      const bool fresh = end > now && !is_closed(key, task.task().attempt());
      if (fresh || BROKEN(kReleaseAfterStart)) *release.add_tasks() = task.task();
      continue;
    } else if (end <= now) {
      forget(key);
      *release.add_tasks() = task.task();
      continue;
    }
    Held& held = held_[key];
    held.state = State::kRunning;
    held.since = now;
    held.epoch = epoch_;
    held.lease = std::make_shared<Lease>(end);
    actions_.push_back(StartTask{task, held.lease});
  }
  if (release.tasks_size() > 0) send_release(std::move(release));
}

void LeaseHolder::on_renewal(const v1::Renewal& renewal) {
  const TimePoint sent_at = time_of(renewal.sent_at());
  std::erase_if(released_, [sent_at](const auto& one) { return one.second.listed <= sent_at; });
  for (const auto& ref : renewal.revoked()) {
    const auto held = held_.find(key_of(ref));
    if (held == held_.end() || held->second.attempt != ref.attempt()) continue;
    if (held->second.state == State::kRunning) {
      stop(held->first, held->second, StopReason::kRevoked);
    } else if (held->second.state == State::kFinished && BROKEN(kR20RevokeDropsResult)) {
      actions_.push_back(DropResult{held->first});
      forget(held->first);
    }
  }
  for (auto& [key, held] : held_) {
    // Only what that heartbeat can have listed.
    if (held.state == State::kRunning && (held.since < sent_at || BROKEN(kR8RenewalOfAll))) {
      held.lease->extend(sent_at + safe_part(lease_));
    }
  }
}

void LeaseHolder::on_cancel(std::uint32_t sweep) {
  for (const auto& [key, held] : held_) {
    if (key.sweep == sweep && held.state == State::kRunning) {
      actions_.push_back(StopTask{key, StopReason::kCancelled});  // its result still counts
    }
  }
}

void LeaseHolder::cancel_all() {
  for (const auto& [key, held] : held_) {
    if (held.state == State::kRunning) actions_.push_back(StopTask{key, StopReason::kCancelled});
  }
}

// This dispatcher has finished; the next one at the same address will answer a Hello.
void LeaseHolder::on_dismissed(TimePoint now) {
  if (in_lanes_) actions_.push_back(LeaveLanes{});
  in_lanes_ = false;
  welcomed_ = false;
  next_heartbeat_ = TimePoint::max();
  next_hello_ = now + kHelloAgainAfter;
  jobs_.clear();
  actions_.push_back(Part{Parting::kDismissed, {}});
}

void LeaseHolder::stop(TaskKey key, Held& held, StopReason reason) {
  held.state = State::kStopped;
  actions_.push_back(StopTask{key, reason});
}

void LeaseHolder::forget(TaskKey key) {
  const auto found = held_.find(key);
  if (found->second.state == State::kFinished) {
    --unacknowledged_;
    unacknowledged_bytes_ -= found->second.bytes;
    if (found->second.keeps_slot) --busy_;
  } else {
    --busy_;
  }
  held_.erase(found);
}

bool LeaseHolder::on_finished(TimePoint now, TaskKey key, std::size_t bytes, bool login_refused) {
  const auto found = held_.find(key);
  if (found == held_.end()) return false;
  Held& held = found->second;
  const bool wanted = held.state == State::kRunning;
  if (wanted) {
    if (!login_refused) --busy_;
    held.state = State::kFinished;
    held.keeps_slot = login_refused;
    held.bytes = bytes;
    held.retry = now + lease_ / 4;
    held.lease.reset();
    ++unacknowledged_;
    unacknowledged_bytes_ += bytes;
    if (welcomed_) actions_.push_back(SendResult{key});  // else with the Welcome
  } else if (held.state == State::kStopped) {
    if (held.epoch == epoch_) close(key, held.attempt);
    forget(key);
  }
  mind_lanes(now);
  return wanted;
}

void LeaseHolder::on_fenced(TaskKey key) {
  const auto found = held_.find(key);
  if (found == held_.end() || found->second.state != State::kRunning) return;
  found->second.state = State::kStopped;
}

void LeaseHolder::on_progress(TaskKey key, std::uint32_t session_thread, std::string stage) {
  const auto found = held_.find(key);
  if (!report_progress_ || !welcomed_ || found == held_.end()) return;
  v1::Progress& progress = *add_message().mutable_progress();
  *progress.mutable_task() = make_ref(key, found->second.attempt);
  progress.set_session_thread(session_thread);
  progress.set_stage(std::move(stage));
}

void LeaseHolder::drain(TimePoint now, std::string why) {
  if (!draining_) {
    draining_ = true;
    why_ = std::move(why);
    if (welcomed_) add_message().mutable_free_slots();
  }
  part_if_drained();
  mind_lanes(now);
}

void LeaseHolder::part_if_drained() {
  if (!draining_ || parted_ || !held_.empty()) return;
  parted_ = true;
  if (welcomed_) add_message().mutable_goodbye()->set_reason(why_);
  actions_.push_back(Part{Parting::kDrained, {}});
}

}  // namespace netfleet

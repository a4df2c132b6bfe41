// What workers say to the ledger, and what it knows of them.
#include <algorithm>
#include <set>

#include "common/breach.h"
#include "dispatcher/sweep/ledger.h"

namespace netfleet {

void Ledger::send(std::uint64_t incarnation, v1::ToWorker message) {
  message.set_epoch(options_.epoch);
  actions_.push_back(SendToWorker{incarnation, std::move(message)});
}

void Ledger::acknowledge(std::uint64_t incarnation, TaskKey key, std::uint32_t attempt) {
  // Acknowledgements of one turn of the loop travel together.
  if (!actions_.empty()) {
    auto* last = std::get_if<SendToWorker>(&actions_.back());
    if (last != nullptr && last->incarnation == incarnation && last->message.has_result_ack()) {
      *last->message.mutable_result_ack()->add_tasks() = make_ref(key, attempt);
      return;
    }
  }
  v1::ToWorker message;
  *message.mutable_result_ack()->add_tasks() = make_ref(key, attempt);
  send(incarnation, std::move(message));
}

void Ledger::note(Noted::What what, std::uint64_t incarnation, TaskKey task, std::uint32_t attempt,
                  Outcome outcome) {
  actions_.push_back(Noted{what, worker_name(incarnation), task, attempt, outcome});
}

std::string Ledger::worker_name(std::uint64_t incarnation) const {
  const auto worker = workers_.find(incarnation);
  return worker == workers_.end() ? std::string() : worker->second.name;
}

std::vector<WorkerView> Ledger::workers() const {
  std::vector<WorkerView> views;
  for (const auto& [incarnation, worker] : workers_) {
    WorkerView view{.incarnation = incarnation,
                    .name = worker.name,
                    .regions = {},
                    .slots = worker.slots,
                    .free = worker.free,
                    .running = static_cast<std::uint32_t>(worker.leased.size()),
                    .done = worker.done,
                    .joined = worker.joined,
                    .last_seen = worker.last_seen,
                    .silent = worker.suspect};
    for (const std::uint16_t lane : worker.lanes) view.regions.push_back(lanes_[lane].region);
    views.push_back(std::move(view));
  }
  return views;
}

void Ledger::set_credit(Worker& worker, std::uint32_t free) {
  for (const std::uint16_t lane : worker.lanes) {
    lanes_[lane].credit += free;
    lanes_[lane].credit -= worker.free;
  }
  worker.free = free;
}

// Whether the worker counts among those that serve its lanes: it is not suspect.
void Ledger::set_serving(Worker& worker, bool serving) {
  worker.suspect = !serving;
  for (const std::uint16_t lane : worker.lanes) lanes_[lane].workers += serving ? 1 : -1;
  next_lane_check_ = TimePoint::min();
}

void Ledger::note_free(Worker& worker, std::uint64_t sequence, std::uint32_t free, TimePoint now) {
  worker.last_seen = std::max(worker.last_seen, now);
  if (worker.suspect) set_serving(worker, true);
  if (sequence <= worker.sequence && !BROKEN(kR14OlderCountWins)) return;
  worker.sequence = sequence;
  set_credit(worker, std::min(free, worker.slots));
}

void Ledger::on_message(TimePoint now, std::uint64_t from, const v1::ToDispatcher& message) {
  now_ = now;
  auto worker = workers_.find(from);
  // These mean something only before whatever was said later: come twice, or overtaken, they are
  // nothing. The others may come in any order.
  const bool ordered = message.has_hello() || message.has_release() || message.has_goodbye();
  if (ordered && worker != workers_.end() && message.sequence() <= worker->second.control &&
      !BROKEN(kControlOutOfOrder)) {
    return;
  }
  if (message.has_hello()) {
    on_hello(now, from, message);
    worker = workers_.find(from);
  }
  if (worker == workers_.end()) {
    if (BROKEN(kR11StrangersIgnored)) return;
    v1::ToWorker again;
    again.mutable_hello_again();
    send(from, std::move(again));
    return;
  }
  worker->second.control = std::max(worker->second.control, message.sequence());
  if (message.has_hello()) worker->second.hello = message.sequence();
  if (message.sequence() < worker->second.hello && !BROKEN(kOlderThanHello)) return;
  if (!message.has_hello() && !of_this_journal(message.journal())) return;
  note_free(worker->second, message.sequence(), message.free(), now);
  switch (message.body_case()) {
    case v1::ToDispatcher::kClaim:
      return on_claim(now, from, message.claim());
    case v1::ToDispatcher::kDecline:
      return on_decline(from, message.decline());
    case v1::ToDispatcher::kHeartbeat:
      return on_heartbeat(now, from, message.heartbeat());
    case v1::ToDispatcher::kRelease:
      return on_release(from, message.release().tasks());
    case v1::ToDispatcher::kGoodbye:
      return drop_worker(from, message.goodbye().reason());
    default:
      return;  // the envelope was the message
  }
}

bool Ledger::on_result_frame(TimePoint now, const v1::ResultFrame& frame) {
  const auto worker = workers_.find(frame.incarnation());
  if (worker == workers_.end()) return false;  // it says Hello first, then this again
  if (!of_this_journal(frame.journal()) && !BROKEN(kResultsOfAnyJournal)) return false;
  note_free(worker->second, frame.sequence(), frame.free(), now);
  return true;
}

void Ledger::on_hello(TimePoint now, std::uint64_t from, const v1::ToDispatcher& message) {
  const v1::Hello& hello = message.hello();
  const bool joined = !workers_.contains(from);
  Worker& worker = workers_[from];
  set_credit(worker, 0);
  if (!joined && !worker.suspect) set_serving(worker, false);
  if (joined) worker.joined = now;
  worker.name = hello.name();
  worker.slots = hello.slots();
  worker.last_seen = now;
  worker.jobs.clear();
  worker.lanes.clear();
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    const std::string& region = lanes_[lane].region;
    const bool serves = hello.regions().empty()
                            ? region.empty()
                            : std::find(hello.regions().begin(), hello.regions().end(), region) !=
                                  hello.regions().end();
    if (serves) worker.lanes.push_back(static_cast<std::uint16_t>(lane));
  }
  set_serving(worker, true);
  if (joined) note(Noted::What::kWorkerJoined, from);
  if (workers_.size() >= options_.min_workers) started_ = true;
  next_worker_check_ = std::min(next_worker_check_, now + options_.heartbeat);
  if (of_this_journal(message.journal())) {  // else they are other tasks with the same numbers
    for (const auto* held : {&hello.running(), &hello.finished()}) {
      for (const auto& ref : *held) renew(now, from, ref);
    }
  }

  v1::ToWorker answer;
  v1::Welcome& welcome = *answer.mutable_welcome();
  welcome.set_sink_offset(1);
  for (const std::uint16_t lane : worker.lanes) {
    v1::Lane& added = *welcome.add_lanes();
    added.set_region(lanes_[lane].region);
    added.set_offset(2u + lane);
  }
  welcome.set_heartbeat_ms(static_cast<std::uint32_t>(options_.heartbeat.count()));
  welcome.set_lease_ms(static_cast<std::uint32_t>(options_.lease.count()));
  welcome.set_report_progress(options_.report_progress);
  welcome.set_journal(options_.journal_id);
  send(from, std::move(answer));
}

bool Ledger::may_grant(const Task& task, const v1::Offer& offer, std::uint64_t from) const {
  if (task.attempt != offer.task().attempt()) return false;
  // Not even to the owner again: it may have finished, and another one been granted the device.
  if (holding_until_ > now_ && !BROKEN(kR13ClaimsInHold)) return false;
  if (task.state == State::kLeased) return task.owner == from && !BROKEN(kR4NoSecondGrant);
  const bool closed = sweeps_.at(offer.task().sweep()).closes <= now_;
  if (paused_ || (closed && !BROKEN(kClosedClaimsGranted))) return false;
  if (late(task, offer) && BROKEN(kR3LateClaimDenied)) return false;
  if (held(sweeps_.at(offer.task().sweep()), offer.task().index()) && !BROKEN(kHeldClaimsGranted)) {
    return false;
  }
  return task.state == State::kPending || task.state == State::kOffered;
}

// Behind a slow link every claim would come after its offer's expiry, to find what the offer held
// of the limits given to the next offer, for ever: so T follows what claims need.
void Ledger::learn_expiry(bool late) {
  if (late) {
    expiry_ = std::min<Nanoseconds>(expiry_ * 2, options_.lease / 2);
  } else {
    expiry_ = std::max<Nanoseconds>(expiry_ - expiry_ / 64, options_.offer_expiry);
  }
}

void Ledger::on_claim(TimePoint now, std::uint64_t from, const v1::Claim& claim) {
  v1::ToWorker grants, denials;
  std::set<std::uint32_t> cancelled, described;
  auto& known = workers_.at(from).jobs;
  grants.mutable_grant()->set_sent_at(claim.sent_at());
  for (const v1::Offer& offer : claim.offers()) {
    const TaskKey key = key_of(offer.task());
    Task* task = find(key);
    if (task == nullptr || !may_grant(*task, offer, from)) {
      *denials.mutable_deny()->add_tasks() = offer.task();
      continue;
    }
    if (task->state != State::kLeased) {
      learn_expiry(late(*task, offer));
    }
    // A late claim: its offer has given back what it held of the limits.
    if (task->state == State::kPending &&
        !limits_.acquire(now, subject_of(key, *task), key, false)) {
      *denials.mutable_deny()->add_tasks() = offer.task();
      continue;
    }
    const bool repeated = task->state == State::kLeased;
    if (repeated) {
      renew(now, from, offer.task());  // by the owner: granted again, and described again
    } else {
      lease(now, from, key, *task);
    }
    if ((known.insert(key.sweep).second || repeated) && described.insert(key.sweep).second) {
      v1::ToWorker job;
      job.mutable_job()->set_sweep(key.sweep);
      send(from, std::move(job));
    }
    *grants.mutable_grant()->add_tasks()->mutable_task() = offer.task();
    if (sweeps_.at(key.sweep).cancelled) cancelled.insert(key.sweep);
  }
  if (grants.grant().tasks_size() > 0) send(from, std::move(grants));
  for (const std::uint32_t sweep : cancelled) send_cancel(from, sweep);
  if (denials.has_deny()) {
    denials.mutable_deny()->set_sent_at(claim.sent_at());
    send(from, std::move(denials));
  }
}

void Ledger::on_decline(std::uint64_t from, const v1::Decline& decline) {
  for (const v1::Offer& offer : decline.offers()) {
    const TaskKey key = key_of(offer.task());
    Task* task = find(key);
    if (task == nullptr || task->state != State::kOffered ||
        task->attempt != offer.task().attempt() ||
        (task->round != offer.round() && !BROKEN(kR1DeclineOfAnyRound))) {
      continue;  // of an earlier round: only its free count is news
    }
    leave_offered(key, *task);
    queue(key, true);
  }
  set_credit(workers_.at(from), 0);  // until it says otherwise
}

// Whether the task is leased to `from`, which says that it has it: then for another lease.
bool Ledger::renew(TimePoint now, std::uint64_t from, const v1::TaskRef& ref) {
  const TaskKey key = key_of(ref);
  Task* task = find(key);
  if (task == nullptr || task->attempt != ref.attempt() || task->state != State::kLeased ||
      task->owner != from) {
    return false;
  }
  task->until = std::max(task->until, now + options_.lease);  // leases of before may be longer
  workers_.at(from).leased.insert(key);                       // it may be a restored one
  return true;
}

void Ledger::on_heartbeat(TimePoint now, std::uint64_t from, const v1::Heartbeat& heartbeat) {
  v1::ToWorker message;
  v1::Renewal& renewal = *message.mutable_renewal();
  renewal.set_sent_at(heartbeat.sent_at());
  std::set<std::uint32_t> cancelled;
  on_release(from, heartbeat.released());  // the Release may have been lost
  for (const auto& ref : heartbeat.running()) {
    if (!renew(now, from, ref)) {
      *renewal.add_revoked() = ref;
    } else if (sweeps_.at(ref.sweep()).cancelled) {
      cancelled.insert(ref.sweep());  // the Cancel was lost
    }
  }
  for (const auto& ref : heartbeat.finished()) renew(now, from, ref);
  send(from, std::move(message));
  if (BROKEN(kCancelSaidOnce)) return;
  for (const std::uint32_t sweep : cancelled) send_cancel(from, sweep);
}

void Ledger::send_cancel(std::uint64_t incarnation, std::uint32_t sweep) {
  v1::ToWorker message;
  message.mutable_cancel()->set_sweep(sweep);
  send(incarnation, std::move(message));
}

void Ledger::on_release(std::uint64_t from, const Refs& tasks) {
  for (const auto& ref : tasks) {
    const TaskKey key = key_of(ref);
    Task* task = find(key);
    if (task == nullptr || task->state != State::kLeased || task->owner != from ||
        task->attempt != ref.attempt()) {
      continue;
    }
    unlease(key, *task);
    if (stopped(sweeps_.at(key.sweep), *task)) {
      end_returned(key, *task);
    } else {
      requeue(key, *task);
    }
  }
}

void Ledger::check_workers(TimePoint now) {
  if (now < next_worker_check_) return;
  std::vector<std::uint64_t> gone;
  for (auto& [incarnation, worker] : workers_) {
    const auto silence = now - worker.last_seen;
    if (!worker.suspect && silence > options_.heartbeat * 5 / 2) {
      set_serving(worker, false);
      set_credit(worker, 0);
      note(Noted::What::kWorkerSilent, incarnation);
    }
    if (silence > options_.lease && worker.leased.empty()) gone.push_back(incarnation);
  }
  for (const std::uint64_t incarnation : gone) drop_worker(incarnation);
  next_worker_check_ = workers_.empty() ? TimePoint::max() : now + options_.heartbeat / 2;
}

// Its leases, if it has any left, run out by themselves.
void Ledger::drop_worker(std::uint64_t incarnation, std::string why) {
  const auto worker = workers_.find(incarnation);
  if (worker == workers_.end()) return;
  actions_.push_back(Noted{
      .what = Noted::What::kWorkerLeft, .worker = worker_name(incarnation), .why = std::move(why)});
  set_credit(worker->second, 0);
  if (!worker->second.suspect) set_serving(worker->second, false);
  workers_.erase(worker);
}

void Ledger::dismiss_workers() {
  for (const auto& [incarnation, worker] : workers_) {
    v1::ToWorker message;
    message.mutable_dismissed();
    send(incarnation, std::move(message));
  }
}

}  // namespace netfleet

#include "tests/simulation/dispatcher.h"

#include <algorithm>

#include "common/breach.h"

namespace netfleet::simulation {

Dispatcher::Dispatcher(const Scenario& scenario, EventLoop& loop, Random& random, Books& books,
                       Network& network, Trace& trace)
    : Process(loop, random, scenario.dispatcher_rate),
      scenario_(scenario),
      books_(books),
      network_(network),
      trace_(trace),
      disk_(std::make_unique<Disk>(random.next() | 1)) {}

void Dispatcher::begin() {
  begin_life();
  queue_.clear();
  storing_.clear();
  ended_.clear();
  granted_.clear();
  offered_.clear();
  heard_.clear();
  orders_.clear();
  committing_ = false;
  needs_ = disk_->committed();
  LedgerOptions options;
  options.lease = scenario_.lease;
  if (scenario_.lease_changes) options.lease *= random_.between(1, 3);
  options.heartbeat = options.lease * 3 / 20;
  options.offer_expiry = scenario_.offer_expiry;
  options.offers_per_frame = scenario_.offers_per_frame;
  options.min_workers = scenario_.min_workers;
  options.region_timeout = scenario_.region_timeout;
  options.epoch = random_.next();
  options.seed = random_.next();
  options.journal_id = disk_->identity();
  ledger_.emplace(options);
  for (const std::string& region : scenario_.regions) ledger_->add_lane(region);
  for (const LimitSpec& limit : scenario_.limits) {
    LimitSpec spec = limit;
    if (BROKEN(kSessionsUnlimited)) spec.sessions = 0;
    if (BROKEN(kLoginsUnlimited)) spec.logins_per_second = 0;
    ledger_->limits().add(spec);
  }
  trace_("dispatcher: life {} on disk {:x}, lease {} ms", life(), disk_->identity(),
         options.lease.count());
  network_.dispatcher_started();
  for (Sweep& sweep : sweeps_) {
    if (!sweep.over) add_sweep(sweep, true);
  }
  longest_lease_ = std::max(longest_lease_, options.lease);
  // Not certain again before it has held out once: it may be killed meanwhile.
  if (uncertain_) {
    loop_.after(Nanoseconds(longest_lease_) * 11 / 10, [this, life = life()] {
      if (alive() && this->life() == life) uncertain_ = false;
    });
  }
  for (const std::uint32_t script : std::set<std::uint32_t>(due_)) sweep_is_due(script);
  finish_sweeps();  // killed between the last result and the end
  turn();
}

SweepPlan Dispatcher::plan_of(const Sweep& sweep, bool again) const {
  const SweepScript& script = scenario_.sweeps[sweep.script];
  SweepPlan plan;
  plan.sweep = sweep.number;
  plan.credentials = {"alpha", "beta"};
  plan.changes_device = script.changes_device;
  plan.retry_unsafe = script.retry_unsafe || BROKEN(kChangesRepeated);
  plan.retries = script.retries;
  plan.max_auth_failures = script.max_auth_failures;
  plan.priority = BROKEN(kPriorityIgnored) ? 0 : script.priority;
  plan.journaled = true;
  plan.rollout = script.rollout;
  if (again) {
    plan.restored = disk_->restored(sweep.number);
    plan.journal_uncertain = uncertain_;
    plan.least_attempt = disk_->least_attempt(sweep.number, uncertain_);
    plan.lease_before = longest_lease_;
  }
  return plan;
}

void Dispatcher::add_sweep(Sweep& sweep, bool again) {
  SweepPlan plan = plan_of(sweep, again);
  for (const HostScript& host : scenario_.sweeps[sweep.script].hosts) {
    SweepPlan::Task& task = plan.tasks.emplace_back();
    task.lane = host.region;
    task.credential = host.credential;
    task.subject = {ledger_->limits().add_set(host.limits),
                    BROKEN(kDevicesShared) ? 0 : host.device};
  }
  const auto hosts = static_cast<std::uint32_t>(plan.tasks.size());
  auto& [order, shown] = orders_
                             .try_emplace(sweep.number, Order(OutputOrder::kInventory, hosts),
                                          std::vector<std::uint32_t>())
                             .first->second;
  sweep.done = 0;
  for (const std::uint32_t index : disk_->results(sweep.number)) {
    for (const std::uint32_t one : order.arrived(index)) shown.push_back(one);
    ++sweep.done;
    ended_.insert({sweep.number, index});
    books_.brakes(sweep.id).ended(index, *disk_->find({sweep.number, index})->outcome);
    books_.brakes(sweep.id).done(index);
  }
  for (const auto& task : plan.restored) granted_[{sweep.number, task.index}] = task.attempt;
  trace_("dispatcher: sweep {} is number {}, {} of {} hosts restored", sweep.id, sweep.number,
         plan.restored.size(), hosts);
  ledger_->add_sweep(now(), plan);
}

void Dispatcher::sweep_is_due(std::uint32_t script) {
  due_.insert(script);
  if (!alive()) return;
  due_.erase(script);
  Sweep& sweep = sweeps_.emplace_back();
  sweep.id = static_cast<std::uint32_t>(sweeps_.size());
  sweep.script = script;
  sweep.number = next_number_++;
  books_.new_sweep(sweep.id, script);
  add_sweep(sweep, false);
  receive([] {});  // a turn, now or when it goes on
}

void Dispatcher::end(bool power_cut) {
  trace_("dispatcher: {}", power_cut ? "power cut" : "killed");
  if (committing_ && random_.chance(0.5)) {
    disk_->commit(random_.between(static_cast<std::uint32_t>(disk_->committed()),
                                  static_cast<std::uint32_t>(disk_->written())),
                  scenario_.durable);
  }
  disk_->process_ended();
  if (power_cut) {
    disk_->power_cut(random_);
    uncertain_ = true;
    books_.power_cut();
  }
  end_life();
  ledger_.reset();
  books_.dispatcher_ended();
  network_.dispatcher_ended();
}

void Dispatcher::lose_disk() {
  trace_("dispatcher: the disk is lost");
  disk_ = std::make_unique<Disk>(random_.next() | 1);
  books_.disk_lost();
  next_number_ = 1;
  longest_lease_ = Milliseconds(0);
  uncertain_ = false;
  for (Sweep& sweep : sweeps_) {
    if (!sweep.over) due_.insert(sweep.script);
    sweep.over = true;
    sweep.number = 0;
  }
}

Dispatcher::Sweep* Dispatcher::sweep_of(std::uint32_t number) {
  for (Sweep& sweep : sweeps_) {
    if (sweep.number == number) return &sweep;
  }
  return nullptr;
}

HostId Dispatcher::host_of(TaskKey key) { return {sweep_of(key.sweep)->id, key.index}; }

void Dispatcher::on_control(std::uint64_t from, const v1::ToDispatcher& message) {
  trace_("dispatcher: hears {} of {:x}", name_of(message), from);
  Heard& heard = heard_[from];
  if (message.has_hello() && ledger_->worker_name(from).empty()) heard = {};  // a new acquaintance
  const bool counts = message.has_hello() || message.journal() == disk_->identity();
  if (counts && message.sequence() > heard.sequence) heard = {message.sequence(), message.free()};
  if (message.has_decline()) {
    declines_ += static_cast<std::uint32_t>(message.decline().offers_size());
    for (const auto& offer : message.decline().offers()) {
      const auto known = offered_.find(key_of(offer.task()));
      if (known != offered_.end() && known->second.attempt == offer.task().attempt() &&
          known->second.round == offer.round()) {
        known->second.answered = true;
      }
    }
  }
  ledger_->on_message(now(), from, message);
  if (turns_ % 4 == 0) check_free(from);
}

// Nothing older than the newest word of a worker counts.
void Dispatcher::check_free(std::uint64_t from) {
  for (const WorkerView& view : ledger_->workers()) {
    if (view.incarnation == from && view.free > heard_[from].free) {
      books_.fail("the newest free count", fmt::format("{} has {} free, is taken to have {}",
                                                       view.name, heard_[from].free, view.free));
    }
  }
}

void Dispatcher::on_sink(const v1::ResultFrame& frame) {
  if (!ledger_->on_result_frame(now(), frame)) return;
  Heard& heard = heard_[frame.incarnation()];
  if (frame.sequence() > heard.sequence) heard = {frame.sequence(), frame.free()};
  collect();
  for (const v1::TaskResult& result : frame.results()) {
    const TaskKey key = key_of(result.task());
    const Outcome outcome = from_wire(result.outcome());
    const Verdict verdict =
        ledger_->on_result(now(), frame.incarnation(), key, result.task().attempt(), outcome,
                           result.command_sent(), result.way_lost());
    if (verdict == Verdict::kIgnore) continue;
    trace_("dispatcher: result of {}/{} attempt {}: {}, {}", key.sweep, key.index,
           result.task().attempt(), outcome_name(outcome),
           verdict == Verdict::kFinal ? "final" : "again");
    if (host_of(key).text() != result.platform()) {
      books_.fail("the right host's result",
                  fmt::format("host {} got that of {}", host_of(key).text(), result.platform()));
    }
    if (granted_[key] != result.task().attempt()) {
      books_.fail("the current attempt's result",
                  fmt::format("host {} attempt {} got that of {}", host_of(key).text(),
                              granted_[key], result.task().attempt()));
    }
    if (verdict == Verdict::kFinal && outcome == Outcome::kAuthFailed) {
      std::vector<std::uint32_t> running;
      for (const Sweep& sweep : sweeps_) {
        if (!sweep.over) running.push_back(sweep.id);
      }
      books_.login_refused(host_of(key), running);
    }
    if (verdict == Verdict::kFinal) books_.brakes(host_of(key).sweep).ended(key.index, outcome);
    if (verdict == Verdict::kFinal) store(key, result.task().attempt(), outcome);
    if (verdict == Verdict::kFinal && BROKEN(kR12AckBeforeStored)) ledger_->stored(key);
    collect();
  }
}

void Dispatcher::store(TaskKey key, std::uint32_t attempt, Outcome outcome) {
  if (!ended_.insert(key).second) books_.fail("a task ends once", host_of(key).text());
  collect();  // what came before is stored before
  storing_.emplace_back(disk_->append({.task = key, .attempt = attempt, .outcome = outcome}), key);
}

void Dispatcher::turn() {
  ledger_->tick(now());
  if (++turns_ % 64 == 0) ledger_->audit();
  collect();
  carry_out();
  begin_commit();
  offer_tasks();
  wake_at(ledger_->next_deadline());
}

void Dispatcher::on_room() {
  if (!alive() || paused()) return;
  offer_tasks();
}

void Dispatcher::collect() {
  for (Action& action : ledger_->take_actions()) {
    if (const auto* entry = std::get_if<Journal>(&action)) {
      needs_ = disk_->append({.task = entry->task,
                              .attempt = entry->attempt,
                              .owner = entry->owner,
                              .deaths = entry->deaths,
                              .retries_used = entry->retries_used,
                              .outcome = {}});
    } else if (const auto* noted = std::get_if<Noted>(&action)) {
      if (noted->what == Noted::What::kGranted) {
        granted_[noted->task] = noted->attempt;
        books_.granted(host_of(noted->task), noted->attempt);
      } else if (noted->what == Noted::What::kLeaseEnded) {
        trace_("dispatcher: lease of {}/{} attempt {} ended", noted->task.sweep, noted->task.index,
               noted->attempt);
        books_.lease_ended(host_of(noted->task), noted->attempt);
      } else if (noted->what == Noted::What::kGuard) {
        trace_("dispatcher: guard of sweep {}", noted->task.sweep);
        books_.guard_closed(host_of(noted->task).sweep, noted->credential);
      } else {
        on_rollout(*noted);
      }
    } else if (const auto* ended = std::get_if<TaskEnded>(&action)) {
      trace_("dispatcher: {}/{} attempt {} ends: {}", ended->task.sweep, ended->task.index,
             ended->attempt, outcome_name(ended->outcome));
      books_.ended_without_result(host_of(ended->task), ended->outcome, ended->error);
      if (!ended_.insert(ended->task).second) {
        books_.fail("a task ends once", host_of(ended->task).text());
      }
      ended_without_.insert(ended->task);
      storing_.emplace_back(
          disk_->append(
              {.task = ended->task, .attempt = ended->attempt, .outcome = ended->outcome}),
          ended->task);
    } else {
      queue_.push_back({needs_, std::move(action)});
    }
  }
}

// Journal entries first: what stands behind one waits until it is safe.
void Dispatcher::carry_out() {
  while (!queue_.empty() &&
         (queue_.front().needs <= disk_->committed() || BROKEN(kR12GrantBeforeJournal))) {
    Queued queued = std::move(queue_.front());
    queue_.pop_front();
    act(queued);
  }
}

void Dispatcher::act(Queued& queued) {
  auto& send = std::get<SendToWorker>(queued.action);
  if (send.message.has_grant()) {
    for (v1::TaskSpec& task : *send.message.mutable_grant()->mutable_tasks()) {
      task.set_host(host_of(key_of(task.task())).text());
      task.set_address("192.0.2.1");
      task.set_port(22);
      task.set_platform("generic");
      trace_("dispatcher: grant {}/{} attempt {} to {:x}", task.task().sweep(), task.task().index(),
             task.task().attempt(), send.incarnation);
    }
  } else if (send.message.has_job()) {
    const Sweep* sweep = sweep_of(send.message.job().sweep());
    send.message.mutable_job()->set_id(std::to_string(sweep->id));
    send.message.mutable_job()->add_commands("show clock");
    send.message.mutable_job()->set_host_key_policy(v1::HOST_KEY_POLICY_OFF);
  }
  network_.down(send.incarnation, send.message);
}

void Dispatcher::begin_commit() {
  if (committing_ || disk_->committed() == disk_->written()) return;
  committing_ = true;
  const bool slow = random_.chance(0.02) && scenario_.kind == Kind::kStorm;
  const Nanoseconds takes = random_.between(Nanoseconds(50'000), Milliseconds(slow ? 800 : 8));
  loop_.after(takes, [this, up_to = disk_->written(), life = life()] {
    if (alive() && this->life() == life) committed(up_to);
  });
}

void Dispatcher::committed(std::size_t up_to) {
  disk_->commit(up_to,
                (scenario_.durable && !BROKEN(kR13ChangesNotSynced)) || random_.chance(0.05));
  committing_ = false;
  receive([this] {
    while (!storing_.empty() && storing_.front().first <= disk_->committed()) {
      const TaskKey key = storing_.front().second;
      storing_.pop_front();
      ledger_->stored(key);
      books_.brakes(host_of(key).sweep).done(key.index);
      auto& [order, shown] = orders_.at(key.sweep);
      for (const std::uint32_t index : order.arrived(key.index)) shown.push_back(index);
      ++sweep_of(key.sweep)->done;
    }
    finish_sweeps();
  });
}

void Dispatcher::finish_sweeps() {
  for (Sweep& sweep : sweeps_) {
    if (sweep.over || sweep.number == 0) continue;
    const auto hosts = static_cast<std::uint32_t>(scenario_.sweeps[sweep.script].hosts.size());
    if (sweep.done * 2 >= hosts && sweep.half_done == Nanoseconds(0)) {
      sweep.half_done = loop_.now();
      for (const Sweep& other : sweeps_) sweep.done_at_half.push_back(other.done);
    }
    if (sweep.done < hosts) continue;
    sweep.over = true;
    sweep.ended = loop_.now();
    trace_("dispatcher: sweep {} is over", sweep.id);
    if (!ledger_->finished(sweep.number)) books_.fail("a sweep ends with its tasks", "");
    const auto& shown = orders_.at(sweep.number).second;
    for (std::uint32_t index = 0; index < hosts; ++index) {
      if (shown.size() != hosts || shown[index] != index) {
        books_.fail("inventory order", fmt::format("sweep {}", sweep.id));
      }
    }
    if (random_.chance(0.5)) ledger_->forget_sweep(sweep.number);
  }
}

void Dispatcher::offer_tasks() {
  for (std::uint16_t lane = 0; lane < scenario_.regions.size(); ++lane) {
    while (ledger_->wants_to_offer(lane) && network_.has_room(lane)) {
      books_.offers_expire_after(ledger_->offer_expiry());
      const v1::OfferFrame frame = ledger_->make_offers(now(), lane);
      if (frame.offers_size() == 0) break;
      for (const v1::Offer& offer : frame.offers()) {
        const TaskKey key = key_of(offer.task());
        const auto before = offered_.find(key);
        if (before != offered_.end() && before->second.attempt == offer.task().attempt() &&
            !before->second.answered && now() - before->second.at < scenario_.offer_expiry) {
          books_.fail("one offer at a time", host_of(key).text());
        }
        offered_[key] = {offer.task().attempt(), offer.round(), now(), false};
      }
      network_.offer(lane, frame);
    }
  }
}

}  // namespace netfleet::simulation

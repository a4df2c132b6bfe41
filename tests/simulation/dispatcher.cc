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
  gate_ = {};
  recorders_.clear();
  lanes_ = 0;
  stalled_ = false;
  ended_.clear();
  granted_.clear();
  untold_.clear();
  offered_.clear();
  heard_.clear();
  orders_.clear();
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
  if (!scenario_.lanes_come) {
    for (const std::string& region : scenario_.regions) lane_of(region);
  }
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
  plan.closes = sweep.closes;
  plan.why_closed = "it has closed";
  if (again) {
    plan.restored = disk_->restored(sweep.number);
    plan.journal_uncertain = uncertain_;
    plan.least_attempt = disk_->least_attempt(sweep.number, uncertain_);
    plan.lease_before = longest_lease_;
  }
  return plan;
}

void Dispatcher::add_sweep(Sweep& sweep, bool again) {
  sweep.forgotten = false;
  SweepPlan plan = plan_of(sweep, again);
  for (const HostScript& host : scenario_.sweeps[sweep.script].hosts) {
    SweepPlan::Task& task = plan.tasks.emplace_back();
    task.lane = lane_of(scenario_.regions[host.region]);
    task.credential = host.credential;
    task.not_before = sweep.began + host.turn;
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
  sweep.began = now();
  books_.new_sweep(sweep.id, script);
  if (const auto after = scenario_.sweeps[script].closes) sweep.closes = now() + *after;
  add_sweep(sweep, false);
  receive([] {});  // a turn, now or when it goes on
}

void Dispatcher::end(bool power_cut) {
  trace_("dispatcher: {}", power_cut ? "power cut" : "killed");
  for (auto& [number, recorder] : recorders_) {
    if (recorder.batch == 0 || recorder.stalled || random_.chance(0.5)) continue;
    const auto most = static_cast<std::uint32_t>(recorder.batch);
    disk_->commit(recorder.waiting, random_.between(0u, most), scenario_.durable);
  }
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
  if (message.has_hello() && scenario_.lanes_come) {
    for (const std::string& region : message.hello().regions()) lane_of(region);
  }
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

void Dispatcher::turn() {
  collect_news();
  ledger_->tick(now());
  if (++turns_ % 64 == 0) ledger_->audit();
  collect();
  carry_out();
  begin_commits();
  offer_tasks();
  finish_sweeps();
  wake_at(ledger_->next_deadline());
}

void Dispatcher::on_room() {
  if (!alive() || paused()) return;
  offer_tasks();
}

void Dispatcher::collect() {
  std::vector<Action> actions = ledger_->take_actions();
  for (const Action& action : actions) {
    if (const auto* noted = std::get_if<Noted>(&action)) {
      note(*noted);
    } else if (const auto* ended = std::get_if<TaskEnded>(&action)) {
      trace_("dispatcher: {}/{} attempt {} ends: {}", ended->task.sweep, ended->task.index,
             ended->attempt, outcome_name(ended->outcome));
      books_.ended_without_result(host_of(ended->task), ended->outcome, ended->error);
      ended_without_.insert(ended->task);
      const Sweep& sweep = *sweep_of(ended->task.sweep);
      if (ended->outcome == Outcome::kDeferred && now() < sweep.closes && !sweep.has_closed) {
        books_.fail("what is deferred has closed", host_of(ended->task).text());
      }
    }
  }
  for (const Journal& entry : gate_.add(std::move(actions))) {
    recorders_[entry.task.sweep].waiting.push_back({.task = entry.task,
                                                    .attempt = entry.attempt,
                                                    .owner = entry.owner,
                                                    .deaths = entry.deaths,
                                                    .retries_used = entry.retries_used,
                                                    .outcome = {}});
    if (BROKEN(kR12GrantBeforeJournal)) gate_.journaled(entry.task.sweep, UINT64_MAX);
  }
}

void Dispatcher::note(const Noted& noted) {
  const auto untold = untold_.find(noted.task);
  if (noted.what == Noted::What::kGranted) {
    granted_[noted.task] = untold_[noted.task] = noted.attempt;
    check_time(noted.task);
    books_.granted(host_of(noted.task), noted.attempt);
  } else if (noted.what == Noted::What::kLeaseEnded) {
    trace_("dispatcher: lease of {}/{} attempt {} ended", noted.task.sweep, noted.task.index,
           noted.attempt);
    books_.lease_ended(host_of(noted.task), noted.attempt);
    if (untold != untold_.end() && untold->second == noted.attempt && !scenario_.may_stop) {
      books_.fail("what nobody was told of is not lost", host_of(noted.task).text());
    }
  } else if (noted.what == Noted::What::kGuard) {
    trace_("dispatcher: guard of sweep {}", noted.task.sweep);
    books_.guard_closed(host_of(noted.task).sweep, noted.credential);
  } else {
    on_rollout(noted);
  }
}

void Dispatcher::check_time(TaskKey key) {
  const Sweep& sweep = *sweep_of(key.sweep);
  if (now() >= sweep.closes) books_.fail("nothing starts that has closed", host_of(key).text());
  if (now() < sweep.began + books_.host(host_of(key)).turn) {
    books_.fail("each waits for its turn", host_of(key).text());
  }
}

// What stands behind a journal entry waits until that is safe.
void Dispatcher::carry_out() {
  for (Action& action : gate_.take()) {
    if (auto* message = std::get_if<SendToWorker>(&action)) {
      send(*message);
    } else if (const auto* ended = std::get_if<TaskEnded>(&action)) {
      store(ended->task, ended->attempt, ended->outcome);
    }
  }
}

void Dispatcher::send(SendToWorker& action) {
  if (action.message.has_grant()) {
    for (v1::TaskSpec& task : *action.message.mutable_grant()->mutable_tasks()) {
      const TaskKey key = key_of(task.task());
      check_journaled(task.task(), action.incarnation);
      if (untold_[key] == task.task().attempt()) untold_.erase(key);
      task.set_host(host_of(key).text());
      task.set_address("192.0.2.1");
      task.set_port(22);
      task.set_platform("generic");
      trace_("dispatcher: grant {}/{} attempt {} to {:x}", key.sweep, key.index,
             task.task().attempt(), action.incarnation);
    }
  } else if (action.message.has_job()) {
    const Sweep* sweep = sweep_of(action.message.job().sweep());
    action.message.mutable_job()->set_id(std::to_string(sweep->id));
    action.message.mutable_job()->add_commands("show clock");
    action.message.mutable_job()->set_host_key_policy(v1::HOST_KEY_POLICY_OFF);
  }
  network_.down(action.incarnation, action.message);
}

// Whoever comes next must know of it.
void Dispatcher::check_journaled(const v1::TaskRef& ref, std::uint64_t incarnation) const {
  const SweepPlan::Restored* safe = disk_->find(key_of(ref));
  if (safe != nullptr && (safe->outcome || safe->attempt > ref.attempt())) return;
  if (safe == nullptr || safe->attempt != ref.attempt() || safe->owner != incarnation) {
    books_.fail("what is told is written down",
                fmt::format("{}/{} attempt {}", ref.sweep(), ref.index(), ref.attempt()));
  }
}

// With sockets: opened where there is none.
std::uint16_t Dispatcher::lane_of(const std::string& region) {
  const std::uint16_t lane = ledger_->add_lane(region);
  lanes_ = std::max<std::uint16_t>(lanes_, lane + 1);
  return lane;
}

void Dispatcher::offer_tasks() {
  for (std::uint16_t lane = 0; lane < lanes_; ++lane) {
    while (ledger_->wants_to_offer(lane) && network_.has_room(lane)) {
      books_.offers_expire_after(ledger_->offer_expiry());
      const v1::OfferFrame frame = ledger_->make_offers(now(), lane);
      if (frame.offers_size() == 0) break;
      for (const v1::Offer& offer : frame.offers()) {
        const TaskKey key = key_of(offer.task());
        check_time(key);
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

#include "tests/simulation/worker.h"

#include <algorithm>

#include "common/breach.h"

namespace netfleet::simulation {

Worker::Worker(const Scenario& scenario, std::uint32_t number, EventLoop& loop, Random& random,
               Books& books, Network& network, Dispatcher& dispatcher, Trace& trace)
    : Process(loop, random, scenario.workers[number].clock_rate),
      scenario_(scenario),
      script_(scenario.workers[number]),
      number_(number),
      books_(books),
      network_(network),
      dispatcher_(dispatcher),
      trace_(trace) {}

void Worker::begin() {
  begin_life();
  LeaseHolderOptions options;
  options.name = script_.name;
  options.regions = script_.regions;
  options.slots = script_.slots;
  options.most_unacknowledged = script_.most_unacknowledged;
  options.incarnation = random_.next() | 1;
  if (BROKEN(kR10SameIncarnation)) {
    options.incarnation = std::hash<std::string>()(script_.name) | 1;
  }
  incarnation_ = options.incarnation;
  sessions_.clear();
  running_.clear();
  overdue_.clear();
  outbox_.clear();
  acknowledged_.clear();
  jobs_.clear();
  journal_ = 0;
  full_ = false;
  hellos_ = 0;
  trace_("{}: life {}, incarnation {:x}", script_.name, life(), incarnation_);
  holder_.emplace(options);
  holder_->start(now());
  turn();
}

void Worker::end() {
  if (!alive()) return;
  trace_("{}: ends", script_.name);
  books_.worker_died(incarnation_);
  network_.worker_ended(number_);
  end_life();
}

void Worker::drain() {
  receive([this] {
    trace_("{}: drains", script_.name);
    holder_->drain(now());
  });
}

void Worker::on_message(const v1::ToWorker& message) {
  trace_("{}: hears {}", script_.name, name_of(message));
  if (message.has_result_ack()) {
    for (const v1::TaskRef& ref : message.result_ack().tasks()) {
      acknowledged_.insert({key_of(ref), ref.attempt()});
      if (outbox_.contains(key_of(ref))) dispatcher_.check_acknowledged(ref, incarnation_);
    }
  }
  if (message.has_welcome() && message.welcome().journal() != journal_) {
    forgetting_ = journal_ != 0;
    journal_ = message.welcome().journal();
  }
  holder_->on_message(now(), message);
}

void Worker::on_offers(const v1::OfferFrame& frame) { holder_->on_offers(now(), frame); }

void Worker::turn() {
  holder_->tick(now());
  act();
  forgetting_ = false;
  if (!alive()) return;
  check_holder();
  wake_at(holder_->next_deadline());
}

void Worker::on_resume() {
  for (const std::uint64_t session : std::exchange(overdue_, {})) {
    if (alive()) step(session);
  }
}

void Worker::check_holder() {
  const bool full = holder_->free_slots() == 0;
  if (full && !full_) full_since_ = now();
  full_ = full;
  const std::size_t most = std::size_t{script_.most_unacknowledged} + 2 * script_.slots;
  if (outbox_.size() > most) {
    books_.fail("a bounded outbox",
                fmt::format("{} results of at most {} in {}", outbox_.size(), most, script_.name));
  }
}

void Worker::act() {
  for (auto actions = holder_->take_actions(); !actions.empty() && alive();
       actions = holder_->take_actions()) {
    says_hello_ = std::any_of(actions.begin(), actions.end(), [](const WorkerAction& action) {
      return std::holds_alternative<OpenControl>(action) || std::holds_alternative<Part>(action);
    });
    for (const WorkerAction& action : actions) {
      if (alive()) std::visit([this](const auto& one) { act(one); }, action);
    }
  }
}

void Worker::act(const SendToDispatcher& action) {
  if (action.message.has_hello()) {
    if (loop_.now() - hellos_since_ > scenario_.heartbeat / 2) {
      hellos_since_ = loop_.now();
      hellos_ = 0;
    }
    if (++hellos_ > 4) books_.fail("no storm of Hellos", script_.name);
  }
  trace_("{}: says {}", script_.name, name_of(action.message));
  network_.up(number_, incarnation_, action.message);
}

void Worker::act(const StartTask& action) {
  const TaskKey key = key_of(action.task.task());
  SessionRecord record;
  const std::string& host = action.task.host();
  const auto dot = host.find('.');
  record.host = {static_cast<std::uint32_t>(std::stoul(host.substr(0, dot))),
                 static_cast<std::uint32_t>(std::stoul(host.substr(dot + 1)))};
  record.id = (std::uint64_t{number_ + 1} << 40) | ++next_session_;
  record.key = key;
  record.attempt = action.task.task().attempt();
  record.incarnation = incarnation_;
  record.worker = script_.name;
  record.lease = action.lease;
  record.clock = [this] { return now(); };
  if (jobs_[key.sweep] != std::to_string(record.host.sweep)) {
    books_.fail("the right commands",
                fmt::format("host {} with the job {}", host, jobs_[key.sweep]));
  }
  if (running_.contains(key)) books_.fail("one session a task", host);
  if (script_.gives_back > 0 && random_.chance(script_.gives_back)) {
    trace_("{}: gives {} back", script_.name, host);
    return holder_->give_back(key);
  }
  trace_("{}: starts {} attempt {}, lease until {:.3f} (now {:.3f})", script_.name, host,
         record.attempt, static_cast<double>(action.lease->end().time_since_epoch().count()) / 1e9,
         static_cast<double>(now().time_since_epoch().count()) / 1e9);
  Session session;
  const SweepScript& sweep = books_.script(record.host.sweep);
  session.acts = 2 + random_.between(1, 3);
  session.unreachable = random_.chance(sweep.unreachable);
  session.way_lost = random_.chance(sweep.ways_lost);
  Nanoseconds length = scenario_.kind == Kind::kCalm
                           ? sweep.session
                           : random_.between(sweep.session / 4, sweep.session * 3 / 2);
  length = nanoseconds(Seconds(length).count() * script_.slowness);
  if (random_.chance(sweep.long_sessions)) {
    length = random_.between(Nanoseconds(scenario_.lease), Nanoseconds(scenario_.lease) * 3);
    session.acts = 40;
  }
  session.pause = length / session.acts;
  const std::uint64_t id = record.id;
  session.record = books_.started(std::move(record));
  running_[key] = id;
  sessions_.emplace(id, std::move(session));
  step_at(loop_.now() + random_.between(Nanoseconds(0), Milliseconds(1)), id);
}

void Worker::step_at(Nanoseconds time, std::uint64_t session) {
  loop_.at(time, [this, session, life = life()] {
    if (!alive() || this->life() != life) return;
    if (paused()) return overdue_.push_back(session);
    step(session);
  });
}

// A session's own thread: it looks at its lease before each act, not at the loop.
void Worker::step(std::uint64_t number) {
  const auto found = sessions_.find(number);
  if (found == sessions_.end()) return;
  Session& session = found->second;
  SessionRecord& record = *session.record;
  if (session.stopping) return finish(number, Outcome::kCancelled);
  if (!record.lease->valid(now()) && !BROKEN(kR7ActUnchecked)) {
    return finish(number, Outcome::kCancelled);
  }
  const HostScript& host = books_.host(record.host);
  if (session.acts_done == session.acts) {
    return finish(number, host.bad ? Outcome::kCommandFailed : Outcome::kOk);
  }
  const bool cut = session.way_lost && random_.chance(1.0 / (session.acts - session.acts_done));
  if (cut) return finish(number, Outcome::kJumpFailed);
  const bool command = session.acts_done >= 2;
  books_.acted(session.record, command);
  if (session.acts_done == 0 && session.unreachable) return finish(number, Outcome::kUnreachable);
  if (session.acts_done == 1 && host.login_refused) {
    books_.tried_wrong_password(record.host);
    return finish(number, Outcome::kAuthFailed);
  }
  if (session.acts_done == 1 && host.poison) {
    end();
    loop_.after(std::chrono::seconds(1), [this] {
      if (!alive()) begin();
    });
    return;
  }
  ++session.acts_done;
  step_at(loop_.now() + session.pause, number);
}

void Worker::finish(std::uint64_t number, Outcome outcome) {
  const std::shared_ptr<SessionRecord> record = sessions_.at(number).record;
  sessions_.erase(number);
  running_.erase(record->key);
  books_.ended(record, may_retry(outcome, record->commanded));
  v1::TaskResult result;
  *result.mutable_task() = make_ref(record->key, record->attempt);
  result.set_outcome(static_cast<v1::Outcome>(static_cast<int>(outcome) + 1));
  result.set_platform(record->host.text());
  result.set_command_sent(record->commanded);
  result.set_way_lost(outcome == Outcome::kJumpFailed);
  const bool refused = outcome == Outcome::kAuthFailed && !BROKEN(kRefusedSlotFree);
  const bool kept = holder_->on_finished(now(), record->key, 100, refused);
  trace_("{}: {} attempt {} finished: {}{}", script_.name, record->host.text(), record->attempt,
         outcome_name(outcome), kept ? "" : ", dropped");
  if (kept) outbox_[record->key] = std::move(result);
  if (!paused()) turn();
}

void Worker::act(const StopTask& action) {
  const auto running = running_.find(action.task);
  if (running == running_.end()) return;
  Session& session = sessions_.at(running->second);
  if (session.stopping) return;
  session.stopping = true;
  trace_("{}: stops {}", script_.name, session.record->host.text());
  step_at(
      loop_.now() + random_.between(Nanoseconds(0), Milliseconds(random_.chance(0.9) ? 5 : 3'000)),
      running->second);
}

void Worker::act(const SendResult& action) {
  const auto body = outbox_.find(action.task);
  if (body == outbox_.end()) return;
  v1::ResultFrame frame;
  holder_->stamp(frame);
  *frame.add_results() = body->second;
  network_.result(number_, frame);
}

void Worker::act(const DropResult& action) {
  const auto body = outbox_.find(action.task);
  if (body == outbox_.end()) return;
  if (!acknowledged_.contains({action.task, body->second.task().attempt()}) && !forgetting_) {
    books_.fail("a result is kept until acknowledged", body->second.platform());
  }
  outbox_.erase(body);
}

void Worker::act(const OpenControl&) { network_.reopen(number_); }

void Worker::act(const JoinLanes& action) {
  std::vector<std::uint16_t> lanes;
  for (const std::uint32_t offset : action.offsets) {
    lanes.push_back(static_cast<std::uint16_t>(offset - 2));
  }
  network_.join(number_, std::move(lanes));
}

void Worker::act(const LeaveLanes&) {
  if (!says_hello_ && !(full_ && now() - full_since_ >= Milliseconds(50))) {
    books_.fail("lanes are left slowly", script_.name);
  }
  network_.leave(number_);
}

void Worker::act(const ForgetJob& action) { jobs_.erase(action.sweep); }
void Worker::act(const KnowJob& action) { jobs_[action.job.sweep()] = action.job.id(); }

void Worker::act(const Part& action) {
  if (action.why == Parting::kDismissed) return jobs_.clear();
  end();
  loop_.after(std::chrono::seconds(2), [this] {
    if (!alive()) begin();
  });
}

void Worker::check_at_end() {
  if (!alive()) return;
  if (!outbox_.empty()) books_.fail("nothing is held for ever", script_.name + " holds results");
  if (!sessions_.empty()) books_.fail("nothing is held for ever", script_.name + " has sessions");
  if (holder_->free_slots() != script_.slots) {
    books_.fail("nothing is held for ever", fmt::format("{} has {} of {} slots", script_.name,
                                                        holder_->free_slots(), script_.slots));
  }
}

}  // namespace netfleet::simulation

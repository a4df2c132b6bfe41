#include "dispatcher/fleet/hub.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "common/secret.h"
#include "dispatcher/fleet/grants.h"
#include "dispatcher/fleet/log.h"
#include "dispatcher/fleet/status.h"
#include "dispatcher/fleet/sweep_plan.h"

namespace netfleet {
namespace {

constexpr int kMessagesATurn = 256;      // so that no socket starves the others
constexpr Milliseconds kPatience{2000};  // after the second interrupt
constexpr Milliseconds kProgressEvery{250};
constexpr Milliseconds kWaitingNoteAfter{2000};
// Outputs besides those of commands (configuration, commit, save, ...), and bytes of the largest
// one that needs no device: a rehearsed configuration, with its saving.
constexpr std::uint32_t kOutputsBesides = 16;
constexpr std::uint64_t kRehearsal = kMaxConfiguration + 1024;
constexpr Milliseconds kWaitingNoteEvery{30'000};

}  // namespace

Hub::Hub(wire::Context& context, const Clock& clock, HubOptions options)
    : context_(context),
      clock_(clock),
      options_(std::move(options)),
      ledger_(options_.ledger),
      wakeup_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  CHECK(wakeup_fd_ >= 0);
}

Hub::~Hub() { close(wakeup_fd_); }

void Hub::log(const std::string& line) const {
  if (options_.log) options_.log(line);
}

Expected<void> Hub::open(const std::vector<std::string>& regions) {
  if (options_.keys) {
    auto admission = Admission::open(
        context_, std::move(*options_.keys), [this](const std::string& line) { log(line); },
        [this](std::uint64_t worker) { return !ledger_.worker_name(worker).empty(); });
    if (!admission) return std::unexpected(admission.error());
    admission_ = std::move(*admission);
  }
  const curve::Keys* keys = admission_ ? &admission_->keys() : nullptr;
  const auto bound = [&](wire::Kind kind, std::uint32_t offset) -> Expected<wire::Socket> {
    auto socket = wire::Socket::make(context_, kind, {}, keys);
    if (!socket) return socket;
    if (auto done = socket->bind(options_.endpoint.at(offset)); !done) {
      return std::unexpected(done.error());
    }
    return socket;
  };
  for (const auto& region : regions) {
    const std::uint32_t offset = 2u + ledger_.add_lane(region);
    auto lane = bound(wire::Kind::kLanePush, offset);
    if (!lane) return std::unexpected(lane.error());
    lanes_.push_back(std::move(*lane));
  }
  auto sink = bound(wire::Kind::kSinkPull, 1);
  if (!sink) return std::unexpected(sink.error());
  sink_ = std::move(*sink);
  auto control = bound(wire::Kind::kControlRouter, 0);  // last: who finds it finds the others too
  if (!control) return std::unexpected(control.error());
  control_ = std::move(*control);
  return {};
}

void Hub::worker_failed(const std::string& why) {
  const std::lock_guard lock(failure_mutex_);
  failure_ = why;
  const std::uint64_t one = 1;
  CHECK(write(wakeup_fd_, &one, sizeof one) == sizeof one);
}

Expected<SweepEnd> Hub::run(SweepRun sweep, Recorder& recorder, int signal_fd) {
  sweep_ = std::move(sweep);
  recorder_ = &recorder;
  parts_.emplace(static_cast<std::uint32_t>(sweep_.job.commands.size()) + kOutputsBesides,
                 std::max(sweep_.job.max_output, kRehearsal));
  signal_fd_ = signal_fd;
  for (const TaskState& state : sweep_.states) {
    if (state.outcome) count_done(*state.outcome);
  }
  const TimePoint start = clock_.now();
  ledger_.add_sweep(start, make_sweep_plan(sweep_, ledger_));
  next_waiting_note_ = start + kWaitingNoteAfter;
  while (!done()) {
    wait();
    receive_signals();
    receive_answer();
    if (admission_) admission_->answer(clock_.now());
    receive_control();
    receive_results();
    collect_news();
    ledger_.tick(clock_.now());
    act();
    recorder_->submit();
    offer_tasks();
    const std::lock_guard lock(failure_mutex_);
    if (failure_) return fail(*failure_);
  }
  ledger_.dismiss_workers();
  act();
  if (options_.progress) options_.progress(0);
  if (const auto dropped = malformed_ + control_->dropped() + sink_->dropped(); dropped > 0) {
    log(fmt::format("dropped {} malformed or forged messages from the network", dropped));
  }
  SweepEnd end;
  end.report =
      finish_recording(sweep_.elapsed + std::chrono::round<Milliseconds>(clock_.now() - start));
  end.guarded = ledger_.guarded(sweep_.number);
  end.interrupted = interrupts_ > 0;
  return end;
}

bool Hub::done() const {
  return ledger_.finished(sweep_.number) && gate_.empty() && held_back_.empty();
}

void Hub::wait() {
  const TimePoint now = clock_.now();
  wire::Poller poller;
  poller.add(wakeup_fd_);
  poller.add(recorder_->notify_fd());
  poller.add(*control_, true, false);
  if (admission_) poller.add(admission_->gate());
  if (signal_fd_ >= 0) poller.add(signal_fd_);
  if (options_.question && options_.question->fd() >= 0) poller.add(options_.question->fd());
  if (held_back_.empty()) poller.add(*sink_, true, false);
  for (std::uint16_t lane = 0; lane < lanes_.size(); ++lane) {
    if (ledger_.wants_to_offer(lane)) poller.add(lanes_[lane], false, true);
  }
  TimePoint until = std::min(ledger_.next_deadline(), give_up_at_);
  if (options_.progress) until = std::min(until, next_progress_);
  if (ledger_.workers_welcomed() == 0) until = std::min(until, next_waiting_note_);
  // Both ends of time mean something here, and are not subtracted from.
  poller.wait(until == TimePoint::max() ? Nanoseconds(std::chrono::seconds(10))
                                        : std::max(until, now) - now);
  if (options_.progress && now >= next_progress_) {
    next_progress_ = now + kProgressEvery;
    options_.progress(ledger_.running());
  }
  if (now >= next_waiting_note_ && ledger_.workers_welcomed() < options_.ledger.min_workers) {
    next_waiting_note_ = now + kWaitingNoteEvery;
    log(fmt::format("waiting for workers at {}: {} of {} there", options_.endpoint.text(),
                    ledger_.workers_welcomed(), options_.ledger.min_workers));
  }
}

void Hub::receive_signals() {
  if (clock_.now() >= give_up_at_) {
    give_up_at_ = TimePoint::max();
    ledger_.abandon(sweep_.number);
  }
  if (signal_fd_ < 0) return;
  signalfd_siginfo info{};
  while (read(signal_fd_, &info, sizeof info) == sizeof info) interrupted();
}

void Hub::interrupted() {
  ++interrupts_;
  if (interrupts_ == 1) {
    log(fmt::format(
        "interrupted: finishing {} running, starting no others; once more stops at once",
        ledger_.running()));
    ledger_.drain(sweep_.number);
  } else if (interrupts_ == 2) {
    log("interrupted again: stopping what runs");
    ledger_.cancel_running(sweep_.number);
    give_up_at_ = clock_.now() + kPatience;
  } else {
    ledger_.abandon(sweep_.number);
    recorder_->abandon();
  }
}

bool Hub::believed(const wire::Received& received, const v1::ToDispatcher& message) {
  if (!admission_) return true;
  const auto judged = admission_->judge(received.user, message);
  if (judged.refusal) send_to(received.from, *judged.refusal);
  return judged.believed;
}

void Hub::receive_control() {
  for (int i = 0; i < kMessagesATurn; ++i) {
    auto received = control_->receive();
    if (!received) return;
    const std::uint64_t from = incarnation_of(received->from);
    const std::uint8_t version = frame_version(received->bytes);
    auto message = decode_to_dispatcher(received->bytes);
    if (version != 0 && version != kProtocolVersion) {
      v1::ToWorker refusal;
      refusal.mutable_refused()->set_reason(fmt::format(
          "it speaks protocol version {}, this dispatcher speaks {}", version, kProtocolVersion));
      send_to(received->from, refusal);
    } else if (!message || message->incarnation() != from || !believed(*received, *message)) {
      ++malformed_;
    } else if (message->has_ask_workers()) {
      const SweepView sweep{sweep_.job.sweep, static_cast<std::uint32_t>(sweep_.tasks.size()),
                            done_, ledger_.running()};
      send_to(received->from,
              worker_list(ledger_.workers(), {sweep}, clock_.now(), options_.ledger.epoch));
    } else if (message->has_progress()) {
      if (options_.verbose) {
        const TaskKey task = key_of(message->progress().task());
        log(log_progress(message->progress(), ledger_.worker_name(from), subject_of(task)));
      }
      ledger_.on_message(clock_.now(), from, *message);
    } else {
      ledger_.on_message(clock_.now(), from, *message);
    }
  }
}

void Hub::count_done(Outcome outcome) {
  ++done_;
  if (options_.recorded) options_.recorded(outcome);
}

void Hub::collect_news() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto woken = read(wakeup_fd_, &count, sizeof count);
  const Recorder::News news = recorder_->take();
  for (const Error& error : news.errors) log(error.message);
  for (const auto& stored : news.stored) {
    ledger_.stored({sweep_.number, stored.index});
    count_done(stored.outcome);
  }
  journaled_ = news.journaled;
  if (news.failed && sweep_.journaled) journal_failed_ = true;
  recorded_ = news.ended;
}

// The last outputs may go to a slow reader: signals still count, workers are gone already.
RecordingReport Hub::finish_recording(Milliseconds elapsed) {
  recorder_->end(elapsed);
  while (!recorded_) {
    wire::Poller poller;
    poller.add(recorder_->notify_fd());
    if (signal_fd_ >= 0) poller.add(signal_fd_);
    poller.wait(std::chrono::seconds(10));
    receive_signals();
    collect_news();
  }
  return recorder_->finish();
}

void Hub::offer_tasks() {
  for (std::uint16_t lane = 0; lane < lanes_.size(); ++lane) {
    while (ledger_.wants_to_offer(lane) && lanes_[lane].can_send()) {
      const v1::OfferFrame frame = ledger_.make_offers(clock_.now(), lane);
      if (frame.offers_size() == 0) break;
      // Sent or not, the offer is out; one that gets nowhere runs out by itself.
      if (lanes_[lane].send(encode(frame)) != wire::Sent::kYes) break;
    }
  }
}

void Hub::act() {
  for (const Journal& entry : gate_.add(ledger_.take_actions())) {
    recorder_->journal({.index = entry.task.index,
                        .attempt = entry.attempt,
                        .owner = entry.owner,
                        .deaths = entry.deaths,
                        .retries_used = entry.retries_used});
  }
  if (journal_failed_) withhold();
  for (Action& action : gate_.take(journaled_)) {
    std::visit([this](auto& one) { act(one); }, action);
  }
}

// What was granted and is not on the disk has not been told to anybody, and never will be: after a
// restart nobody would know who runs it.
void Hub::withhold() {
  std::vector<TaskKey> withheld;
  for (const Journal& entry : gate_.give_up()) {
    if (entry.owner != 0) withheld.push_back(entry.task);
  }
  ledger_.journal_failed(sweep_.number, withheld);
  gate_.add(ledger_.take_actions());
}

void Hub::act(const Journal&) {}  // the gate keeps them

void Hub::act(SendToWorker& action) {
  const std::string to = routing_id(action.incarnation);
  if (action.message.has_grant()) {
    return send_grant(action.message, sweep_.tasks,
                      [&](const v1::ToWorker& part) { send_to(to, part); });
  }
  if (action.message.has_job()) {
    *action.message.mutable_job() = to_wire(sweep_.job, action.message.job().sweep());
  }
  send_to(to, action.message);
  if (action.message.has_welcome()) send_credentials(to);
}

void Hub::send_to(const std::string& to, const v1::ToWorker& message, std::string_view secret) {
  // A peer that is gone: its leases run out, and a living one asks again. One that does not read is
  // forgotten, until it says Hello over a new connection.
  if (control_->send_to(to, encode(message), secret) == wire::Sent::kWouldBlock) {
    ledger_.forget_worker(incarnation_of(to));
  }
}

void Hub::send_credentials(const std::string& to) {
  if (options_.credentials == nullptr) return;
  for (const auto& [name, credential] : *options_.credentials) {
    v1::ToWorker message;
    message.mutable_credential()->set_name(name);
    const std::string_view password = credential->password.reveal();
    const std::string_view enable = credential->enable_password.reveal();
    std::string plain;
    plain.reserve(password.size() + 1 + enable.size());
    plain.append(password).append(1, '\0').append(enable);
    send_to(to, message, plain);
    wipe(plain.data(), plain.size());
  }
}

void Hub::act(const TaskEnded& ended) {
  TaskResult result;
  result.index = ended.task.index;
  result.attempt = ended.attempt;
  result.outcome = ended.outcome;
  result.error = ended.error;
  result.worker = ended.worker;
  result.platform = sweep_.tasks[ended.task.index].platform;
  parts_->forget(ended.task.index);
  record(std::move(result));
}

void Hub::act(const Noted& noted) {
  if (noted.what == Noted::What::kRetry) return;  // logged with its error where the result came in
  if (!is_warning(noted.what) && noted.why.empty() && !options_.verbose) return;
  LogSubject subject = subject_of(noted.task);
  subject.region_timeout = options_.ledger.region_timeout;
  if (noted.what == Noted::What::kRegionWaits) {
    subject.region_hosts = static_cast<std::uint32_t>(
        std::ranges::count(sweep_.tasks, noted.worker, &TaskSpec::region));
  }
  log(log_noted(noted, subject));
  if (noted.what == Noted::What::kRolloutAsks) options_.question->ask();
}

LogSubject Hub::subject_of(TaskKey task) const {
  const bool known = task.sweep == sweep_.number && task.index < sweep_.tasks.size();
  return {known ? sweep_.job.sweep : "", known ? sweep_.tasks[task.index].host.str() : ""};
}

}  // namespace netfleet

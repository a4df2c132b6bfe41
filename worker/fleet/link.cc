#include "worker/fleet/link.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "common/secret.h"

namespace netfleet {
namespace {

constexpr int kMessagesATurn = 256;      // so that no socket starves the others
constexpr Milliseconds kPatience{2000};  // after the second request to drain
constexpr Milliseconds kRetryAfter{1000};
// Large results are copied and go to disk: so long at once, then the heartbeats have their turn.
constexpr Milliseconds kSlice{20};

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

}  // namespace

Worker::Worker(wire::Context& context, const Clock& clock, WorkerSetup options, EventQueue& events,
               Sessions& sessions)
    : context_(context),
      clock_(clock),
      options_(std::move(options)),
      holder_(options_.lease_holder),
      watch_(options_.lease_holder.name, options_.dispatcher.text(), options_.keys.has_value()),
      outbox_(options_.outbox),
      events_(events),
      sessions_(sessions),
      keyring_(std::move(options_.credentials), std::move(options_.ask_code),
               std::move(options_.more_credentials)),
      jump_routes_(std::move(options_.jumps), keyring_),
      wakeup_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  CHECK(wakeup_fd_ >= 0);
}

Worker::~Worker() { close(wakeup_fd_); }

void Worker::request_drain() {
  ++drain_requests_;
  const std::uint64_t one = 1;
  CHECK(write(wakeup_fd_, &one, sizeof one) == sizeof one);
}

void Worker::log(const std::string& line) const {
  if (options_.log) options_.log(line);
}

// An embedded worker has nobody to tell what its own dispatcher knows.
void Worker::log_fleet(const std::optional<std::string>& line) const {
  if (line && options_.signal_fd >= 0) log(*line);
}

Expected<void> Worker::run() {
  if (auto loaded = keyring_.load(); !loaded) return loaded;
  holder_.start(clock_.now());
  while (true) {
    const TimePoint now = clock_.now();
    mind_outbox(now);
    holder_.tick(now);
    if (auto acted = act_on_all(); !acted) return acted;
    flush_results();
    if (parted_ && parted_->why == Parting::kRefused) {
      return fail(fmt::format("the dispatcher at {} refused this worker: {}",
                              options_.dispatcher.text(), parted_->reason));
    }
    if (parted_ && parted_->why == Parting::kDrained && unable_) return std::unexpected(*unable_);
    if (parted_ && (parted_->why == Parting::kDrained || options_.once)) return {};
    parted_.reset();
    if (now >= give_up_at_) {
      if (outbox_.size() > 0) {
        log(fmt::format("stopped: results={} were not acknowledged and are dropped",
                        outbox_.size()));
      }
      return {};
    }
    wait();
    receive_wakeup();
    receive_control();
    events_.want_progress(options_.verbose || holder_.wants_progress());
    receive_offers();
    receive_events();
  }
}

Expected<void> Worker::act_on_all() {
  for (auto actions = holder_.take_actions(); !actions.empty(); actions = holder_.take_actions()) {
    for (const auto& action : actions) {
      if (auto acted = act(action); !acted) return acted;
    }
  }
  return {};
}

// What could not be had (a file, room on the disk) is tried again, and said once.
void Worker::mind_outbox(TimePoint now) {
  if (now >= retry_at_) {
    retry_at_ = TimePoint::max();
    join_lanes();
    if (outbox_.full()) outbox_.spill();
  }
  holder_.set_outbox_full(outbox_.full());
  if (outbox_.full()) retry_at_ = std::min(retry_at_, now + kRetryAfter);
  if (outbox_.trouble() && !told_trouble_) {
    log(fmt::format("{}; results stay in memory, and above {} MiB no more tasks are taken",
                    outbox_.trouble()->message, options_.outbox.memory >> 20));
  }
  told_trouble_ = outbox_.trouble().has_value();
  log_fleet(watch_.tick(now, outbox_.size()));
}

void Worker::wait() {
  wire::Poller poller;
  const auto wakeup = poller.add(wakeup_fd_);
  const auto signals = options_.signal_fd >= 0 ? poller.add(options_.signal_fd) : wakeup;
  const auto events = poller.add(events_.fd());
  if (control_) poller.add(*control_, true, false);
  if (lanes_) poller.add(*lanes_, true, false);
  if (sink_ && sink_full_) poller.add(*sink_, false, true);
  TimePoint until = std::min({holder_.next_deadline(), give_up_at_, retry_at_});
  if (sending_ || !arrived_.empty()) until = clock_.now();
  poller.wait(until == TimePoint::max() ? Nanoseconds(std::chrono::seconds(10))
                                        : until - clock_.now());
  sink_full_ = false;
  woken_ = poller.ready(wakeup) || poller.ready(signals);
  events_there_ = poller.ready(events);
}

void Worker::receive_wakeup() {
  if (!woken_) return;
  std::uint64_t count = 0;
  [[maybe_unused]] const auto woken = read(wakeup_fd_, &count, sizeof count);
  signalfd_siginfo info{};
  while (options_.signal_fd >= 0 && read(options_.signal_fd, &info, sizeof info) == sizeof info) {
    ++drain_requests_;
  }
  const int requests = drain_requests_.load();
  if (drains_seen_ == 0 && requests > 0) {
    give_up_at_ = clock_.now() + options_.drain_timeout;
    if (options_.signal_fd >= 0) {  // an embedded worker has nobody to tell
      log("draining: what runs is finished, no more is taken; once more stops at once");
    }
    holder_.drain(clock_.now());
  }
  if (drains_seen_ < 2 && requests >= 2) {
    give_up_at_ = clock_.now() + kPatience;
    holder_.cancel_all();
  }
  drains_seen_ = requests;
}

void Worker::receive_control() {
  for (int i = 0; control_ && i < kMessagesATurn; ++i) {
    auto received = control_->receive();
    if (!received) return;
    auto message = decode_to_worker(received->bytes);
    if (!message) {
      log(fmt::format("dropped a control message: {}", message.error().message));
      continue;
    }
    if (message->has_credential()) {
      keyring_.take(message->credential().name(), received->secret);
      jump_routes_.forget_routes();
    } else {
      if (message->has_welcome()) {
        log_fleet(watch_.on_welcome(clock_.now(), message->epoch(), message->welcome()));
      }
      if (message->has_dismissed()) log_fleet(watch_.on_dismissed());
      holder_.on_message(clock_.now(), *message);
    }
  }
}

void Worker::receive_offers() {
  for (int i = 0; lanes_ && i < kMessagesATurn; ++i) {
    auto received = lanes_->receive();
    if (!received) return;
    if (auto frame = decode_offers(received->bytes)) {
      holder_.on_offers(clock_.now(), *frame);
    } else {
      log(fmt::format("dropped an offer: {}", frame.error().message));
    }
  }
}

void Worker::receive_events() {
  if (events_there_) {
    for (EngineEvent& event : events_.take()) arrived_.push_back(std::move(event));
  }
  const TimePoint until = clock_.now() + kSlice;
  while (!arrived_.empty() && clock_.now() < until) {
    EngineEvent event = std::move(arrived_.front());
    arrived_.pop_front();
    if (auto* ended = std::get_if<SessionEnded>(&event)) {
      if (ended->fenced) holder_.on_fenced(ended->task);
      end_task(ended->task, std::move(ended->result));
    } else {
      note_progress(std::get<SessionProgress>(event));
    }
  }
}

void Worker::note_progress(SessionProgress& progress) {
  if (options_.verbose) {
    log(fmt::format("sweep={} task={} thread={} stage=\"{}\"", progress.task.sweep,
                    progress.task.index, progress.session_thread, progress.stage));
  }
  holder_.on_progress(progress.task, progress.session_thread, std::move(progress.stage));
}

void Worker::end_task(TaskKey task, TaskResult result) {
  const bool login_refused = result.outcome == Outcome::kAuthFailed;
  PackedResult packed = pack(std::move(result), task.sweep);
  if (holder_.on_finished(clock_.now(), task, packed.size, login_refused)) {
    outbox_.put(task, std::move(packed));
  }
}

Expected<wire::Socket> Worker::make_socket(wire::Kind kind, std::string_view id) {
  return wire::Socket::make(context_, kind, id, options_.keys ? &*options_.keys : nullptr);
}

// Only the first one must succeed: later the holder asks again every second, and what runs here
// goes on meanwhile.
Expected<void> Worker::open_control() {
  const bool first = !control_ && !told_socket_error_;
  control_.reset();
  watch_.on_hello(clock_.now());
  auto socket =
      make_socket(wire::Kind::kControlDealer, routing_id(options_.lease_holder.incarnation));
  Expected<void> connected;
  if (socket) {
    connected = socket->connect(options_.dispatcher.at(0));
  } else {
    connected = std::unexpected(socket.error());
  }
  if (connected) {
    control_ = std::move(*socket);
  } else if (!first && !std::exchange(told_socket_error_, true)) {
    log(connected.error().message);
  }
  return first ? connected : Expected<void>();
}

// With a control socket the queue has no bound: it takes everything. Without one, the next Hello
// says all that matters.
void Worker::send_control(const v1::ToDispatcher& message) {
  if (!control_ || control_->send(encode(message)) == wire::Sent::kYes) return;
  log("a control message could not be sent");
}

void Worker::join_lanes() {
  if (!wanted_lanes_) return;
  const auto connected = connect_lanes(*wanted_lanes_);
  if (connected) {
    wanted_lanes_.reset();
    told_socket_error_ = false;
    return;
  }
  retry_at_ = std::min(retry_at_, clock_.now() + kRetryAfter);
  if (!std::exchange(told_socket_error_, true)) log(connected.error().message);
}

Expected<void> Worker::connect_lanes(const JoinLanes& lanes) {
  if (!sink_ || sink_offset_ != lanes.sink_offset) {
    auto socket = make_socket(wire::Kind::kSinkPush);
    if (!socket) return std::unexpected(socket.error());
    auto connected = socket->connect(options_.dispatcher.at(lanes.sink_offset));
    if (!connected) return connected;
    sink_ = std::move(*socket);
    sink_offset_ = lanes.sink_offset;
  }
  auto socket = make_socket(wire::Kind::kLanePull);
  if (!socket) return std::unexpected(socket.error());
  for (const std::uint32_t offset : lanes.offsets) {
    if (auto connected = socket->connect(options_.dispatcher.at(offset)); !connected) {
      return connected;
    }
  }
  lanes_ = std::move(*socket);
  return {};
}

Expected<void> Worker::act(const WorkerAction& action) {
  Expected<void> done;
  std::visit(Overloaded{
                 [&](const SendToDispatcher& send) { send_control(send.message); },
                 [&](const StartTask& task) { start(task); },
                 [&](const StopTask& stop) {
                   sessions_.stop(stop.task, stop.reason == StopReason::kCancelled
                                                 ? "stopped: interrupted"
                                                 : "stopped: the worker lost its lease");
                 },
                 [&](const SendResult& result) { outbox_.queue(result.task); },
                 [&](const DropResult& result) {
                   outbox_.erase(result.task);
                   watch_.on_acknowledged(clock_.now());
                 },
                 [&](const OpenControl&) { done = open_control(); },
                 [&](const JoinLanes& lanes) {
                   wanted_lanes_ = lanes;
                   join_lanes();
                 },
                 [&](const LeaveLanes&) {
                   wanted_lanes_.reset();
                   lanes_.reset();
                 },
                 [&](const ForgetJob& job) {
                   jobs_.erase(job.sweep);
                   jump_routes_.forget_job(job.sweep);
                 },
                 [&](const KnowJob& job) {
                   const auto known = std::make_shared<const JobSpec>(from_wire(job.job));
                   jump_routes_.know_job(job.job.sweep(), *known);
                   jobs_[job.job.sweep()] = known;
                 },
                 [&](const Part& part) {
                   parted_ = part;
                   if (part.why != Parting::kDismissed) return;
                   jobs_.clear();
                   jump_routes_.forget_jobs();
                   keyring_.forget_taken();
                 },
             },
             action);
  return done;
}

void Worker::start(const StartTask& action) {
  SessionOrder order;
  order.key = key_of(action.task.task());
  order.attempt = action.task.task().attempt();
  order.task = from_wire(action.task);
  order.lease = action.lease;
  TaskResult refusal;
  refusal.index = order.key.index;
  refusal.attempt = order.attempt;
  refusal.platform = order.task.platform;
  const auto job = jobs_.find(order.key.sweep);
  if (job == jobs_.end()) {
    refusal.error = "the dispatcher granted a task of a job that it never described";
    return end_task(order.key, std::move(refusal));
  }
  order.job = job->second;
  // Others may have what this worker lacks: it must not take what they could do.
  if (auto equipped = equip(order); !equipped) {
    unable_ = equipped.error();
    holder_.give_back(order.key);
    return holder_.drain(clock_.now(), unable_->message);
  }
  sessions_.start(std::move(order));
}

// What to log in with, and over which jump hosts.
Expected<void> Worker::equip(SessionOrder& order) {
  auto identity = keyring_.find(order.task.credential.str());
  if (!identity) return std::unexpected(std::move(identity.error()));
  order.identity = *std::move(identity);
  auto route = jump_routes_.find(order.key.sweep, order.task.jump);
  if (!route) return std::unexpected(std::move(route.error()));
  order.route = *std::move(route);
  return {};
}

// Results that are ready travel together; what the sink does not take now waits in the outbox.
void Worker::flush_results() {
  const TimePoint until = clock_.now() + kSlice;
  while (sink_ && outbox_.has_queued()) {
    sink_full_ = !sink_->can_send();
    sending_ = !sink_full_;
    if (sink_full_ || clock_.now() >= until) return;
    v1::ResultFrame header;
    holder_.stamp(header);
    auto frame = outbox_.next_frame(std::move(header));
    if (frame) sink_->send(std::move(frame->bytes), std::move(frame->held));
  }
  sending_ = false;
}

}  // namespace netfleet

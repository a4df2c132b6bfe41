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

constexpr int kMessagesATurn = 256;  // so that no socket starves the others
constexpr std::size_t kResultsAFrame = 64;
constexpr std::size_t kFrameBytes = 256 << 10;  // a frame is closed once it is so large
constexpr int kHellosBeforeNote = 5;            // about as many seconds
constexpr int kHellosANote = 60;
constexpr Milliseconds kPatience{2000};  // after the second request to drain

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

}  // namespace

Worker::Worker(wire::Context& context, const Clock& clock, WorkerSetup options,
               ssh::KnownHosts& known_hosts, const PlatformSet& platforms)
    : context_(context),
      clock_(clock),
      options_(std::move(options)),
      holder_(options_.lease_holder),
      engine_({resolver_, known_hosts, platforms, events_}, options_.threads),
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

Expected<void> Worker::run() {
  for (const auto& [name, credential] : options_.credentials) {
    if (auto loaded = identity(name); !loaded) return std::unexpected(loaded.error());
  }
  holder_.start(clock_.now());
  while (true) {
    const TimePoint now = clock_.now();
    holder_.tick(now);
    for (auto actions = holder_.take_actions(); !actions.empty();
         actions = holder_.take_actions()) {
      for (const auto& action : actions) {
        if (auto acted = act(action); !acted) return acted;
      }
    }
    flush_results();
    if (parted_ && parted_->why == Parting::kRefused) {
      return fail(fmt::format("the dispatcher at {} refused this worker: {}",
                              options_.dispatcher.text(), parted_->reason));
    }
    if (parted_ && (parted_->why == Parting::kDrained || options_.once)) return {};
    parted_.reset();
    if (now >= give_up_at_) return {};
    wait();
    receive_wakeup();
    receive_control();
    events_.want_progress(options_.verbose || holder_.wants_progress());
    receive_offers();
    receive_events();
  }
}

void Worker::wait() {
  wire::Poller poller;
  poller.add(wakeup_fd_);
  if (options_.signal_fd >= 0) poller.add(options_.signal_fd);
  poller.add(events_.fd());
  poller.add(*control_, true, false);
  if (lanes_) poller.add(*lanes_, true, false);
  if (sink_ && sink_full_) poller.add(*sink_, false, true);
  const TimePoint until = std::min(holder_.next_deadline(), give_up_at_);
  poller.wait(until == TimePoint::max() ? Nanoseconds(std::chrono::seconds(10))
                                        : until - clock_.now());
  sink_full_ = false;
}

void Worker::receive_wakeup() {
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
  for (int i = 0; i < kMessagesATurn; ++i) {
    auto received = control_->receive();
    if (!received) return;
    unanswered_hellos_ = 0;
    auto message = decode_to_worker(received->bytes);
    if (!message) {
      log(fmt::format("dropped a control message: {}", message.error().message));
      continue;
    }
    if (message->has_credential()) {
      take_credential(message->credential().name(), received->secret);
    } else {
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
  for (EngineEvent& event : events_.take()) {
    if (auto* ended = std::get_if<SessionEnded>(&event)) {
      end_task(ended->task, std::move(ended->result));
    } else {
      auto& progress = std::get<SessionProgress>(event);
      if (options_.verbose) {
        log(fmt::format("sweep={} task={} thread={} stage=\"{}\"", progress.task.sweep,
                        progress.task.index, progress.session_thread, progress.stage));
      }
      holder_.on_progress(progress.task, progress.session_thread, std::move(progress.stage));
    }
  }
}

void Worker::end_task(TaskKey task, TaskResult result) {
  const bool login_refused = result.outcome == Outcome::kAuthFailed;
  std::string body = to_wire(std::move(result), task.sweep).SerializeAsString();
  if (holder_.on_finished(clock_.now(), task, body.size(), login_refused)) {
    outbox_[task] = std::move(body);
  }
}

Expected<wire::Socket> Worker::make_socket(wire::Kind kind, std::string_view id) {
  return wire::Socket::make(context_, kind, id, options_.keys ? &*options_.keys : nullptr);
}

Expected<void> Worker::open_control() {
  if (++unanswered_hellos_ % kHellosANote == kHellosBeforeNote) {
    log(fmt::format("no answer from the dispatcher at {}: going on asking{}",
                    options_.dispatcher.text(),
                    options_.keys ? "; if it runs, is this worker's .pub file among its keys, and "
                                    "dispatcher.pub of this worker's the dispatcher's own?"
                                  : ""));
  }
  control_.reset();
  auto socket =
      make_socket(wire::Kind::kControlDealer, routing_id(options_.lease_holder.incarnation));
  if (!socket) return std::unexpected(socket.error());
  if (auto connected = socket->connect(options_.dispatcher.at(0)); !connected) return connected;
  control_ = std::move(*socket);
  return {};
}

void Worker::join_lanes(const JoinLanes& lanes) {
  if (!sink_) {
    auto socket = make_socket(wire::Kind::kSinkPush);
    if (socket && socket->connect(options_.dispatcher.at(lanes.sink_offset))) {
      sink_ = std::move(*socket);
    }
  }
  auto socket = make_socket(wire::Kind::kLanePull);
  if (!socket) return log(socket.error().message);
  for (const std::uint32_t offset : lanes.offsets) {
    if (auto connected = socket->connect(options_.dispatcher.at(offset)); !connected) {
      log(connected.error().message);
    }
  }
  lanes_ = std::move(*socket);
}

Expected<void> Worker::act(const WorkerAction& action) {
  Expected<void> done;
  std::visit(Overloaded{
                 [&](const SendToDispatcher& send) { control_->send(encode(send.message)); },
                 [&](const StartTask& task) { start(task); },
                 [&](const StopTask& stop) {
                   engine_.stop(stop.task, stop.reason == StopReason::kCancelled
                                               ? "stopped: interrupted"
                                               : "stopped: the worker lost its lease");
                 },
                 [&](const SendResult& result) { to_send_.push_back(result.task); },
                 [&](const DropResult& result) { outbox_.erase(result.task); },
                 [&](const OpenControl&) { done = open_control(); },
                 [&](const JoinLanes& lanes) { join_lanes(lanes); },
                 [&](const LeaveLanes&) { lanes_.reset(); },
                 [&](const KnowJob& job) {
                   jobs_[job.job.sweep()] = std::make_shared<const JobSpec>(from_wire(job.job));
                 },
                 [&](const Part& part) {
                   parted_ = part;
                   if (part.why == Parting::kDismissed) jobs_.clear();
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
  auto found = identity(order.task.credential);
  if (!found) {
    refusal.outcome = Outcome::kAuthFailed;
    refusal.error = fmt::format("log in to {}: {}", order.task.host, found.error().message);
    return end_task(order.key, std::move(refusal));
  }
  order.identity = std::move(*found);
  engine_.start(std::move(order));
}

Expected<std::shared_ptr<const ssh::Identity>> Worker::identity(const std::string& credential) {
  if (const auto known = identities_.find(credential); known != identities_.end()) {
    return known->second;
  }
  const auto own = options_.credentials.find(credential);
  if (own == options_.credentials.end()) {
    return fail(fmt::format("worker {} has no credential '{}', and the dispatcher sent none",
                            options_.lease_holder.name, credential));
  }
  auto loaded = ssh::Identity::load(own->second);
  if (loaded) identities_[credential] = *loaded;
  return loaded;
}

// The secret is "password NUL enable-password". A password of the worker's own goes before it.
void Worker::take_credential(const std::string& name, const Secret& secret) {
  const std::string_view text = secret.reveal();
  const auto nul = text.find('\0');
  auto& slot = options_.credentials[name];
  if (slot == nullptr || slot->password.empty()) {
    auto merged = std::make_shared<Credential>();
    merged->password = Secret(text.substr(0, nul));
    if (nul != std::string_view::npos) merged->enable_password = Secret(text.substr(nul + 1));
    if (slot != nullptr) {
      merged->use_agent = slot->use_agent;
      for (const auto& key : slot->keys) {
        merged->keys.push_back({key.path, key.passphrase.clone(), key.certificate});
      }
    }
    slot = std::move(merged);
    identities_.erase(name);
  }
}

// Results that are ready travel together, up to a bound; what the sink does not take now waits
// here.
void Worker::flush_results() {
  while (sink_ && !to_send_.empty()) {
    std::vector<const std::string*> bodies;
    std::size_t bytes = 0, taken = 0;
    for (; taken < to_send_.size() && bodies.size() < kResultsAFrame && bytes < kFrameBytes;
         ++taken) {
      const auto body = outbox_.find(to_send_[taken]);
      if (body == outbox_.end()) continue;  // acknowledged meanwhile
      bodies.push_back(&body->second);
      bytes += body->second.size();
    }
    if (!bodies.empty()) {
      v1::ResultFrame header;
      holder_.stamp(header);
      if (sink_->send(encode(header, bodies)) != wire::Sent::kYes) {
        sink_full_ = true;
        return;
      }
    }
    to_send_.erase(to_send_.begin(), to_send_.begin() + static_cast<std::ptrdiff_t>(taken));
  }
}

}  // namespace netfleet

// The hub's loop and its sockets. Sweeps that begin and end are in hub_sweeps.cc, what is received
// at the sink in hub_results.cc, what the ledger wants done in hub_acts.cc.
#include "dispatcher/fleet/hub.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "dispatcher/fleet/status.h"

namespace netfleet {
namespace {

constexpr int kMessagesATurn = 256;  // so that no socket starves the others
constexpr Milliseconds kProgressEvery{250};
constexpr Milliseconds kWaitingNoteEvery{30'000};
constexpr std::size_t kMostLanes = 256;

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

Expected<wire::Socket> Hub::bound(wire::Kind kind, std::uint32_t offset) {
  auto socket = wire::Socket::make(context_, kind, {}, admission_ ? &admission_->keys() : nullptr);
  if (!socket) return socket;
  if (auto done = socket->bind(options_.endpoint.at(offset)); !done) {
    return std::unexpected(done.error());
  }
  return socket;
}

Expected<void> Hub::open(const std::vector<std::string>& regions) {
  if (options_.keys) {
    auto admission = Admission::open(
        context_, std::move(*options_.keys), [this](const std::string& line) { log(line); },
        [this](std::uint64_t worker) { return !ledger_.worker_name(worker).empty(); });
    if (!admission) return std::unexpected(admission.error());
    admission_ = std::move(*admission);
  }
  if (auto opened = open_lanes(regions); !opened) return opened;
  auto sink = bound(wire::Kind::kSinkPull, 1);
  if (!sink) return std::unexpected(sink.error());
  sink_ = std::move(*sink);
  auto control = bound(wire::Kind::kControlRouter, 0);  // last: who finds it finds the others too
  if (!control) return std::unexpected(control.error());
  control_ = std::move(*control);
  return {};
}

// Workers that are there already are asked for a fresh Hello, and told of the new lanes.
Expected<void> Hub::open_lanes(const std::vector<std::string>& regions) {
  for (const std::string& region : regions) {
    if (ledger_.has_lane(region)) continue;
    if (lanes_.size() >= kMostLanes) {
      return fail(fmt::format("region {}: there are {} regions already", region, kMostLanes));
    }
    auto lane = bound(wire::Kind::kLanePush, 2u + static_cast<std::uint32_t>(lanes_.size()));
    if (!lane) return std::unexpected(lane.error());
    lanes_.push_back(std::move(*lane));
    CHECK(ledger_.add_lane(region) + 1u == lanes_.size());
  }
  return {};
}

void Hub::worker_failed(const std::string& why) {
  const std::lock_guard lock(mutex_);
  failure_ = why;
  const std::uint64_t one = 1;
  CHECK(write(wakeup_fd_, &one, sizeof one) == sizeof one);
}

void Hub::post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  posted_.push_back(std::move(work));
  const std::uint64_t one = 1;
  CHECK(write(wakeup_fd_, &one, sizeof one) == sizeof one);
}

void Hub::do_posted() {
  std::vector<std::function<void()>> posted;
  {
    const std::lock_guard lock(mutex_);
    posted.swap(posted_);
  }
  for (const auto& work : posted) work();
}

Expected<void> Hub::turn() {
  wait();
  do_posted();
  if (admission_) admission_->answer(clock_.now());
  receive_control();
  receive_results();
  collect_news();
  ledger_.tick(clock_.now());
  act();
  for (auto& [number, live] : sweeps_) live.recorder->submit();
  offer_tasks();
  mind_sweeps();
  const std::lock_guard lock(mutex_);
  if (failure_) return fail(*failure_);
  return {};
}

Expected<void> Hub::serve() {
  next_waiting_note_ = clock_.now();
  while (!stopped_) {
    if (auto turned = turn(); !turned) return turned;
    if (draining_ && ledger_.running() == 0 && gate_.empty() && held_back_.empty()) break;
  }
  return {};
}

void Hub::drain() {
  draining_ = true;
  ledger_.pause({});
}

void Hub::wait() {
  const TimePoint now = clock_.now();
  wire::Poller poller;
  poller.add(wakeup_fd_);
  poller.add(*control_, true, false);
  if (admission_) poller.add(admission_->gate());
  if (signal_fd_ >= 0) poller.add(signal_fd_);
  if (held_back_.empty()) poller.add(*sink_, true, false);
  for (std::uint16_t lane = 0; lane < lanes_.size(); ++lane) {
    if (ledger_.wants_to_offer(lane)) poller.add(lanes_[lane], false, true);
  }
  TimePoint until = ledger_.next_deadline();
  for (const auto& [number, live] : sweeps_) {
    poller.add(live.recorder->notify_fd());
    until = std::min(until, live.give_up_at);
    const Question* question = live.run.question;
    if (question != nullptr && question->fd() >= 0) poller.add(question->fd());
    if (live.run.progress) until = std::min(until, next_progress_);
  }
  if (ledger_.workers_welcomed() == 0) until = std::min(until, next_waiting_note_);
  // Both ends of time mean something here, and are not subtracted from.
  poller.wait(until == TimePoint::max() ? Nanoseconds(std::chrono::seconds(10))
                                        : std::max(until, now) - now);
  std::uint64_t count = 0;
  [[maybe_unused]] const auto woken = read(wakeup_fd_, &count, sizeof count);
  show_progress(now);
}

void Hub::show_progress(TimePoint now) {
  if (now >= next_progress_) {
    next_progress_ = now + kProgressEvery;
    for (const auto& [number, live] : sweeps_) {
      if (live.run.progress && !live.ending) live.run.progress(ledger_.running(number));
    }
  }
  if (now >= next_waiting_note_ && ledger_.workers_welcomed() < options_.ledger.min_workers) {
    next_waiting_note_ = now + kWaitingNoteEvery;
    log(fmt::format("waiting for workers at {}: {} of {} there", options_.endpoint.text(),
                    ledger_.workers_welcomed(), options_.ledger.min_workers));
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
    const auto received = control_->receive();
    if (!received) return;
    receive_message(*received);
  }
}

void Hub::receive_message(const wire::Received& received) {
  const std::uint64_t from = incarnation_of(received.from);
  const std::uint8_t version = frame_version(received.bytes);
  const auto message = decode_to_dispatcher(received.bytes);
  if (version != 0 && version != kProtocolVersion) {
    v1::ToWorker refusal;
    refusal.mutable_refused()->set_reason(fmt::format(
        "it speaks protocol version {}, this dispatcher speaks {}", version, kProtocolVersion));
    return send_to(received.from, refusal);
  }
  if (!message || message->incarnation() != from || !believed(received, *message)) {
    ++malformed_;
    return;
  }
  if (message->has_ask_workers()) return answer_workers(received.from);
  if (message->has_progress() && options_.verbose) {
    const TaskKey task = key_of(message->progress().task());
    log(log_progress(message->progress(), ledger_.worker_name(from), subject_of(task)));
  }
  if (message->has_hello() && options_.many_sweeps && !options_.any_region) {
    const auto& regions = message->hello().regions();
    if (auto opened = open_lanes({regions.begin(), regions.end()}); !opened) {
      log(opened.error().message);
    }
  }
  ledger_.on_message(clock_.now(), from, *message);
}

void Hub::answer_workers(const std::string& to) {
  std::vector<RunningSweep> views;
  for (const auto& [number, live] : sweeps_) {
    views.push_back({live.run.job.sweep, static_cast<std::uint32_t>(live.run.tasks.size()),
                     live.done, live.ending ? 0 : ledger_.running(number)});
  }
  send_to(to, worker_list(ledger_.workers(), views, clock_.now(), options_.ledger.epoch));
}

void Hub::send_to(const std::string& to, const v1::ToWorker& message, std::string_view secret) {
  // A peer that is gone: its leases run out, and a living one asks again. One that does not read is
  // forgotten, until it says Hello over a new connection.
  if (control_->send_to(to, encode(message), secret) == wire::Sent::kWouldBlock) {
    ledger_.forget_worker(incarnation_of(to));
  }
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

HubFigures Hub::figures() const {
  HubFigures figures = figures_;
  figures.malformed = malformed_ + control_->dropped() + sink_->dropped();
  return figures;
}

}  // namespace netfleet

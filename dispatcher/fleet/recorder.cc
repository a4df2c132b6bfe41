#include "dispatcher/fleet/recorder.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

#include "common/blocked_signals.h"
#include "common/check.h"

namespace netfleet {
namespace {

// One transaction of the store: enough to share its cost, few enough to be acknowledged soon.
constexpr std::size_t kBatchResults = 256;
constexpr std::size_t kBatchBytes = 8u << 20;
constexpr Milliseconds kTryAgain{2000};  // a store without room

int make_event() {
  const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  CHECK(fd >= 0);
  return fd;
}

void signal_event(int fd) {
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the event is signalled already.
  [[maybe_unused]] const ssize_t written = write(fd, &one, sizeof(one));
}

std::size_t size_of(const Delivery& delivery) {
  return delivery.is_part() ? delivery.part.size() : size_of(delivery.result);
}

// Signals are for the loop's thread; SIGPIPE becomes EPIPE.
std::jthread start_without_signals(auto run) {
  const BlockedSignals blocked(all_signals());
  return std::jthread(std::move(run));
}

}  // namespace

Recorder::Recorder(Store& store, const SweepRecord& sweep, std::span<const TaskSpec> tasks,
                   RecorderOptions options)
    : stop_fd_(make_event()),
      grants_fd_(make_event()),
      recording_(store, sweep, tasks,
                 options.waits_for_room ? recording_options(options.recording) : options.recording,
                 stop_fd_, {grants_fd_, [this] { store_grants(); }}),
      options_(std::move(options)),
      notify_fd_(make_event()),
      thread_(start_without_signals([this] { run(); })) {}

Recorder::~Recorder() {
  if (thread_.joinable()) {
    abandon();
    finish();
  }
  close(notify_fd_);
  close(grants_fd_);
  close(stop_fd_);
}

bool Recorder::offer(Delivery&& delivery) {
  const std::size_t size = size_of(delivery);
  {
    const std::lock_guard lock(mutex_);
    CHECK(!ended_);
    // A result larger than the whole queue still gets through it alone.
    const bool too_large = !queue_.empty() && queue_bytes_ + size > options_.queue_bytes;
    if (queue_.size() >= options_.queue_results || too_large) {
      refused_ = true;
      return false;
    }
    queue_bytes_ += size;
    queue_.push_back(std::move(delivery));
  }
  untold_ = true;
  return true;
}

void Recorder::journal(const GrantRecord& grant) {
  const std::lock_guard lock(mutex_);
  CHECK(!ended_);
  grants_.push_back(grant);
  untold_ = untold_grants_ = true;
}

void Recorder::submit() {
  if (std::exchange(untold_grants_, false)) signal_event(grants_fd_);
  if (std::exchange(untold_, false)) work_.notify_one();
}

Recorder::News Recorder::take() {
  std::uint64_t count = 0;
  // Reset first: what happens after that signals again.
  [[maybe_unused]] const ssize_t got = read(notify_fd_, &count, sizeof(count));
  const std::lock_guard lock(mutex_);
  News news = std::move(news_);
  news_ = News{.stored = {},
               .journaled = news.journaled,
               .failed = news.failed,
               .stalled = news.stalled,
               .errors = {},
               .ended = news.ended};
  return news;
}

void Recorder::end(Milliseconds elapsed) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = elapsed;
  }
  work_.notify_one();
}

void Recorder::abandon() { signal_event(stop_fd_); }

RecordingReport Recorder::finish() {
  end(Milliseconds(0));
  thread_.join();
  return recording_.report();
}

// ---- the thread

void Recorder::run() {
  if (options_.resume) recording_.resume();
  while (true) {
    Batch batch = next_batch();
    if (batch.empty()) break;
    std::vector<TaskResult> results = assemble(std::move(batch.deliveries));
    recording_.store(batch.grants, results);
    // Before showing: a slow reader of standard output delays no acknowledgement.
    publish(batch.grants.size(), results);
    recording_.show(std::move(results));
    publish_errors();
  }
  recording_.end(*ended_);
  publish_errors();
  {
    const std::lock_guard lock(mutex_);
    news_.ended = true;
  }
  signal_event(notify_fd_);
}

Recorder::Batch Recorder::next_batch() {
  Batch batch;
  bool room_again = false;
  {
    std::unique_lock lock(mutex_);
    work_.wait(lock, [&] { return !queue_.empty() || !grants_.empty() || ended_; });
    batch.grants = std::exchange(grants_, {});
    std::size_t bytes = 0;
    while (!queue_.empty() && batch.deliveries.size() < kBatchResults && bytes < kBatchBytes) {
      bytes += size_of(queue_.front());
      batch.deliveries.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    queue_bytes_ -= bytes;
    room_again = std::exchange(refused_, false);
  }
  if (room_again) signal_event(notify_fd_);
  return batch;
}

// While a reader of standard output is slow: a grant that waited for it would run out before its
// worker has heard of it, and the task would count as lost.
void Recorder::store_grants() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(grants_fd_, &count, sizeof(count));
  Batch batch;
  {
    const std::lock_guard lock(mutex_);
    batch.grants = std::exchange(grants_, {});
  }
  if (batch.empty()) return;
  recording_.store(batch.grants, {});
  publish(batch.grants.size(), {});
}

RecordingOptions Recorder::recording_options(RecordingOptions options) {
  options.no_room = [this](const Error& error) { return wait_for_room(error); };
  return options;
}

// Nobody tells of room on a disk: it is tried.
bool Recorder::wait_for_room(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(news_.stalled, true)) news_.errors.push_back(error);
  }
  signal_event(notify_fd_);
  pollfd stop{.fd = stop_fd_, .events = POLLIN, .revents = 0};
  poll(&stop, 1, static_cast<int>(kTryAgain.count()));
  return (stop.revents & POLLIN) == 0;
}

// Parts go to where they belong, results get what came for them.
std::vector<TaskResult> Recorder::assemble(std::vector<Delivery> deliveries) {
  std::vector<TaskResult> results;
  for (Delivery& delivery : deliveries) {
    if (delivery.is_part()) {
      OutputText& output = delivery.assembly->outputs[delivery.command];
      auto kept = output.append(delivery.part, *options_.spool);
      if (!kept && !spool_error_) spool_error_ = std::move(kept.error());
      continue;
    }
    if (delivery.assembly) {
      for (auto& [command, output] : delivery.assembly->outputs) {
        if (command >= delivery.result.commands.size()) continue;
        delivery.result.commands[command].output = std::move(output);
      }
    }
    results.push_back(std::move(delivery.result));
  }
  return results;
}

void Recorder::publish(std::size_t grants, std::span<const TaskResult> results) {
  {
    const std::lock_guard lock(mutex_);
    for (const TaskResult& result : results) {
      news_.stored.push_back({result.index, result.attempt, result.outcome});
    }
    news_.failed = recording_.report().store_error.has_value();
    if (!news_.failed) news_.journaled += grants;
    news_.stalled = false;
  }
  signal_event(notify_fd_);
  publish_errors();
}

void Recorder::publish_errors() {
  const RecordingReport& report = recording_.report();
  const auto publish_once = [&](const std::optional<Error>& error, bool& told) {
    if (!error || std::exchange(told, true)) return;
    {
      const std::lock_guard lock(mutex_);
      news_.errors.push_back(*error);
    }
    signal_event(notify_fd_);
  };
  publish_once(report.store_error, store_error_told_);
  publish_once(report.output_error, output_error_told_);
  publish_once(spool_error_, spool_error_told_);
}

}  // namespace netfleet

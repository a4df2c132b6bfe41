// dispatcher/fleet: the consumer behind the bounded queue between the loop and everything that may
// take time: the disk, and whoever reads standard output. Owns the only thread of the dispatcher
// beside the loop's.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "common/spool.h"
#include "common/task.h"
#include "dispatcher/fleet/parts.h"
#include "dispatcher/fleet/recording.h"
#include "dispatcher/store/store.h"

namespace netfleet {

struct RecorderOptions {
  RecordingOptions recording;
  bool resume = false;          // the store holds results of this sweep already
  bool waits_for_room = false;  // in the store; else it is given up when the disk is full
  std::size_t queue_results = 4096;
  std::size_t queue_bytes = 16u << 20;
  std::shared_ptr<Spool> spool = Spool::make(default_spool_directory());  // for large outputs
};

// Every function is for one and the same thread, the loop's. `store` and `tasks` outlive the
// Recorder, and between the constructor and finish() nobody else may use the store.
class Recorder {
 public:
  // A result that is stored (or never will be, since the store failed: then it is shown at least).
  // Now it may be acknowledged.
  struct Stored {
    std::uint32_t index = 0;
    std::uint32_t attempt = 0;
    Outcome outcome = Outcome::kInternal;
  };
  struct News {
    std::vector<Stored> stored;   // in the order of offer()
    std::uint64_t journaled = 0;  // of all that were passed to journal(), in order
    bool failed = false;          // the store takes no more, journal entries neither
    bool stalled = false;         // it has no room for now; what is passed on waits
    std::vector<Error> errors;    // the first of the store and the first of the output, once each
    bool ended = false;           // after end(): finish() will not block
  };

  Recorder(Store& store, const SweepRecord& sweep, std::span<const TaskSpec> tasks,
           RecorderOptions options);
  ~Recorder();  // as abandon() and finish()
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // Never blocks. False and `delivery` untouched when the queue is full: then stop reading the
  // source of results until notify_fd() becomes readable. Each index once.
  bool offer(Delivery&& delivery);
  // Who has the newest attempt at a task; News says when that is safe. Never blocks.
  void journal(const GrantRecord& grant);
  // The thread is told of what was offered and journaled since the last time: one wake-up and one
  // transaction for all of a turn.
  void submit();
  // An eventfd: readable when there is News, or room again after a refusal. take() resets it.
  int notify_fd() const { return notify_fd_; }
  News take();

  // Nothing more will be offered. What is queued is still stored and shown; News says when that is
  // done.
  void end(Milliseconds elapsed);
  // Standard output is not written to any more, even if its reader is stuck; storing goes on, as
  // long as there is room.
  void abandon();
  // Waits for the thread, after end().
  RecordingReport finish();

 private:
  void run();
  struct Batch {
    std::vector<GrantRecord> grants;
    std::vector<Delivery> deliveries;
    bool empty() const { return grants.empty() && deliveries.empty(); }
  };
  Batch next_batch();  // waits; empty: the end
  void store_grants();
  std::vector<TaskResult> assemble(std::vector<Delivery> deliveries);
  void publish(std::size_t grants, std::span<const TaskResult> results);
  void publish_errors();
  RecordingOptions recording_options(RecordingOptions options);
  bool wait_for_room(const Error& error);

  // Only the thread's, until it has ended.
  int stop_fd_;
  int grants_fd_;  // an eventfd: readable when there are grants, for a thread that writes
  Recording recording_;
  bool store_error_told_ = false;
  bool output_error_told_ = false;
  std::optional<Error> spool_error_;
  bool spool_error_told_ = false;

  // Only the loop's: something, and grants, since submit().
  bool untold_ = false;
  bool untold_grants_ = false;

  // The loop's and the thread's.
  const RecorderOptions options_;
  int notify_fd_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::vector<GrantRecord> grants_;
  std::deque<Delivery> queue_;
  std::size_t queue_bytes_ = 0;
  bool refused_ = false;               // since the last time there was room
  std::optional<Milliseconds> ended_;  // by end(): how long the sweep took
  News news_;

  std::jthread thread_;  // last: everything else is there while it runs
};

}  // namespace netfleet

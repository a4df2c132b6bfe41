// worker/fleet: the results of this worker until the dispatcher has acknowledged them. They are
// kept in memory up to a bound, the rest on disk. Not for deciding what is sent when, nor how much
// may be kept in all (the lease holder does).
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "common/codec.h"
#include "common/error.h"
#include "common/task.h"
#include "worker/fleet/spool.h"

namespace netfleet {

struct OutboxOptions {
  std::string spool = "/var/tmp";  // a directory; not on a file system that lives in memory
  std::size_t memory = 32u << 20;  // bytes of results; above it the oldest ones go to disk
};

// A result above this would not pass the sink (PROTOCOL.md §2).
inline constexpr std::size_t kMostOutput = (1u << 30) - (1u << 20);
// Cuts the outputs of `result` to `most` bytes together, the first ones kept, and marks those that
// were cut.
void cut_outputs(TaskResult& result, std::size_t most);

// One thread, but for Frame::held.
class Outbox {
 public:
  explicit Outbox(OutboxOptions options) : options_(std::move(options)), spool_(options_.spool) {}

  // Keeps the result until erase(). Cannot fail: what the disk does not take stays in memory.
  void put(TaskKey task, const v1::TaskResult& result);
  void erase(TaskKey task);
  std::size_t size() const { return entries_.size(); }

  // More is in memory than may be, since the disk takes no more: start nothing that adds to it.
  bool full() const { return memory_ > options_.memory; }
  void spill();  // tries again
  // Why the disk took the last one not; empty once it has taken one again.
  const std::optional<Error>& trouble() const { return trouble_; }

  // Is to be sent (again); nothing happens when it waits for that already, is under way, or was
  // erased.
  void queue(TaskKey task);
  bool has_queued() const { return !queued_.empty(); }
  struct Frame {
    std::string bytes;
    // To be held while the bytes are: so long the results in it are under way.
    std::shared_ptr<const void> held;
  };
  // `header`, an encoded ResultFrame without results, and as many of those that wait as travel
  // together; none: nothing waits any more. A result that cannot be read back from the disk is
  // replaced by one that says so (outcome internal).
  std::optional<Frame> next_frame(std::string header);

 private:
  struct Entry {
    std::uint32_t attempt = 1;
    bool queued = false;
    std::size_t size = 0;
    std::string body{};                        // serialized; empty: spilled
    std::uint64_t at = 0;                      // spilled: where
    std::list<TaskKey>::iterator in_memory{};  // not spilled: in in_memory_
    std::weak_ptr<const void> under_way{};
    bool spilled() const { return body.empty(); }
  };

  bool put_on_disk(Entry& entry, const v1::TaskResult& result);
  void keep(TaskKey task, Entry& entry, std::string body);
  void let_go(Entry& entry);
  void append(TaskKey task, Entry& entry, std::string& frame);

  OutboxOptions options_;
  Spool spool_;
  std::unordered_map<TaskKey, Entry, TaskKeyHash> entries_;
  std::list<TaskKey> in_memory_;  // oldest first
  std::deque<TaskKey> queued_;    // some may have been erased
  std::size_t memory_ = 0;        // bytes of the bodies in memory
  std::optional<Error> trouble_;
};

}  // namespace netfleet

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
#include <utility>
#include <vector>

#include "common/codec.h"
#include "common/error.h"
#include "common/output_text.h"
#include "common/spool.h"
#include "common/task.h"

namespace netfleet {

struct OutboxOptions {
  std::shared_ptr<Spool> spool;
  std::size_t memory = 32u << 20;  // bytes of results; above it the oldest ones go to disk
};

// A result as it lies in the outbox and goes over the wire: serialized, but for large outputs,
// which travel before it piece by piece.
struct PackedResult {
  struct Part {
    std::uint32_t command = 0;  // position in TaskResult::commands
    OutputText output;
  };
  std::uint32_t attempt = 1;
  OutputText body;
  std::vector<Part> parts;  // by command
  std::uint64_t size = 0;   // bytes of all
};
PackedResult pack(TaskResult result, std::uint32_t sweep);

// One thread, but for Frame::held.
class Outbox {
 public:
  explicit Outbox(OutboxOptions options) : options_(std::move(options)) {}

  // Keeps the result until erase(). Cannot fail: what the disk does not take stays in memory.
  void put(TaskKey task, PackedResult result);
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
  // `header` with as many results of those that wait as travel together, or with one part of the
  // first one's outputs; none: nothing waits any more. A result that cannot be read back from the
  // disk is replaced by one that says so (outcome internal).
  std::optional<Frame> next_frame(v1::ResultFrame header);

 private:
  struct Entry {
    PackedResult result;
    bool queued = false;
    std::size_t part = 0;      // of result.parts, that is sent next
    std::uint64_t offset = 0;  // in its output
    std::optional<OutputText::Reader> reader{};
    std::size_t memory = 0;                    // bytes of it in memory
    std::list<TaskKey>::iterator in_memory{};  // unless that is 0: in in_memory_
    std::weak_ptr<const void> under_way{};
    bool has_parts() const { return part < result.parts.size(); }
  };

  Expected<void> put_on_disk(Entry& entry);
  void count_memory(TaskKey task, Entry& entry);
  void lose(TaskKey task, Entry& entry, const Error& why);
  Entry* first_queued();
  std::optional<Frame> next_part(TaskKey task, Entry& entry, v1::ResultFrame header);
  void append(TaskKey task, Entry& entry, std::string& frame);

  OutboxOptions options_;
  std::unordered_map<TaskKey, Entry, TaskKeyHash> entries_;
  std::list<TaskKey> in_memory_;  // oldest first
  std::deque<TaskKey> queued_;    // some may have been erased
  std::size_t memory_ = 0;        // bytes of what is in memory
  std::optional<Error> trouble_;
};

}  // namespace netfleet

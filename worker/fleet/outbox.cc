#include "worker/fleet/outbox.h"

#include <fmt/format.h>
#include <google/protobuf/arena.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "common/check.h"

namespace netfleet {
namespace {

constexpr std::size_t kResultsAFrame = 64;
constexpr std::size_t kFrameBytes = 256 << 10;  // a frame is closed once it is so large

// What is said of a result that the disk has lost.
PackedResult lost_result(TaskKey task, std::uint32_t attempt, const Error& why) {
  TaskResult lost;
  lost.index = task.index;
  lost.attempt = attempt;
  lost.outcome = Outcome::kInternal;
  lost.command_sent = true;  // for all that is known
  lost.error = fmt::format("the task ended, but its result was lost: {}", why.message);
  return pack(std::move(lost), task.sweep);
}

// What goes into the result itself: as many of the first outputs as a frame holds.
std::vector<PackedResult::Part> take_large_outputs(TaskResult& result) {
  std::vector<PackedResult::Part> large;
  std::uint64_t inside = 0;
  for (std::size_t i = 0; i < result.commands.size(); ++i) {
    OutputText& output = result.commands[i].output;
    if (inside + output.size() <= kFrameBytes && !output.is_spooled()) {
      inside += output.size();
    } else {
      large.push_back({static_cast<std::uint32_t>(i), std::exchange(output, {})});
    }
  }
  return large;
}

}  // namespace

PackedResult pack(TaskResult result, std::uint32_t sweep) {
  PackedResult packed{.attempt = result.attempt, .body = {}, .parts = take_large_outputs(result)};
  google::protobuf::Arena arena;
  auto& message = *google::protobuf::Arena::CreateMessage<v1::TaskResult>(&arena);
  to_wire(std::move(result), sweep, message);
  for (const PackedResult::Part& part : packed.parts) {
    message.mutable_commands(static_cast<int>(part.command))->set_parted_size(part.output.size());
    packed.size += part.output.size();
  }
  packed.body = message.SerializeAsString();
  packed.size += packed.body.size();
  return packed;
}

void Outbox::put(TaskKey task, PackedResult result) {
  CHECK(!result.body.empty());
  erase(task);
  Entry& entry = entries_[task];
  entry.result = std::move(result);
  count_memory(task, entry);
  spill();
}

// A newest one is put behind the others; one that grew or shrank stays where it is.
void Outbox::count_memory(TaskKey task, Entry& entry) {
  std::size_t now = entry.result.body.memory().size();
  for (const auto& part : entry.result.parts) now += part.output.memory().size();
  if (entry.memory == 0 && now > 0) entry.in_memory = in_memory_.insert(in_memory_.end(), task);
  if (entry.memory > 0 && now == 0) in_memory_.erase(entry.in_memory);
  memory_ += now - entry.memory;
  entry.memory = now;
}

void Outbox::erase(TaskKey task) {
  const auto found = entries_.find(task);
  if (found == entries_.end()) return;
  found->second.result = {};
  count_memory(task, found->second);
  entries_.erase(found);
}

void Outbox::spill() {
  while (memory_ > options_.memory) {
    const TaskKey task = in_memory_.front();
    Entry& oldest = entries_.at(task);
    auto done = put_on_disk(oldest);
    count_memory(task, oldest);
    if (!done) {
      trouble_ = std::move(done.error());
      return;
    }
    trouble_.reset();
  }
}

// Its outputs first, which are larger. One that is being sent begins anew.
Expected<void> Outbox::put_on_disk(Entry& entry) {
  entry.part = 0;
  entry.reader.reset();
  for (auto& part : entry.result.parts) {
    if (auto done = part.output.spill(*options_.spool, 0); !done) return done;
  }
  return entry.result.body.spill(*options_.spool, 0);
}

void Outbox::queue(TaskKey task) {
  const auto found = entries_.find(task);
  if (found == entries_.end() || found->second.queued || !found->second.under_way.expired()) return;
  found->second.queued = true;
  found->second.part = 0;
  found->second.reader.reset();
  queued_.push_back(task);
}

// Those are passed that were acknowledged meanwhile, or are even another attempt's, which was
// queued anew.
Outbox::Entry* Outbox::first_queued() {
  for (; !queued_.empty(); queued_.pop_front()) {
    const auto found = entries_.find(queued_.front());
    if (found != entries_.end() && found->second.queued) return &found->second;
  }
  return nullptr;
}

std::optional<Outbox::Frame> Outbox::next_frame(v1::ResultFrame header) {
  struct Chosen {
    TaskKey task;
    Entry* entry;
  };
  std::vector<Chosen> chosen;
  std::size_t bytes = 64;  // about the header's
  while (chosen.size() < kResultsAFrame && bytes < kFrameBytes) {
    Entry* const entry = first_queued();
    if (entry == nullptr) break;
    const TaskKey task = queued_.front();
    if (entry->has_parts()) {
      if (!chosen.empty()) break;
      if (auto part = next_part(task, *entry, header)) return part;
    }
    queued_.pop_front();
    entry->queued = false;
    chosen.push_back({task, entry});
    bytes += result_size(entry->result.body.size());
  }
  if (chosen.empty()) return std::nullopt;
  Frame frame{encode(header), std::make_shared<char>()};
  frame.bytes.reserve(bytes);
  for (const auto& [task, entry] : chosen) {
    append(task, *entry, frame.bytes);
    entry->under_way = frame.held;
  }
  return frame;
}

// None: all have been sent, or are lost.
std::optional<Outbox::Frame> Outbox::next_part(TaskKey task, Entry& entry, v1::ResultFrame header) {
  for (; entry.has_parts(); ++entry.part, entry.reader.reset()) {
    const PackedResult::Part& part = entry.result.parts[entry.part];
    if (!entry.reader) {
      entry.reader.emplace(part.output);
      entry.offset = 0;
    }
    const auto piece = entry.reader->next();
    if (!piece) {
      lose(task, entry, piece.error());
      return std::nullopt;
    }
    if (piece->empty()) continue;
    v1::OutputPart& out = *header.mutable_part();
    *out.mutable_task() = make_ref(task, entry.result.attempt);
    out.set_first(entry.part == 0 && entry.offset == 0);
    out.set_command(part.command);
    out.set_offset(entry.offset);
    out.set_output(piece->data(), piece->size());
    entry.offset += piece->size();
    return Frame{encode(header), {}};
  }
  return std::nullopt;
}

void Outbox::lose(TaskKey task, Entry& entry, const Error& why) {
  entry.part = 0;
  entry.reader.reset();
  entry.result = lost_result(task, entry.result.attempt, why);
  count_memory(task, entry);
}

void Outbox::append(TaskKey task, Entry& entry, std::string& frame) {
  const std::size_t start = frame.size();
  begin_result(frame, entry.result.body.size());
  const auto read = entry.result.body.read([&frame](std::string_view piece) { frame += piece; });
  if (read) return;
  frame.resize(start);
  lose(task, entry, read.error());
  begin_result(frame, entry.result.body.size());
  frame += entry.result.body.memory();
}

}  // namespace netfleet

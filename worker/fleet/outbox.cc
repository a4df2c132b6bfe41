#include "worker/fleet/outbox.h"

#include <fmt/format.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "common/check.h"

namespace netfleet {
namespace {

constexpr std::size_t kResultsAFrame = 64;
constexpr std::size_t kFrameBytes = 256 << 10;  // a frame is closed once it is so large
constexpr int kPart = 256 << 10;                // bytes that go to the disk at once

// What protobuf serializes, on its way to the disk.
class Parts final : public google::protobuf::io::CopyingOutputStream {
 public:
  explicit Parts(const Spool::Put& put) : put_(put) {}
  bool Write(const void* bytes, int size) override {
    return put_({static_cast<const char*>(bytes), static_cast<std::size_t>(size)});
  }

 private:
  const Spool::Put& put_;
};

// What is said of a result that the disk has lost.
std::string lost_result(TaskKey task, std::uint32_t attempt, const Error& why) {
  TaskResult lost;
  lost.index = task.index;
  lost.attempt = attempt;
  lost.outcome = Outcome::kInternal;
  lost.command_sent = true;  // for all that is known
  lost.error = fmt::format("the task ended, but its result was lost: {}", why.message);
  return to_wire(std::move(lost), task.sweep).SerializeAsString();
}

}  // namespace

void cut_outputs(TaskResult& result, std::size_t most) {
  for (CommandResult& command : result.commands) {
    if (command.output.size() > most) {
      command.output.resize(most);
      command.output.shrink_to_fit();
      command.truncated = true;
    }
    most -= command.output.size();
  }
}

void Outbox::put(TaskKey task, const v1::TaskResult& result) {
  erase(task);
  Entry& entry = entries_[task];
  entry.attempt = result.task().attempt();
  if (!put_on_disk(entry, result)) keep(task, entry, result.SerializeAsString());
  spill();
}

// One that memory has no room for anyway is never there as a whole.
bool Outbox::put_on_disk(Entry& entry, const v1::TaskResult& result) {
  const std::size_t size = result.ByteSizeLong();
  if (size <= options_.memory) return false;
  auto written = spool_.write(size, [&result](const Spool::Put& put) {
    Parts parts(put);
    google::protobuf::io::CopyingOutputStreamAdaptor stream(&parts, kPart);
    result.SerializeToZeroCopyStream(&stream);
  });
  if (!written) {
    trouble_ = std::move(written.error());
    return false;
  }
  trouble_.reset();
  entry.size = size;
  entry.at = *written;
  return true;
}

void Outbox::keep(TaskKey task, Entry& entry, std::string body) {
  CHECK(!body.empty());
  entry.size = body.size();
  entry.body = std::move(body);
  entry.in_memory = in_memory_.insert(in_memory_.end(), task);
  memory_ += entry.size;
}

void Outbox::let_go(Entry& entry) {
  if (entry.spilled()) {
    spool_.release(entry.at, entry.size);
  } else {
    memory_ -= entry.size;
    in_memory_.erase(entry.in_memory);
  }
}

void Outbox::erase(TaskKey task) {
  const auto found = entries_.find(task);
  if (found == entries_.end()) return;
  let_go(found->second);
  entries_.erase(found);
}

void Outbox::spill() {
  while (memory_ > options_.memory) {
    Entry& oldest = entries_.at(in_memory_.front());
    auto written = spool_.write(oldest.body);
    if (!written) {
      trouble_ = std::move(written.error());
      return;
    }
    trouble_.reset();
    let_go(oldest);
    oldest.body = {};
    oldest.at = *written;
  }
}

void Outbox::queue(TaskKey task) {
  const auto found = entries_.find(task);
  if (found == entries_.end() || found->second.queued || !found->second.under_way.expired()) return;
  found->second.queued = true;
  queued_.push_back(task);
}

std::optional<Outbox::Frame> Outbox::next_frame(std::string header) {
  struct Chosen {
    TaskKey task;
    Entry* entry;
  };
  std::vector<Chosen> chosen;
  std::size_t bytes = header.size();
  while (!queued_.empty() && chosen.size() < kResultsAFrame && bytes < kFrameBytes) {
    const TaskKey task = queued_.front();
    queued_.pop_front();
    const auto found = entries_.find(task);
    // Acknowledged meanwhile; or even another attempt's, which was queued anew.
    if (found == entries_.end() || !std::exchange(found->second.queued, false)) continue;
    chosen.push_back({task, &found->second});
    bytes += result_size(found->second.size);
  }
  if (chosen.empty()) return std::nullopt;
  Frame frame{std::move(header), std::make_shared<char>()};
  frame.bytes.reserve(bytes);
  for (const auto& [task, entry] : chosen) {
    append(task, *entry, frame.bytes);
    entry->under_way = frame.held;
  }
  return frame;
}

void Outbox::append(TaskKey task, Entry& entry, std::string& frame) {
  const std::size_t start = frame.size();
  begin_result(frame, entry.size);
  if (!entry.spilled()) {
    frame += entry.body;
    return;
  }
  const std::size_t from = frame.size();
  frame.resize(from + entry.size);
  const auto read = spool_.read(entry.at, std::span(frame).subspan(from));
  if (read) return;
  frame.resize(start);
  let_go(entry);
  keep(task, entry, lost_result(task, entry.attempt, read.error()));
  begin_result(frame, entry.size);
  frame += entry.body;
}

}  // namespace netfleet

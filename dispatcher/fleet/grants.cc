#include "dispatcher/fleet/grants.h"

#include <google/protobuf/arena.h>

#include "common/wire.h"

namespace netfleet {
namespace {

constexpr std::size_t kEnvelope = 64;  // more than what a part has beside its tasks
constexpr std::size_t kTaskHead = 8;   // more than what precedes a task in it

}  // namespace

void send_grant(const v1::ToWorker& granted, const std::function<const TaskSpec&(TaskKey)>& task_of,
                const std::function<void(const v1::ToWorker& part)>& send) {
  google::protobuf::Arena arena;  // six strings a task, and gone at once
  v1::ToWorker* part = nullptr;
  std::size_t size = 0;
  for (const v1::TaskSpec& bare : granted.grant().tasks()) {
    auto& task = *google::protobuf::Arena::CreateMessage<v1::TaskSpec>(&arena);
    task = bare;
    fill_in(task_of(key_of(task.task())), task);
    const std::size_t more = task.ByteSizeLong() + kTaskHead;
    if (part != nullptr && size + more > wire::kMaxControlFrame) {
      send(*part);
      part = nullptr;
    }
    if (part == nullptr) {
      part = google::protobuf::Arena::CreateMessage<v1::ToWorker>(&arena);
      part->set_epoch(granted.epoch());
      part->mutable_grant()->set_sent_at(granted.grant().sent_at());
      size = kEnvelope;
    }
    part->mutable_grant()->mutable_tasks()->UnsafeArenaAddAllocated(&task);
    size += more;
  }
  if (part != nullptr) send(*part);
}

}  // namespace netfleet

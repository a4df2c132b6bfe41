// The part of the hub that reads the sink: results, and the parts of large outputs before them.
#include <utility>

#include "dispatcher/fleet/hub.h"
#include "dispatcher/fleet/log.h"

namespace netfleet {
namespace {
constexpr int kFramesATurn = 256;  // so that no socket starves the others

// What is said of a result that could never be taken as it is.
void refuse(v1::TaskResult& result) {
  result.clear_commands();
  result.set_outcome(v1::OUTCOME_INTERNAL);
  result.set_error("the worker reports more output than the job allows; it was not taken");
}
}  // namespace

void Hub::receive_results() {
  while (!held_back_.empty() &&
         offer(held_back_.front().sweep, std::move(held_back_.front().delivery))) {
    held_back_.pop_front();
  }
  for (int i = 0; i < kFramesATurn && held_back_.empty(); ++i) {
    auto received = sink_->receive();
    if (!received) return;
    auto frame = decode_results(received->bytes);
    if (!frame || (admission_ && !admission_->may_deliver(received->user, frame->incarnation()))) {
      ++malformed_;
      continue;
    }
    if (!ledger_.on_result_frame(clock_.now(), *frame)) continue;
    if (frame->has_part()) take_part(frame->incarnation(), *frame->mutable_part());
    for (auto& result : *frame->mutable_results()) take_result(frame->incarnation(), result);
  }
}

// One that does not belong here is dropped: its result will not be complete, and be sent again.
void Hub::take_part(std::uint64_t from, v1::OutputPart& part) {
  const TaskKey key = key_of(part.task());
  if (!ledger_.holds(from, key, part.task().attempt())) return;
  Delivery delivery;
  delivery.assembly = find(key.sweep)->parts.accept(part);
  if (delivery.assembly == nullptr) return;
  delivery.command = part.command();
  delivery.part = std::move(*part.mutable_output());
  deliver(key.sweep, std::move(delivery));
}

void Hub::take_result(std::uint64_t from, v1::TaskResult& message) {
  const TaskKey key = key_of(message.task());
  const std::uint32_t attempt = message.task().attempt();
  const bool held = ledger_.holds(from, key, attempt);
  PartTracker* const parts = held ? &find(key.sweep)->parts : nullptr;
  if (held && !parts->is_within_bounds(message)) refuse(message);
  if (held && !parts->is_complete(message)) return;  // not acknowledged: it comes again
  const Verdict verdict =
      ledger_.on_result(clock_.now(), from, key, attempt, from_wire(message.outcome()),
                        message.command_sent(), message.way_lost());
  auto assembly = held ? parts->take(message) : nullptr;
  if (verdict == Verdict::kRetry && options_.verbose) {
    log(log_retry(message, ledger_.worker_name(from), subject_of(key)));
  }
  if (verdict != Verdict::kFinal) return;
  TaskResult result = from_wire(message);
  result.worker = ledger_.worker_name(from);
  record(key.sweep, std::move(result), std::move(assembly));
}

void Hub::record(std::uint32_t sweep, TaskResult result, std::shared_ptr<Assembly> assembly) {
  if (options_.verbose) log(log_result(result, subject_of({sweep, result.index})));
  deliver(sweep, {std::move(result), std::move(assembly)});
}

void Hub::deliver(std::uint32_t sweep, Delivery delivery) {
  if (!held_back_.empty() || !offer(sweep, std::move(delivery))) {
    held_back_.push_back({sweep, std::move(delivery)});  // untouched: it was refused
  }
}

bool Hub::offer(std::uint32_t sweep, Delivery&& delivery) {
  Live* live = find(sweep);
  return live == nullptr || live->recorder->offer(std::move(delivery));
}

}  // namespace netfleet

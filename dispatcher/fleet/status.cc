#include "dispatcher/fleet/status.h"

#include <algorithm>
#include <chrono>
#include <tuple>

namespace netfleet {
namespace {

constexpr std::size_t kMostBytes = 900u << 10;  // of 1 MiB (PROTOCOL.md, section 2)

std::uint64_t ms_ago(TimePoint then, TimePoint now) {
  const auto age = std::chrono::duration_cast<Milliseconds>(now - then).count();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, age));
}

v1::WorkerStatus status_of(const WorkerView& view, TimePoint now) {
  v1::WorkerStatus status;
  status.set_name(view.name);
  for (const std::string& region : view.regions) status.add_regions(region);
  status.set_slots(view.slots);
  status.set_free(view.free);
  status.set_running(view.running);
  status.set_done(view.done);
  status.set_joined_ms_ago(ms_ago(view.joined, now));
  status.set_seen_ms_ago(ms_ago(view.last_seen, now));
  status.set_silent(view.silent);
  return status;
}

}  // namespace

v1::ToWorker worker_list(std::vector<WorkerView> workers, const std::vector<RunningSweep>& sweeps,
                         TimePoint now, std::uint64_t epoch) {
  std::ranges::sort(workers, {}, [](const WorkerView& worker) {
    return std::tie(worker.name, worker.joined, worker.incarnation);
  });
  v1::ToWorker message;
  message.set_epoch(epoch);
  v1::WorkerList& list = *message.mutable_worker_list();
  for (const RunningSweep& sweep : sweeps) {
    v1::SweepStatus& status = *list.add_sweeps();
    status.set_id(sweep.id);
    status.set_total(sweep.total);
    status.set_done(sweep.done);
    status.set_running(sweep.running);
  }
  std::size_t bytes = list.ByteSizeLong();
  for (const WorkerView& worker : workers) {
    v1::WorkerStatus status = status_of(worker, now);
    bytes += status.ByteSizeLong() + 8;
    if (bytes > kMostBytes) {
      list.set_left_out(list.left_out() + 1);
    } else {
      *list.add_workers() = std::move(status);
    }
  }
  return message;
}

}  // namespace netfleet

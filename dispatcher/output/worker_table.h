// dispatcher/output: the workers of a dispatcher as people and programs read them. Formatting only.
#pragma once

#include <string>

#include "common/clock.h"
#include "proto/netfleet.pb.h"

namespace netfleet {

// A table, then a line a sweep. `now`: the wall clock when the answer came.
std::string render_worker_table(const v1::WorkerList& list, WallTime now);
// One object a worker, then one a sweep, a line each; `type` tells them apart.
std::string render_worker_jsonl(const v1::WorkerList& list, WallTime now);

}  // namespace netfleet

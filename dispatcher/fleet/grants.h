// dispatcher/fleet: what the ledger grants, as messages that say all about each task and fit into
// frames. Pure.
#pragma once

#include <functional>

#include "common/codec.h"
#include "common/task.h"

namespace netfleet {

// Fills in the tasks of `granted`, a message with a grant, with what `task_of` knows. Sends it in
// as many parts as frames need: configurations may be large.
void send_grant(const v1::ToWorker& granted, const std::function<const TaskSpec&(TaskKey)>& task_of,
                const std::function<void(const v1::ToWorker& part)>& send);

}  // namespace netfleet

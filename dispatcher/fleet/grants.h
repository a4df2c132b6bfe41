// dispatcher/fleet: what the ledger grants, as messages that say all about each task and fit into
// frames. Pure.
#pragma once

#include <functional>
#include <span>

#include "common/codec.h"
#include "common/task.h"

namespace netfleet {

// Fills in the tasks of `granted`, a message with a grant, from `tasks` by their index. Sends it in
// as many parts as frames need: configurations may be large.
void send_grant(const v1::ToWorker& granted, std::span<const TaskSpec> tasks,
                const std::function<void(const v1::ToWorker& part)>& send);

}  // namespace netfleet

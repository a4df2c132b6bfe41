// dispatcher/serve: `netfleet serve`, put together: store, hub, worker, API, steward.
#pragma once

#include "dispatcher/cli/serve_options.h"
#include "dispatcher/cli/worker_side.h"

namespace netfleet {

// Until SIGTERM or SIGINT. The exit status: 0 stopped, 2 usage or input, 3 it cannot go on.
int serve_verb(const ServeOptions& options, const WorkerSide& worker_side);

}  // namespace netfleet

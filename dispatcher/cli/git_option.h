// dispatcher/cli: what `run --git` asks for, as the recorder needs it.
#pragma once

#include <memory>
#include <vector>

#include "common/error.h"
#include "common/shared_text.h"
#include "dispatcher/cli/options.h"
#include "dispatcher/cli/worker_side.h"
#include "dispatcher/history/git_backup.h"

namespace netfleet {

// Null without --git. An error when the repository cannot be used. `groups`: of the tasks, for
// --git-shard group.
Expected<std::shared_ptr<GitBackup>> open_backup(const RunOptions& options,
                                                 const WorkerSide& worker_side,
                                                 std::vector<SharedText> groups);

}  // namespace netfleet

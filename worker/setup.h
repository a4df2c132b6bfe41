// worker: what both programs with a worker in them need to make one: known hosts, platforms, names.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/task.h"
#include "worker/device/platform.h"
#include "worker/engine/session_recorder.h"
#include "worker/ssh/known_hosts.h"

namespace netfleet {

struct WorkerParts {
  std::unique_ptr<ssh::KnownHosts> known_hosts;
  PlatformSet platforms;
};

// `known_hosts` empty: $XDG_STATE_HOME/netfleet/known_hosts (else ~/.local/state/...) for new keys,
// ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts read besides. Given: that file alone.
Expected<WorkerParts> make_worker_parts(const std::string& known_hosts,
                                        const std::string& platform_dir);

// The built-in ones and those of a directory (empty: none).
Expected<PlatformSet> load_platforms(const std::string& directory);

// --session-log: nullptr without a directory.
Expected<std::unique_ptr<SessionLogs>> open_session_logs(const std::string& directory,
                                                         SessionLogs::Say say);

// An error with all that is wrong with the files of the directory, or when one of `names` is no
// platform ("auto" is one).
Expected<void> check_platforms(const std::string& platform_dir,
                               const std::vector<std::string>& names);

// Whether those platforms can do what a job asks for, before anything is sent to anybody: its mode,
// configuration (`configures`: some task has some), commit and save; and whether the patterns of
// its answers compile.
Expected<void> check_job(const std::string& platform_dir, const std::vector<std::string>& names,
                         const JobSpec& job, bool configures);

// Of one platform all that is known, or without a name a line for each; as text or JSON lines.
Expected<std::string> describe_platforms(const std::string& platform_dir, const std::string& name,
                                         bool jsonl);

// What puts a mark in place of what changes by itself in an output of a platform (worker/device/
// volatile_mask.h): what its file says unless `bare`, and `more`, regular expressions.
using VolatileMask = std::function<std::string(std::string_view platform, std::string_view text)>;
Expected<VolatileMask> volatile_mask(const std::string& platform_dir,
                                     const std::vector<std::string>& more, bool bare);

std::uint64_t make_incarnation();                     // its low byte is never 0
std::uint32_t session_threads(std::uint32_t wanted);  // 0: one a core
std::string home_directory();                         // $HOME
void keep_memory_private();                           // no core dumps, no tracing by others

}  // namespace netfleet

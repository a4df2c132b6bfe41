// dispatcher/cli: what the verbs need of a worker in the same process. The dispatcher's rooms never
// include the worker's; main.cc, which may see both, fills this in.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/credential.h"
#include "common/endpoint.h"
#include "common/error.h"
#include "common/task.h"
#include "common/wire.h"

namespace netfleet {

// A worker on a thread of its own. Destroying it stops its sessions and joins the thread.
class EmbeddedWorker {
 public:
  virtual ~EmbeddedWorker() = default;
};

struct EmbeddedWorkerSetup {
  wire::Context& context;
  Endpoint endpoint;
  std::uint32_t sessions;
  std::uint32_t threads;  // 0: one a core
  std::vector<std::string> regions;
  CredentialStore credentials;
  FindCredential more_credentials;  // that come later; may be empty
  AskCode ask_code;                 // on the terminal; empty: there is none
  std::string known_hosts;          // empty: the user's own
  std::string platform_dir;
  std::string session_log;  // a directory; empty: none
  std::function<void(const std::string&)> log;
  std::function<void(const std::string&)> failed;  // it ended early, and why
};

// What comes of a session log when the dialogue runs over it again.
struct ReplayedSession {
  TaskSpec task;
  TaskResult result;
  // Where something else would be typed than was: lines for people.
  std::vector<std::string> differences;
};

struct WorkerSide {
  std::function<Expected<std::unique_ptr<EmbeddedWorker>>(EmbeddedWorkerSetup)> start;
  // Whether a private key file is encrypted.
  std::function<Expected<bool>(const std::string& path)> needs_passphrase;
  // An error with all that is wrong with the files of the directory (a line each), or when one of
  // `names` is no platform.
  std::function<Expected<void>(const std::string& platform_dir,
                               const std::vector<std::string>& names)>
      check_platforms;
  // Whether these platforms ("auto": any) can do what the job asks for: its mode, configuration
  // (`configures`: some task has some), save; and whether its answers' patterns compile.
  std::function<Expected<void>(const std::string& platform_dir,
                               const std::vector<std::string>& names, const JobSpec& job,
                               bool configures)>
      check_job;
  // `platform` empty: as it is in the log. Errors begin with the line they are in.
  std::function<Expected<ReplayedSession>(std::string_view log, const std::string& platform_dir,
                                          const std::string& platform)>
      replay;
  // Of one platform all that is known, or without a name a line for each; as text or JSON lines.
  std::function<Expected<std::string>(const std::string& platform_dir, const std::string& name,
                                      bool jsonl)>
      describe_platforms;
  // What masks, in an output of a platform, what changes by itself: what the platform's file says
  // of it unless `bare`, and `more`, regular expressions.
  using Mask = std::function<std::string(std::string_view platform, std::string_view text)>;
  std::function<Expected<Mask>(const std::string& platform_dir,
                               const std::vector<std::string>& more, bool bare)>
      volatile_mask;
};

}  // namespace netfleet

// worker: what the command line of `netfleet-worker` says, as plain data. Parsing only.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "common/clock.h"
#include "common/credential_source.h"
#include "common/error.h"

namespace netfleet {

struct WorkerOptions {
  std::string dispatcher;             // off loopback only with `keys`
  std::string name;                   // empty: of its key; without keys <hostname>-<pid>
  std::string keys;                   // directory of CURVE keys; empty: none
  std::vector<std::string> regions;   // empty: the default region
  std::uint32_t sessions = 50;        // slots
  std::uint32_t session_threads = 0;  // 0: one a core
  CredentialOptions credentials;      // ask_password is never set: a worker has nobody to ask
  std::string credential_file;        // those that tasks name; empty: "default" alone
  std::string jumps;                  // a file of jump hosts; empty: none
  std::string known_hosts;            // empty: the user's own
  std::string platform_dir;
  std::string session_log;              // a directory; empty: none
  std::string spool;                    // empty: $TMPDIR, else /var/tmp
  Milliseconds drain_timeout{300'000};  // after SIGTERM or Ctrl-C: how long sessions may finish
  int verbose = 0;
};

struct WorkerHelp {  // --help and --version: print to stdout, exit 0
  std::string text;
};

using WorkerCommandLine = std::variant<WorkerHelp, WorkerOptions>;

// Parses argv, argv[0] included. The error is one line and one that says where the help is.
Expected<WorkerCommandLine> parse_worker_command_line(int argc, const char* const* argv);

}  // namespace netfleet

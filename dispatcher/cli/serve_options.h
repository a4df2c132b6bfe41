// dispatcher/cli: the command line of `netfleet serve`, as plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/error.h"

namespace CLI {
class App;
}

namespace netfleet {

// Strings are empty where nothing was given.
struct ServeOptions {
  std::string jobs;   // a directory of job files
  std::string store;  // empty: the default place
  // Devices: an embedded worker, or those that join.
  std::string listen;                // for workers; empty: an embedded one
  std::vector<std::string> regions;  // whose lanes come first, in this order
  std::string keys;
  bool send_credentials = false;
  std::uint32_t min_workers = 1;
  Milliseconds lease{30'000};
  Milliseconds region_timeout{300'000};
  std::uint32_t sessions = 500;  // of the embedded worker
  std::uint32_t session_threads = 0;
  std::string known_hosts;
  std::string platform_dir;
  std::string credential_file;  // of jobs that name none
  // The HTTP API.
  std::string http = "127.0.0.1:7680";  // "none": none
  std::string tokens;                   // empty: a file in the user's state directory
  std::string certificate;
  std::string key;
  std::string audit_log;  // empty: a file in the user's state directory
  // History: as `netfleet prune`, after each sweep; without both everything stays.
  std::optional<std::uint32_t> keep_sweeps;
  std::optional<std::uint32_t> keep_days;
  Milliseconds stop_timeout{60'000};  // for what runs, after SIGTERM
  int verbose = 0;
};

void add_serve(CLI::App& serve, ServeOptions& options);
Expected<void> settle_serve(const CLI::App& serve, ServeOptions& options);

}  // namespace netfleet

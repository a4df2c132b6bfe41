// common: a jump host, an SSH server through which other hosts are reached. Plain data, as an
// inventory or a worker's own file defines it; it names its credential and holds no secret.
#pragma once

#include <cstdint>
#include <string>

#include "common/task.h"

namespace netfleet {

struct JumpHost {
  std::string name;     // as routes and messages call it
  std::string address;  // name or IP literal, without brackets
  std::uint16_t port = 22;
  std::string user;
  std::string credential;
  std::string via;           // the jump host through which this one is reached; empty: none
  std::uint32_t weight = 1;  // share of the sessions among the alternatives of one tier
  // For each session thread of a worker.
  std::uint32_t max_connections = 4;
  std::uint32_t max_channels = 100;  // devices at the same time over one connection
  HostKeyPolicy host_key_policy = HostKeyPolicy::kAcceptNew;
  bool legacy_algorithms = false;
  std::string ssh_options{};  // of common/ssh_algorithms.h, as text; empty: none
  bool operator==(const JumpHost&) const = default;
};

}  // namespace netfleet

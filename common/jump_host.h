// common: jump hosts, SSH servers through which other hosts are reached, and the ways that lead
// over them. Plain data, as an inventory or a worker's own file defines it; a jump host names its
// credential and holds no secret.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/host_key_policy.h"

namespace netfleet {

inline constexpr std::size_t kMaxJumpHosts = 1000;  // of a job, and of a worker's own file
inline constexpr std::size_t kMaxJumpName = 255;
inline constexpr std::size_t kMaxHops = 16;          // of one chain
inline constexpr std::size_t kMaxAlternatives = 64;  // of one route
inline constexpr std::size_t kMaxRouteText = 4096;
inline constexpr std::uint32_t kMaxJumpWeight = 1000;
inline constexpr std::uint32_t kMaxJumpConnections = 1000;
inline constexpr std::uint32_t kMaxJumpChannels = 10'000;

struct JumpHost {
  std::string name;     // as routes and messages call it
  std::string address;  // name or IP literal, without brackets
  std::uint16_t port = 22;
  std::string user{};
  std::string credential{};
  std::string via{};         // the chain through which it is reached, "a>b"; empty: directly
  std::uint32_t weight = 1;  // share of the sessions among the alternatives of one tier
  // For each session thread of a worker.
  std::uint32_t max_connections = 4;
  std::uint32_t max_channels = 100;  // devices at the same time over one connection
  HostKeyPolicy host_key_policy = HostKeyPolicy::kAcceptNew;
  bool legacy_algorithms = false;
  std::string ssh_options{};  // of common/ssh_algorithms.h, as text; empty: none
  bool operator==(const JumpHost&) const = default;
};

using JumpHosts = std::map<std::string, JumpHost, std::less<>>;

// A name that routes can hold: one to kMaxJumpName printable bytes without ',', '|' and '>', and
// not the word "none".
Expected<void> check_jump_name(std::string_view name);

// Jump hosts one behind the other, the nearest first; the last one connects to the device. A jump
// host's own `via` counts for the first one only.
using JumpChain = std::vector<std::string_view>;
// Tiers in the order of preference, each with alternatives that share by weight.
using JumpTiers = std::vector<std::vector<JumpChain>>;

// "a>b" is a chain; "a>b|c,d" a route: tiers by ',', their alternatives by '|'. Views into `text`.
Expected<JumpChain> parse_jump_chain(std::string_view text);
Expected<JumpTiers> parse_jump_route(std::string_view text);
std::string to_text(const JumpChain& chain);

// A route for people: "a,b or c, else d".
std::string shown_route(std::string_view route);

// The chain with those before it through which its first jump host is reached. Whoever is not among
// `hosts` is taken to be reached directly. Errors: a loop, or more than kMaxHops.
Expected<JumpChain> whole_chain(JumpChain chain, const JumpHosts& hosts);

}  // namespace netfleet

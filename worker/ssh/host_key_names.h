// worker/ssh: under which names the key of a server is on record. No input or output of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "worker/ssh/known_hosts.h"

namespace netfleet::ssh {

// The same private address behind two jump hosts means two servers, each with its own key: behind
// jump hosts a key is recorded as "192.0.2.1>10.0.0.7", for each chain that may lead there. What
// is on record for the address alone (as `ssh -J` writes it) counts, too, but for one thing:
// another key than that is no contradiction where the address is one that other networks have as
// well.
class HostKeyNames {
 public:
  // `behind`: the chains (JumpHop::place()); empty: reached directly.
  HostKeyNames(std::string address, std::uint16_t port, std::vector<std::string> behind);

  KnownHosts::Answer check(const KnownHosts& known_hosts, std::string_view key_type,
                           std::string_view key) const;
  std::vector<std::string> key_types(const KnownHosts& known_hosts) const;
  // Under every name, after check() said kUnknown.
  Expected<void> add(KnownHosts& known_hosts, std::string_view key_type,
                     std::string_view key) const;

 private:
  std::string address_;
  std::uint16_t port_;
  std::vector<std::string> names_;  // behind jump hosts
};

// Whether other networks may have this address as well: private, shared, link-local and loopback
// ones, and names without a dot.
bool may_repeat(std::string_view address);

}  // namespace netfleet::ssh

// worker/ssh: ways to a device over jump hosts, with all that is needed to log in to each. No input
// or output.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/jump_host.h"
#include "worker/ssh/identity.h"

namespace netfleet::ssh {

// One jump host with the way to it. Immutable and shared between threads; so a loop cannot be.
struct JumpHop {
  JumpHost host;
  std::shared_ptr<const Identity> identity;
  std::shared_ptr<const JumpHop> via;  // null: reached directly

  // "bastion1,core": the chain, nearest first.
  std::string chain() const;
  // "192.0.2.1>10.0.0.1:2222": the same by addresses, port 22 left out; whatever it is called.
  std::string place() const;
  // "core (10.0.0.1:22)"
  std::string where() const;
  // Equal for two hops that one connection can serve: same chain, users, identities, rules.
  std::string key() const;
};

// The alternatives for the last hop: tiers in the order of preference, each shared by weight.
struct JumpRoute {
  std::vector<std::vector<std::shared_ptr<const JumpHop>>> tiers;

  // JumpHop::place() of each: wherever a device's host key may have been seen.
  std::vector<std::string> places() const;
};

using netfleet::JumpHosts;
using FindIdentity = std::function<Expected<std::shared_ptr<const Identity>>(const JumpHost& host)>;

// `text` is a route of common/jump_host.h ("a>b|c,d"). Errors name an unknown jump host, a loop in
// `via`, a chain that is too long, a credential that cannot be had.
Expected<std::shared_ptr<const JumpRoute>> make_jump_route(std::string_view text,
                                                           const JumpHosts& hosts,
                                                           const FindIdentity& find_identity);

}  // namespace netfleet::ssh

#include "worker/ssh/jump_route.h"

#include <fmt/format.h>

#include <map>
#include <utility>

namespace netfleet::ssh {
namespace {

using Hop = std::shared_ptr<const JumpHop>;

std::string endpoint_text(const JumpHost& host) {
  const bool v6 = host.address.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", host.address, v6 ? "]" : "", host.port);
}

// Makes each hop once, so that routes through one bastion share it.
class Maker {
 public:
  Maker(const JumpHosts& hosts, const FindIdentity& find_identity)
      : hosts_(hosts), find_identity_(find_identity) {}

  Expected<Hop> make(JumpChain chain) {
    auto whole = whole_chain(std::move(chain), hosts_);
    if (!whole) return std::unexpected(std::move(whole.error()));
    Hop hop;
    std::string way;
    for (const std::string_view name : *whole) {
      way += fmt::format("{}{}", way.empty() ? "" : ">", name);
      auto made = add(name, way, std::move(hop));
      if (!made) return made;
      hop = *std::move(made);
    }
    return hop;
  }

 private:
  Expected<Hop> add(std::string_view name, const std::string& way, Hop via) {
    if (const auto made = made_.find(way); made != made_.end()) return made->second;
    const auto host = hosts_.find(name);
    if (host == hosts_.end()) {
      return fail(
          fmt::format("no jump host '{}' is defined, neither by the dispatcher nor in a file of "
                      "this worker's own (--jumps)",
                      name));
    }
    auto identity = find_identity_(host->second);
    if (!identity) {
      return fail(fmt::format("jump host '{}': {}", name, identity.error().message));
    }
    auto hop = std::make_shared<JumpHop>();
    hop->host = host->second;
    hop->identity = *std::move(identity);
    hop->via = std::move(via);
    return made_.emplace(way, std::move(hop)).first->second;
  }

  const JumpHosts& hosts_;
  const FindIdentity& find_identity_;
  std::map<std::string, Hop> made_;  // by the chain that ends with it
};

}  // namespace

std::string JumpHop::chain() const {
  return via == nullptr ? host.name : via->chain() + "," + host.name;
}

std::string JumpHop::place() const {
  const std::string before = via == nullptr ? "" : via->place() + ">";
  return before + (host.port == 22 ? host.address : endpoint_text(host));
}

std::string JumpHop::where() const {
  return fmt::format("{} ({})", host.name, endpoint_text(host));
}

// The identity by its place in memory: whoever keeps the key keeps the hop, and so the identity.
std::string JumpHop::key() const {
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", host.name, host.address,
                     host.port, host.user, static_cast<const void*>(identity.get()),
                     host.max_connections, host.max_channels,
                     static_cast<int>(host.host_key_policy), host.legacy_algorithms,
                     host.ssh_options, via == nullptr ? "" : via->key());
}

std::vector<std::string> JumpRoute::places() const {
  std::vector<std::string> places;
  for (const auto& tier : tiers) {
    for (const auto& hop : tier) places.push_back(hop->place());
  }
  return places;
}

Expected<std::shared_ptr<const JumpRoute>> make_jump_route(std::string_view text,
                                                           const JumpHosts& hosts,
                                                           const FindIdentity& find_identity) {
  auto tiers = parse_jump_route(text);
  if (!tiers) return fail(fmt::format("'{}': {}", text, tiers.error().message));
  Maker maker(hosts, find_identity);
  auto route = std::make_shared<JumpRoute>();
  for (auto& tier : *tiers) {
    auto& hops = route->tiers.emplace_back();
    for (JumpChain& chain : tier) {
      auto hop = maker.make(std::move(chain));
      if (!hop) return std::unexpected(std::move(hop.error()));
      hops.push_back(*std::move(hop));
    }
  }
  return std::shared_ptr<const JumpRoute>(std::move(route));
}

}  // namespace netfleet::ssh

#include "worker/ssh/jump_route.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <utility>

namespace netfleet::ssh {
namespace {

constexpr std::size_t kMostHops = 16;
constexpr std::size_t kMostAlternatives = 64;

using Hop = std::shared_ptr<const JumpHop>;

// Makes each hop once, so that routes through one bastion share it.
class Maker {
 public:
  Maker(const JumpHosts& hosts, const FindIdentity& find_identity)
      : hosts_(hosts), find_identity_(find_identity) {}

  Expected<Hop> make(std::string_view name) {
    if (const auto made = made_.find(name); made != made_.end()) return made->second;
    const auto host = hosts_.find(name);
    if (host == hosts_.end()) return fail(fmt::format("no jump host '{}' is defined", name));
    if (std::ranges::find(path_, name) != path_.end()) {
      return fail(fmt::format("jump host '{}': a loop in 'via': {} -> {}", name,
                              fmt::join(path_, " -> "), name));
    }
    if (path_.size() == kMostHops) {
      return fail(
          fmt::format("jump host '{}': a chain of more than {} hops", path_.front(), kMostHops));
    }
    auto hop = std::make_shared<JumpHop>();
    hop->host = host->second;
    if (!hop->host.via.empty()) {
      path_.emplace_back(name);
      auto via = make(hop->host.via);
      path_.pop_back();
      if (!via) return std::unexpected(std::move(via.error()));
      hop->via = std::move(*via);
    }
    auto identity = find_identity_(hop->host);
    if (!identity) {
      return fail(fmt::format("jump host '{}': {}", name, identity.error().message));
    }
    hop->identity = std::move(*identity);
    made_.emplace(name, hop);
    return Hop(std::move(hop));
  }

 private:
  const JumpHosts& hosts_;
  const FindIdentity& find_identity_;
  std::map<std::string, Hop, std::less<>> made_;
  std::vector<std::string> path_;
};

}  // namespace

std::string JumpHop::chain() const {
  return via == nullptr ? host.name : via->chain() + "," + host.name;
}

std::string JumpHop::where() const {
  const bool v6 = host.address.find(':') != std::string::npos;
  return fmt::format("{} ({}{}{}:{})", host.name, v6 ? "[" : "", host.address, v6 ? "]" : "",
                     host.port);
}

// The identity by its place in memory: whoever keeps the key keeps the hop, and so the identity.
std::string JumpHop::key() const {
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", host.name, host.address,
                     host.port, host.user, static_cast<const void*>(identity.get()),
                     host.max_connections, host.max_channels,
                     static_cast<int>(host.host_key_policy), host.legacy_algorithms,
                     host.ssh_options, via == nullptr ? "" : via->key());
}

Expected<std::shared_ptr<const JumpRoute>> make_jump_route(std::string_view text,
                                                           const JumpHosts& hosts,
                                                           const FindIdentity& find_identity) {
  Maker maker(hosts, find_identity);
  auto route = std::make_shared<JumpRoute>();
  std::size_t count = 0;
  for (const auto tier : std::views::split(text, ',')) {
    auto& hops = route->tiers.emplace_back();
    for (const auto part : std::views::split(tier, '|')) {
      if (++count > kMostAlternatives) {
        return fail(fmt::format("a route over more than {} jump hosts", kMostAlternatives));
      }
      auto hop = maker.make(std::string_view(part.begin(), part.end()));
      if (!hop) return std::unexpected(std::move(hop.error()));
      hops.push_back(std::move(*hop));
    }
    if (hops.empty()) return fail(fmt::format("'{}': a tier without a jump host", text));
  }
  if (count == 0) return fail("a route without a jump host");
  return std::shared_ptr<const JumpRoute>(std::move(route));
}

}  // namespace netfleet::ssh

#include "dispatcher/cli/jump_settings.h"

#include <fmt/format.h>

#include <utility>

#include "common/host_text.h"
#include "common/problems.h"
#include "dispatcher/cli/named_credentials.h"
#include "dispatcher/inventory/jumps.h"

namespace netfleet {
namespace {

// The chain that ssh_config's ProxyJump writes.
Expected<std::string> chain_of(std::string_view proxy) {
  return parse_typed_chain(proxy.substr(kProxyJump.size()));
}

// As ssh takes it for -J: [user@]host[:port], or that as ssh://.
Expected<HostText> parse_hop(std::string_view text) {
  constexpr std::string_view kScheme = "ssh://";
  if (text.starts_with(kScheme)) {
    text.remove_prefix(kScheme.size());
    if (text.ends_with('/')) text.remove_suffix(1);
  }
  return parse_host_text(text);
}

}  // namespace

JumpSettings::JumpSettings(const RunOptions& options,
                           const std::vector<JumpDefinition>& definitions, SshLookup& lookup)
    : options_(options), lookup_(lookup) {
  for (const JumpDefinition& jump : definitions) definitions_.emplace(jump.host.name, &jump);
}

Expected<SharedText> JumpSettings::route_of(const Host& host, std::string_view proxy) {
  if (!host.jump.empty()) return make(host.jump.str(), By::kInventory);
  if (!options_.jump.empty()) return make(options_.jump, By::kPerson);
  if (!proxy.starts_with(kProxyJump)) return SharedText();
  const auto chain = chain_of(proxy);
  if (!chain) {
    return fail(fmt::format("ssh_config: {}: {}", proxy, chain.error().message));
  }
  return make(*chain, By::kPerson);
}

Expected<SharedText> JumpSettings::make(const std::string& route, By by) {
  if (route == kNoJump) return SharedText();
  if (const auto made = routes_.find(route); made != routes_.end()) return made->second;
  auto tiers = parse_jump_route(route);
  if (!tiers) return std::unexpected(std::move(tiers.error()));
  for (auto& tier : *tiers) {
    for (JumpChain& chain : tier) {
      if (auto defined = define_chain(chain, by); !defined) {
        return std::unexpected(std::move(defined.error()));
      }
      if (auto whole = whole_chain(std::move(chain), hosts_); !whole) {
        return std::unexpected(std::move(whole.error()));
      }
    }
  }
  return routes_.emplace(route, route).first->second;
}

Expected<void> JumpSettings::define_chain(const JumpChain& chain, By by) {
  for (const std::string_view view : chain) {
    const std::string name(view);
    if (hosts_.contains(name)) continue;
    const auto definition = definitions_.find(name);
    if (definition == definitions_.end() && by == By::kInventory) continue;
    if (hosts_.size() == kMaxJumpHosts) {
      return fail(fmt::format("more than {} jump hosts", kMaxJumpHosts));
    }
    hosts_.emplace(name, JumpHost{});  // else a loop would not end
    auto host = describe(name);
    if (!host) {
      return fail(fmt::format("jump host '{}': {}", shown(name), host.error().message));
    }
    const std::string via = host->via;
    const bool own = definition != definitions_.end() && !definition->second->host.via.empty();
    hosts_[name] = *std::move(host);
    if (via.empty()) continue;
    const auto before = parse_jump_chain(via);
    if (!before) return std::unexpected(before.error());
    if (auto defined = define_chain(*before, own ? By::kInventory : By::kPerson); !defined) {
      return defined;
    }
  }
  return {};
}

Expected<JumpHost> JumpSettings::describe(const std::string& name) {
  JumpHost host;
  host.host_key_policy = options_.host_key_policy;
  const auto definition = definitions_.find(name);
  bool direct = false;
  std::string alias = name;
  if (definition != definitions_.end()) {
    const JumpDefinition& known = *definition->second;
    host = known.host;
    host.host_key_policy = known.host_key_policy.value_or(options_.host_key_policy);
    direct = known.direct || !host.via.empty();
    if (!options_.listen.empty() && !known.key.empty()) {
      keys_not_used_ = true;
      if (known.password == nullptr) host.credential = credential_of_rest(options_);
    }
  } else {
    const auto parsed = parse_hop(name);
    if (!parsed) return std::unexpected(parsed.error());
    host.name = name;
    alias = host.address = parsed->address;
    host.user = parsed->user;
    host.port = parsed->port;
  }
  if (auto asked = ask_ssh_config(host, alias, direct); !asked) {
    return std::unexpected(std::move(asked.error()));
  }
  if (host.port == 0) host.port = 22;
  if (host.user.empty()) host.user = options_.user;
  if (host.user.empty()) return fail("no user to log in as: give -u USER");
  if (host.credential.empty()) host.credential = credential_of_rest(options_);
  return host;
}

Expected<void> JumpSettings::ask_ssh_config(JumpHost& host, std::string_view alias, bool direct) {
  const SshConfigAnswer answer = lookup_.ask(alias, host.user, host.port);
  if (!answer.hostname.empty() && host.address == alias) {
    if (const auto checked = check_address(answer.hostname); !checked) {
      return fail(fmt::format("ssh_config: its HostName: {}", checked.error().message));
    }
    host.address = answer.hostname;
  }
  if (host.port == 0) host.port = answer.port;
  if (host.user.empty()) host.user = answer.user;
  if (host.credential.empty()) {
    auto credential = lookup_.credential(answer);
    if (!credential) return std::unexpected(std::move(credential.error()));
    host.credential = *std::move(credential);
  }
  SshOptions ssh = lookup_.merge(host.ssh_options, {}, host.legacy_algorithms, answer);
  if (!direct && answer.proxy.starts_with(kProxyJump)) {
    auto via = chain_of(answer.proxy);
    if (!via) return fail(fmt::format("ssh_config: its ProxyJump: {}", via.error().message));
    host.via = *std::move(via);
  } else if (!direct && !answer.proxy.empty()) {
    ssh.refusal = refusal_of(answer.proxy);
  }
  host.ssh_options = to_text(ssh);
  return {};
}

void JumpSettings::warn(std::vector<std::string>& warnings) const {
  if (!keys_not_used_) return;
  warnings.emplace_back(
      "keys of jump hosts are not used: workers log in with keys of their own (--jumps)");
}

std::vector<JumpHost> JumpSettings::take_hosts() {
  std::vector<JumpHost> hosts;
  for (auto& [name, host] : hosts_) hosts.push_back(std::move(host));
  hosts_.clear();
  return hosts;
}

}  // namespace netfleet

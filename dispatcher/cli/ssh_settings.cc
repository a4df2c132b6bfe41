#include "dispatcher/cli/ssh_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include "common/host_text.h"
#include "dispatcher/cli/jump_settings.h"
#include "dispatcher/cli/ssh_lookup.h"
#include "dispatcher/inventory/read_ssh_config.h"

namespace netfleet {
namespace {

// What a person would type behind `ssh`: the inventory's name of a host, in lists of addresses the
// address.
const SharedText& alias_of(const Host& host) {
  return host.name.view().find_first_of(":@") == std::string_view::npos ? host.name : host.address;
}

class Settings {
 public:
  Settings(const RunOptions& options, const std::vector<JumpDefinition>& definitions,
           SshLookup& lookup)
      : options_(options), lookup_(lookup), jumps_(options, definitions, lookup) {}

  Expected<void> apply(Host& host) {
    SshConfigAnswer answer = lookup_.ask(alias_of(host),
                                         !host.user.empty()    ? host.user.view()
                                         : options_.user_given ? std::string_view(options_.user)
                                                               : "",
                                         host.port != 0 ? host.port : options_.port);
    if (auto set = set_address(host, answer); !set) return set;
    if (host.port == 0 && options_.port == 0) host.port = answer.port;
    if (host.user.empty() && !options_.user_given) host.user = texts_(answer.user);
    if (host.credential.empty()) {
      auto credential = lookup_.credential(answer);
      if (!credential) return std::unexpected(std::move(credential.error()));
      host.credential = texts_(*credential);
    }
    if (!jumps_.asks_ssh_config(host)) answer.proxy.clear();
    auto route = jumps_.route_of(host, answer.proxy);
    if (!route) return fail(fmt::format("the way to {}: {}", host.name, route.error().message));
    host.jump = *std::move(route);
    const std::string before = host.ssh_options.str();
    // Few hosts differ in what is said of them.
    const auto [entry, added] =
        merged_.try_emplace(before + '\n' + to_text(answer.algorithms) + answer.proxy);
    if (added) entry->second = merge(before, answer);
    host.ssh_options = entry->second;
    return {};
  }

  void warn(std::vector<std::string>& warnings) const { jumps_.warn(warnings); }
  std::vector<JumpHost> take_jumps() { return jumps_.take_hosts(); }

 private:
  static Expected<void> set_address(Host& host, const SshConfigAnswer& answer) {
    if (answer.hostname.empty() || host.address != alias_of(host)) return {};
    if (const auto checked = check_address(answer.hostname); !checked) {
      return fail(
          fmt::format("ssh_config: the HostName of {}: {}", host.name, checked.error().message));
    }
    host.address = answer.hostname;
    return {};
  }

  // The inventory's lists, then the command line's, then ssh_config's.
  SharedText merge(std::string_view inventory, const SshConfigAnswer& answer) {
    SshOptions ssh =
        lookup_.merge(inventory, options_.ssh.algorithms, options_.legacy_algorithms, answer);
    if (!answer.proxy.empty() && !answer.proxy.starts_with(kProxyJump)) {
      ssh.refusal = refusal_of(answer.proxy);
    }
    return texts_(to_text(ssh));
  }

  const RunOptions& options_;
  SshLookup& lookup_;
  JumpSettings jumps_;
  TextPool texts_;
  std::unordered_map<std::string, SharedText> merged_;
};

}  // namespace

Expected<std::vector<JumpHost>> apply_ssh_settings(const RunOptions& options,
                                                   const std::string& home,
                                                   const std::string& local_user,
                                                   const std::vector<JumpDefinition>& definitions,
                                                   std::vector<Host>& hosts,
                                                   std::vector<std::string>& warnings) {
  std::optional<SshConfig> config;
  if (options.ssh.config != "none") {
    auto read = read_ssh_config(options.ssh.config, home);
    if (!read) return fail(read.error().message);
    config = *std::move(read);
  }
  const bool plain = std::ranges::all_of(hosts, [](const Host& host) { return host.jump.empty(); });
  if (!config && options.ssh.algorithms == SshOptions{} && options.jump.empty() && plain) {
    return std::vector<JumpHost>();
  }
  SshLookup lookup(options, config ? &*config : nullptr, home, local_user);
  Settings settings(options, definitions, lookup);
  for (Host& host : hosts) {
    if (auto applied = settings.apply(host); !applied) return std::unexpected(applied.error());
  }
  lookup.warn(warnings);
  settings.warn(warnings);
  return settings.take_jumps();
}

}  // namespace netfleet

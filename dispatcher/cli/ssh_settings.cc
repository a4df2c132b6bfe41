#include "dispatcher/cli/ssh_settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <unordered_map>
#include <utility>

#include "common/check.h"
#include "dispatcher/cli/ssh_identities.h"
#include "dispatcher/inventory/host_text.h"
#include "dispatcher/inventory/read_ssh_config.h"

namespace netfleet {
namespace {

constexpr std::size_t kMostCredentials = 10'000;  // each is loaded, with its keys

void fill(SshOptions& into, const SshOptions& from) {
  for (const AlgorithmKindInfo& info : algorithm_kinds()) {
    if (into[info.kind].empty()) into[info.kind] = from[info.kind];
  }
}

// What a person would type behind `ssh`: the inventory's name of a host, in lists of addresses the
// address.
const SharedText& alias_of(const Host& host) {
  return host.name.view().find_first_of(":@") == std::string_view::npos ? host.name : host.address;
}

class Settings {
 public:
  Settings(const RunOptions& options, const SshConfig* config, const std::string& home,
           const std::string& local_user)
      : options_(options), config_(config), home_(home), local_user_(local_user) {}

  Expected<void> apply(Host& host) {
    SshConfigAnswer answer;
    if (config_ != nullptr) {
      answer = ask(host);
      if (auto set = set_address(host, answer); !set) return set;
      if (host.port == 0 && options_.port == 0) host.port = answer.port;
      if (host.user.empty() && !options_.user_given) host.user = texts_(answer.user);
      if (auto set = set_credential(host, answer); !set) return set;
    }
    const std::string before = host.ssh_options.str();
    // Few hosts differ in what is said of them.
    const auto [entry, added] =
        merged_.try_emplace(before + '\n' + to_text(answer.algorithms) + answer.proxy);
    if (added) entry->second = merge(before, answer);
    host.ssh_options = entry->second;
    return {};
  }

  void warn(std::vector<std::string>& warnings) const {
    if (!ignored_.empty()) {
      warnings.push_back(fmt::format("ssh_config: not acted on: {}", fmt::join(ignored_, ", ")));
    }
    if (keys_not_used_) {
      warnings.emplace_back(
          "ssh_config: IdentityFile is not used: workers log in with keys of their own");
    }
  }

 private:
  SshConfigAnswer ask(const Host& host) {
    const std::string user = !host.user.empty()    ? host.user.str()
                             : options_.user_given ? options_.user
                                                   : "";
    return config_->find({.host = alias_of(host).str(),
                          .user = user,
                          .port = host.port != 0 ? host.port : options_.port,
                          .local_user = local_user_,
                          .home = home_},
                         ignored_);
  }

  static Expected<void> set_address(Host& host, const SshConfigAnswer& answer) {
    if (answer.hostname.empty() || host.address != alias_of(host)) return {};
    if (const auto checked = check_address(answer.hostname); !checked) {
      return fail(
          fmt::format("ssh_config: the HostName of {}: {}", host.name, checked.error().message));
    }
    host.address = answer.hostname;
    return {};
  }

  Expected<void> set_credential(Host& host, const SshConfigAnswer& answer) {
    if (!host.credential.empty() || !options_.credentials.keys.empty()) return {};
    SshIdentities identities{answer.identity_files, answer.certificate_files,
                             answer.identities_only.value_or(false)};
    if (identities.keys.empty() && !identities.only) return {};
    keys_not_used_ = !options_.listen.empty();
    if (keys_not_used_) return {};
    const std::string name = credential_name(identities);
    const auto [entry, added] = credentials_.try_emplace(name);
    if (added) entry->second = name;
    host.credential = entry->second;
    if (credentials_.size() <= kMostCredentials) return {};
    return fail(fmt::format("ssh_config: more than {} different sets of keys", kMostCredentials));
  }

  // The inventory's lists, then the command line's, then ssh_config's: of those what this libssh
  // does not know is left out, as long as something is left.
  SharedText merge(std::string_view inventory, const SshConfigAnswer& answer) {
    auto options = parse_ssh_options(inventory);
    CHECK(options.has_value());  // made by a reader of ours
    fill(*options, options_.ssh.algorithms);
    for (const AlgorithmKindInfo& info : algorithm_kinds()) {
      std::string& list = (*options)[info.kind];
      const std::string& wanted = answer.algorithms[info.kind];
      if (!list.empty() || wanted.empty()) continue;
      std::vector<std::string> unknown;
      auto known = resolve_algorithms(info.kind, wanted, options_.legacy_algorithms, &unknown);
      for (const std::string& name : unknown) ignored_.insert(name);
      if (known) {
        list = *std::move(known);
      } else {
        options->refusal = fmt::format("ssh_config: {}", known.error().message);
      }
    }
    if (!answer.proxy.empty()) {
      options->refusal = fmt::format(
          "ssh_config says {}, and netfleet cannot go through jump hosts and proxies yet",
          answer.proxy);
    }
    return texts_(to_text(*options));
  }

  const RunOptions& options_;
  const SshConfig* config_;
  const std::string& home_;
  const std::string& local_user_;
  std::set<std::string> ignored_;
  bool keys_not_used_ = false;
  std::unordered_map<std::string, SharedText> credentials_;
  TextPool texts_;
  std::unordered_map<std::string, SharedText> merged_;
};

}  // namespace

Expected<void> apply_ssh_settings(const RunOptions& options, const std::string& home,
                                  const std::string& local_user, std::vector<Host>& hosts,
                                  std::vector<std::string>& warnings) {
  std::optional<SshConfig> config;
  if (options.ssh.config != "none") {
    auto read = read_ssh_config(options.ssh.config, home);
    if (!read) return fail(read.error().message);
    config = *std::move(read);
  }
  if (!config && options.ssh.algorithms == SshOptions{}) return {};
  Settings settings(options, config ? &*config : nullptr, home, local_user);
  for (Host& host : hosts) {
    if (auto applied = settings.apply(host); !applied) return applied;
  }
  settings.warn(warnings);
  return {};
}

}  // namespace netfleet

#include "dispatcher/cli/ssh_lookup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "common/check.h"
#include "dispatcher/cli/ssh_identities.h"

namespace netfleet {
namespace {

constexpr std::size_t kMostCredentials = 10'000;  // each is loaded, with its keys

}  // namespace

std::string refusal_of(std::string_view proxy) {
  return fmt::format("ssh_config says {}, and netfleet starts no commands to connect through",
                     proxy);
}

SshConfigAnswer SshLookup::ask(std::string_view alias, std::string_view user, std::uint16_t port) {
  if (config_ == nullptr) return {};
  return config_->find({.host = std::string(alias),
                        .user = std::string(user),
                        .port = port,
                        .local_user = local_user_,
                        .home = home_},
                       ignored_);
}

Expected<std::string> SshLookup::credential(const SshConfigAnswer& answer) {
  if (!options_.credentials.keys.empty()) return std::string();
  SshIdentities identities{answer.identity_files, answer.certificate_files,
                           answer.identities_only.value_or(false)};
  if (identities.keys.empty() && !identities.only) return std::string();
  keys_not_used_ = !options_.listen.empty();
  if (keys_not_used_) return std::string();
  std::string name = credential_name(identities);
  credentials_.insert(name);
  if (credentials_.size() <= kMostCredentials) return name;
  return fail(fmt::format("ssh_config: more than {} different sets of keys", kMostCredentials));
}

SshOptions SshLookup::merge(std::string_view own, const SshOptions& second, bool legacy,
                            const SshConfigAnswer& answer) {
  auto options = parse_ssh_options(own);
  CHECK(options.has_value());  // made by a reader of ours
  for (const AlgorithmKindInfo& info : algorithm_kinds()) {
    std::string& list = (*options)[info.kind];
    if (list.empty()) list = second[info.kind];
    const std::string& wanted = answer.algorithms[info.kind];
    if (!list.empty() || wanted.empty()) continue;
    std::vector<std::string> unknown;
    auto known = resolve_algorithms(info.kind, wanted, legacy, &unknown);
    for (const std::string& name : unknown) ignored_.insert(name);
    if (known) {
      list = *std::move(known);
    } else {
      options->refusal = fmt::format("ssh_config: {}", known.error().message);
    }
  }
  return *std::move(options);
}

void SshLookup::warn(std::vector<std::string>& warnings) const {
  if (!ignored_.empty()) {
    warnings.push_back(fmt::format("ssh_config: not acted on: {}", fmt::join(ignored_, ", ")));
  }
  if (keys_not_used_) {
    warnings.emplace_back(
        "ssh_config: IdentityFile is not used: workers log in with keys of their own");
  }
}

}  // namespace netfleet

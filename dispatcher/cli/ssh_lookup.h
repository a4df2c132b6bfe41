// dispatcher/cli: what ssh_config says of devices and of jump hosts, and what of that counts.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "dispatcher/cli/options.h"
#include "dispatcher/inventory/ssh_config.h"

namespace netfleet {

// Why a host with this proxy (SshConfigAnswer::proxy) is not connected to.
std::string refusal_of(std::string_view proxy);

// For one run. What it is made of outlives it. One thread.
class SshLookup {
 public:
  // `config`: nullptr when there is none.
  SshLookup(const RunOptions& options, const SshConfig* config, const std::string& home,
            const std::string& local_user)
      : options_(options), config_(config), home_(home), local_user_(local_user) {}

  // What the file says of somebody, as `ssh -p PORT USER@ALIAS` would find it; user and port may be
  // empty and 0. Nothing without a file.
  SshConfigAnswer ask(std::string_view alias, std::string_view user, std::uint16_t port);

  // The name of the credential with the keys that are to be used; empty: none.
  Expected<std::string> credential(const SshConfigAnswer& answer);

  // The algorithms of `own` (as text), then of `second`, then those of ssh_config that this libssh
  // knows; if none is left, a refusal.
  SshOptions merge(std::string_view own, const SshOptions& second, bool legacy,
                   const SshConfigAnswer& answer);

  // What was not acted on.
  void warn(std::vector<std::string>& warnings) const;

 private:
  const RunOptions& options_;
  const SshConfig* config_;
  const std::string& home_;
  const std::string& local_user_;
  std::set<std::string> ignored_;
  std::set<std::string> credentials_;
  bool keys_not_used_ = false;
};

}  // namespace netfleet

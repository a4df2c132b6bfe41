// dispatcher/cli: the ways of hosts over jump hosts, from the inventory, the command line and
// ssh_config, in that order, and the jump hosts on them with all that is needed to log in.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/jump_host.h"
#include "common/shared_text.h"
#include "dispatcher/cli/ssh_lookup.h"
#include "dispatcher/inventory/inventory.h"

namespace netfleet {

inline constexpr std::string_view kProxyJump = "ProxyJump ";  // how SshConfigAnswer::proxy begins

// For one run. What it is made of outlives it. One thread.
class JumpSettings {
 public:
  JumpSettings(const RunOptions& options, const std::vector<JumpDefinition>& definitions,
               SshLookup& lookup);

  // The route of a host, as its task has it; empty: directly. `proxy` is what ssh_config says. The
  // error is one of the input.
  Expected<SharedText> route_of(const Host& host, std::string_view proxy);
  // Whether ssh_config is asked for the way at all.
  bool asks_ssh_config(const Host& host) const {
    return host.jump.empty() && options_.jump.empty();
  }

  // What was not acted on.
  void warn(std::vector<std::string>& warnings) const;
  // All jump hosts on those routes. Names that are defined nowhere are left to the workers.
  std::vector<JumpHost> take_hosts();

 private:
  // Who writes a name: in an inventory it must be defined somewhere, else it may be an address.
  enum class By : std::uint8_t { kInventory, kPerson };
  Expected<SharedText> make(const std::string& route, By by);
  Expected<void> define_chain(const JumpChain& chain, By by);
  Expected<JumpHost> describe(const std::string& name);
  Expected<void> ask_ssh_config(JumpHost& host, std::string_view alias, bool direct);

  const RunOptions& options_;
  SshLookup& lookup_;
  std::map<std::string_view, const JumpDefinition*> definitions_;
  JumpHosts hosts_;
  std::map<std::string, SharedText, std::less<>> routes_;
  bool keys_not_used_ = false;
};

}  // namespace netfleet

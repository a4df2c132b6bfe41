// common: the definitions of jump hosts in YAML, as inventories and a worker's own file write them.
//
//   jumps:
//     bastion-eu: {address: 192.0.2.10, user: jump, key: ~/.ssh/bastion, sessions: 500}
//     core:       {address: 10.0.0.1, via: bastion-eu, weight: 2}
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/credential_source.h"
#include "common/jump_host.h"
#include "common/problems.h"
#include "common/secret.h"
#include "common/yaml_tree.h"

namespace netfleet {

// One as it is written. What `host` says nothing of is empty, its port 0.
struct JumpDefinition {
  JumpHost host;
  bool direct = false;  // `via: none`, which goes before ssh_config
  std::optional<HostKeyPolicy> host_key_policy;
  std::shared_ptr<const Secret> password;
  std::string key;  // a private key file
  // For all devices behind it, over the whole fleet; as a limit's.
  std::uint32_t sessions = 0;
  double logins_per_second = 0;
  std::uint32_t burst = 0;
  std::string place;  // "file:line", for messages

  // Whether it brings its own secret: its credential is then that of own_credential().
  bool has_secret() const { return password != nullptr || !key.empty(); }
};

// The credential that a definition with a password or key of its own makes up.
inline constexpr std::string_view kJumpCredentials = "jump:";
std::string own_credential(std::string_view jump_host);

// How its key, and what else a login may need, is read (read_credential): with what `own`, the
// command line, says of one-time codes, passphrases and the agent. `home`: what "~/" stands for.
CredentialOptions login_options(const JumpDefinition& jump, const CredentialOptions& own,
                                const std::string& home);

// A chain as people type it for ssh -J, "a,b" with blanks as they like, as the text of a chain.
Expected<std::string> parse_typed_chain(std::string_view text);

// `node` is a map. What is wrong goes to `problems`, with its line.
std::vector<JumpDefinition> read_jumps(const YamlTree& tree, const YamlNode& node,
                                       const std::string& source, Problems& problems);

// A whole file: the one section `jumps:`. `source` is its name, for messages.
Expected<std::vector<JumpDefinition>> parse_jump_file(std::string_view text,
                                                      const std::string& source);

}  // namespace netfleet

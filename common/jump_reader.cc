#include "common/jump_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "common/host_text.h"
#include "common/ssh_algorithms.h"

namespace netfleet {
namespace {

constexpr std::uint32_t kMostSessions = 1'000'000;
constexpr std::size_t kMaxPassword = 4096;

constexpr std::array<std::string_view, 21> kKeys = {"address",
                                                    "port",
                                                    "user",
                                                    "credential",
                                                    "password",
                                                    "key",
                                                    "via",
                                                    "weight",
                                                    "max_connections",
                                                    "max_channels",
                                                    "host_key_policy",
                                                    "legacy_algorithms",
                                                    "kex",
                                                    "ciphers",
                                                    "macs",
                                                    "host_key_algorithms",
                                                    "public_key_algorithms",
                                                    "sessions",
                                                    "logins_per_second",
                                                    "burst",
                                                    "username"};

constexpr std::array kPolicies = {
    std::pair{std::string_view("strict"), HostKeyPolicy::kStrict},
    std::pair{std::string_view("accept-new"), HostKeyPolicy::kAcceptNew},
    std::pair{std::string_view("off"), HostKeyPolicy::kOff}};

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.size(), text.find_first_not_of(' ')));
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

class JumpsReader {
 public:
  JumpsReader(const YamlTree& tree, const std::string& source, Problems& problems)
      : tree_(tree), source_(source), problems_(problems) {}

  std::optional<JumpDefinition> read(const YamlNode& name, const YamlNode& value) {
    const std::size_t before = problems_.count();
    JumpDefinition jump;
    jump.host.name = name.text;
    jump.host.port = 0;
    jump.place = fmt::format("{}:{}", source_, name.line);
    take(name, check_jump_name(name.text));
    if (value.kind == YamlNode::Kind::kMap) {
      SshOptions ssh;
      for (std::uint32_t at = value.first; at != 0;) {
        const YamlNode& key = tree_.at(at);
        const YamlNode& item = tree_.at(key.next);
        at = item.next;
        field(jump, ssh, key, item);
      }
      jump.host.ssh_options = to_text(ssh);
    } else if (value.kind != YamlNode::Kind::kNull) {
      problem(value, "a jump host takes a map of address, user, via and the like");
    }
    if (problems_.count() == before) settle(jump, name);
    if (problems_.count() != before) return std::nullopt;
    return jump;
  }

 private:
  void problem(const YamlNode& node, std::string_view message) {
    problems_.add(source_, node.line, message);
  }
  bool take(const YamlNode& node, const Expected<void>& checked) {
    if (!checked) problem(node, checked.error().message);
    return checked.has_value();
  }

  void field(JumpDefinition& jump, SshOptions& ssh, const YamlNode& key, const YamlNode& value) {
    const std::string_view name = key.text;
    JumpHost& host = jump.host;
    if (std::ranges::find(kKeys, name) == kKeys.end()) return unknown_key(key);
    if (value.kind != YamlNode::Kind::kScalar) {
      return problem(value, fmt::format("'{}' takes one value", name));
    }
    if (name == "address") {
      if (take(value, check_address(value.text))) host.address = value.text;
    } else if (name == "port") {
      const auto port = parse_port(value.text);
      if (!port) return problem(value, port.error().message);
      host.port = *port;
    } else if (name == "user" || name == "username") {
      if (take(value, check_user(value.text))) host.user = value.text;
    } else if (name == "via") {
      jump.direct = value.text == "none";
      if (jump.direct) return;
      auto chain = parse_typed_chain(value.text);
      if (!chain) return problem(value, chain.error().message);
      host.via = *std::move(chain);
    } else if (const auto* info = algorithm_field(name); info != nullptr) {
      if (take(value, check_algorithms(info->kind, value.text))) ssh[info->kind] = value.text;
    } else {
      login_field(jump, key, value);
    }
  }

  void login_field(JumpDefinition& jump, const YamlNode& key, const YamlNode& value) {
    const std::string_view name = key.text;
    if (name == "credential") {
      if (!take(value, check_label(value.text, "credential"))) return;
      if (value.text.find(':') != std::string_view::npos) {
        return problem(value, fmt::format("the credential name '{}' is reserved", value.text));
      }
      jump.host.credential = value.text;
    } else if (name == "password") {
      if (value.text.size() > kMaxPassword ||
          value.text.find_first_of("\r\n") != std::string_view::npos) {
        return problem(
            value, fmt::format("the password is not one line of at most {} bytes", kMaxPassword));
      }
      jump.password = std::make_shared<const Secret>(value.text);
    } else if (name == "key") {
      if (value.text.empty()) return problem(value, "the name of the key file is empty");
      jump.key = value.text;
    } else if (name == "host_key_policy") {
      const auto* const known =
          std::ranges::find(kPolicies, value.text, [](const auto& policy) { return policy.first; });
      if (known == kPolicies.end()) {
        return problem(value, "'host_key_policy' is strict, accept-new or off");
      }
      jump.host_key_policy = known->second;
    } else if (name == "legacy_algorithms") {
      if (value.text != "true" && value.text != "false") {
        return problem(value, "'legacy_algorithms' is true or false");
      }
      jump.host.legacy_algorithms = value.text == "true";
    } else if (name == "logins_per_second") {
      const auto rate = parse_login_rate(value.text);
      if (!rate) return problem(value, rate.error().message);
      jump.logins_per_second = *rate;
    } else {
      number_field(jump, key, value);
    }
  }

  void number_field(JumpDefinition& jump, const YamlNode& key, const YamlNode& value) {
    const auto whole = [&](std::uint32_t& target, std::uint32_t most) {
      const std::string_view text = value.text;
      std::uint32_t number = 0;
      const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (code != std::errc() || end != text.data() + text.size() || number < 1 || number > most) {
        return problem(value, fmt::format("'{}' is no value for '{}': expected 1 to {}",
                                          shown(text), key.text, most));
      }
      target = number;
    };
    if (key.text == "weight") return whole(jump.host.weight, kMaxJumpWeight);
    if (key.text == "max_connections") {
      return whole(jump.host.max_connections, kMaxJumpConnections);
    }
    if (key.text == "max_channels") return whole(jump.host.max_channels, kMaxJumpChannels);
    if (key.text == "sessions") return whole(jump.sessions, kMostSessions);
    whole(jump.burst, kMostSessions);
  }

  void unknown_key(const YamlNode& key) {
    std::string known;
    std::string near;
    for (const std::string_view word : kKeys) {
      if (word == "username") continue;  // as hosts have it
      known += fmt::format("{}{}", known.empty() ? "" : ", ", word);
      if (near.empty() && is_near(key.text, word)) near = fmt::format(", did you mean '{}'?", word);
    }
    problem(key, fmt::format("unknown key '{}'{} (known: {})", shown(key.text), near, known));
  }

  // What single fields cannot say.
  void settle(JumpDefinition& jump, const YamlNode& name) {
    JumpHost& host = jump.host;
    if (host.address.empty()) {
      host.address = host.name;
      if (const auto checked = check_address(host.name); !checked) {
        problem(name, fmt::format("{}; give the jump host an address", checked.error().message));
      }
    }
    if (jump.burst > 0 && jump.logins_per_second == 0) {
      problem(name, "burst goes with logins_per_second");
    }
    if (jump.has_secret() && !host.credential.empty()) {
      problem(name, "give a credential, or a password and key");
    }
    if (jump.has_secret()) host.credential = own_credential(host.name);
  }

  const YamlTree& tree_;
  const std::string& source_;
  Problems& problems_;
};

}  // namespace

std::string own_credential(std::string_view jump_host) {
  return fmt::format("{}{}", kJumpCredentials, jump_host);
}

CredentialOptions login_options(const JumpDefinition& jump, const CredentialOptions& own,
                                const std::string& home) {
  CredentialOptions options;
  options.key_passphrase_env = own.key_passphrase_env;
  options.otp_command = own.otp_command;
  options.agent = own.agent == AgentUse::kOff ? AgentUse::kOff : AgentUse::kAuto;
  if (!jump.key.empty()) {
    const bool in_home = jump.key.starts_with("~/") && !home.empty();
    options.keys = {in_home ? home + jump.key.substr(1) : jump.key};
  }
  return options;
}

Expected<std::string> parse_typed_chain(std::string_view text) {
  std::string chain;
  while (true) {
    const auto end = std::min(text.find(','), text.size());
    const std::string_view name = trimmed(text.substr(0, end));
    if (auto checked = check_jump_name(name); !checked) return std::unexpected(checked.error());
    chain.append(chain.empty() ? "" : ">").append(name);
    if (end == text.size()) break;
    text.remove_prefix(end + 1);
  }
  if (auto parsed = parse_jump_chain(chain); !parsed) return std::unexpected(parsed.error());
  return chain;
}

std::vector<JumpDefinition> read_jumps(const YamlTree& tree, const YamlNode& node,
                                       const std::string& source, Problems& problems) {
  JumpsReader reader(tree, source, problems);
  std::vector<JumpDefinition> jumps;
  for (std::uint32_t at = node.first; at != 0;) {
    const YamlNode& key = tree.at(at);
    const YamlNode& value = tree.at(key.next);
    at = value.next;
    if (jumps.size() == kMaxJumpHosts) {
      problems.add(source, key.line, fmt::format("more than {} jump hosts", kMaxJumpHosts));
      break;
    }
    if (auto jump = reader.read(key, value)) jumps.push_back(*std::move(jump));
  }
  return jumps;
}

Expected<std::vector<JumpDefinition>> parse_jump_file(std::string_view text,
                                                      const std::string& source) {
  Problems problems;
  YamlTree tree;
  std::vector<JumpDefinition> jumps;
  if (tree.parse(text, source, problems)) {
    const YamlNode& root = tree.root();
    const bool only_jumps = root.kind == YamlNode::Kind::kMap && root.first != 0 &&
                            tree.at(root.first).text == "jumps" &&
                            tree.at(tree.at(root.first).next).next == 0;
    if (only_jumps && tree.at(tree.at(root.first).next).kind == YamlNode::Kind::kMap) {
      jumps = read_jumps(tree, tree.at(tree.at(root.first).next), source, problems);
    } else {
      problems.add(source, std::max<std::size_t>(root.line, 1),
                   "expected 'jumps:' alone, a map of jump hosts by name");
    }
  }
  if (problems.any()) return std::unexpected(problems.error());
  return jumps;
}

}  // namespace netfleet

#include "common/credential_file.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "common/host_text.h"
#include "common/problems.h"
#include "common/yaml_tree.h"

namespace netfleet {
namespace {

using Kind = SecretSource::Kind;

struct Source {
  std::string_view key;
  SecretSource CredentialOptions::* secret;
  Kind kind;
};
constexpr auto kSources = std::to_array<Source>({
    {"password_env", &CredentialOptions::password, Kind::kEnvironment},
    {"password_file", &CredentialOptions::password, Kind::kFile},
    {"password_command", &CredentialOptions::password, Kind::kCommand},
    {"enable_password_env", &CredentialOptions::enable_password, Kind::kEnvironment},
    {"enable_password_file", &CredentialOptions::enable_password, Kind::kFile},
    {"enable_password_command", &CredentialOptions::enable_password, Kind::kCommand},
});
constexpr std::string_view kKnown =
    "password_env, _file, _command, enable_password_env, _file, _command, otp_command, key, "
    "key_passphrase_env, agent";

class CredentialFile {
 public:
  CredentialFile(const YamlTree& tree, const std::string& source, const std::string& home,
                 Problems& problems)
      : tree_(tree), source_(source), home_(home), problems_(problems) {}

  NamedCredentials read() {
    each_pair(
        tree_.root(), "a file of credentials", [this](const YamlNode& key, const YamlNode& value) {
          if (key.text != "credentials") {
            return problem(
                key, fmt::format("unknown section '{}' (known: credentials)", shown(key.text)));
          }
          each_pair(value, "'credentials'",
                    [this](const YamlNode& name, const YamlNode& one) { add(name, one); });
        });
    return std::move(all_);
  }

 private:
  template <typename Take>
  void each_pair(const YamlNode& map, std::string_view what, Take take) {
    if (map.kind == YamlNode::Kind::kNull) return;
    if (map.kind != YamlNode::Kind::kMap) return problem(map, fmt::format("{} takes a map", what));
    for (std::uint32_t at = map.first; at != 0;) {
      const YamlNode& key = tree_.at(at);
      const YamlNode& value = tree_.at(key.next);
      at = value.next;
      take(key, value);
    }
  }

  void problem(const YamlNode& node, std::string_view message) {
    problems_.add(source_, node.line, message);
  }

  void add(const YamlNode& name, const YamlNode& map) {
    if (const auto good = check_credential(name.text); !good) {
      return problem(name, good.error().message);
    }
    CredentialOptions& one = all_[std::string(name.text)];
    one.agent = AgentUse::kOff;  // that one runs somewhere says nothing about these devices
    each_pair(map, fmt::format("'{}'", name.text),
              [&](const YamlNode& key, const YamlNode& value) { field(one, key, value); });
  }

  void field(CredentialOptions& one, const YamlNode& key, const YamlNode& value) {
    if (key.text == "key" && value.kind == YamlNode::Kind::kList) {
      for (std::uint32_t at = value.first; at != 0; at = tree_.at(at).next) {
        if (is_scalar(key, tree_.at(at))) one.keys.push_back(resolved(tree_.at(at).text));
      }
      return;
    }
    for (const auto& [name, secret, kind] : kSources) {
      if (key.text != name) continue;
      if (!is_scalar(key, value)) return;
      if ((one.*secret).given()) return problem(key, "it is said above already where that is");
      one.*secret = {kind, kind == Kind::kFile ? resolved(value.text) : std::string(value.text)};
      return;
    }
    if (key.text == "key") {
      if (is_scalar(key, value)) one.keys.push_back(resolved(value.text));
    } else if (key.text == "otp_command") {
      if (is_scalar(key, value)) one.otp_command = value.text;
    } else if (key.text == "key_passphrase_env") {
      if (is_scalar(key, value)) one.key_passphrase_env = value.text;
    } else if (key.text == "agent") {
      if (value.text != "true" && value.text != "false") return problem(value, "true or false");
      one.agent = value.text == "true" ? AgentUse::kOn : AgentUse::kOff;
    } else if (key.text.ends_with("password") || key.text == "secret") {
      problem(key,
              "this file holds no secrets: say where it is, with password_env, password_file, "
              "password_command or those of enable_password");
    } else {
      problem(key, fmt::format("unknown key '{}' (known: {})", shown(key.text), kKnown));
    }
  }

  bool is_scalar(const YamlNode& key, const YamlNode& value) {
    if (value.kind == YamlNode::Kind::kScalar && !value.text.empty()) return true;
    problem(value, fmt::format("'{}' takes one value", key.text));
    return false;
  }

  std::string resolved(std::string_view path) const {
    if (path.starts_with("~/") && !home_.empty()) return home_ + std::string(path.substr(1));
    const std::size_t slash = source_.rfind('/');
    if (path.starts_with('/') || slash == std::string::npos) return std::string(path);
    return source_.substr(0, slash + 1) + std::string(path);
  }

  const YamlTree& tree_;
  const std::string& source_;
  const std::string& home_;
  Problems& problems_;
  NamedCredentials all_;
};

}  // namespace

Expected<void> check_credential(std::string_view name) {
  if (const auto checked = check_label(name, "credential"); !checked) return checked;
  if (name == "default" || name.find(':') != std::string_view::npos) {
    return fail(fmt::format("the credential name '{}' is reserved", shown(name)));
  }
  return {};
}

Expected<NamedCredentials> parse_credential_file(std::string_view text, const std::string& source,
                                                 const std::string& home) {
  Problems problems;
  YamlTree tree;
  NamedCredentials all;
  if (tree.parse(text, source, problems)) all = CredentialFile(tree, source, home, problems).read();
  if (problems.any()) return std::unexpected(problems.error());
  return all;
}

Expected<NamedCredentials> read_credential_file(const std::string& path, const std::string& home) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file || !text) {
    return fail(fmt::format("read credentials {}: {}", shown(path), std::strerror(errno)));
  }
  return parse_credential_file(text.view(), path, home);
}

}  // namespace netfleet

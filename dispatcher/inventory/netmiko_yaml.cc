// dispatcher/inventory: the .netmiko.yml of netmiko-tools: devices by name, as Netmiko's arguments,
// and groups as lists of their names. Pure.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <vector>

#include "common/host_text.h"
#include "common/problems.h"
#include "common/yaml_tree.h"
#include "dispatcher/inventory/parsers.h"
#include "dispatcher/inventory/passwords.h"

namespace netfleet {
namespace {

// Never data: what opens doors.
constexpr std::array<std::string_view, 2> kSecrets = {"passphrase", "passwd"};
constexpr std::string_view kEncrypted = "__encrypt__";

class NetmikoFile {
 public:
  NetmikoFile(const YamlTree& tree, const std::string& source, Problems& problems)
      : tree_(tree), source_(source), problems_(problems) {}

  Inventory read() {
    const YamlNode& root = tree_.root();
    if (root.kind == YamlNode::Kind::kNull) return {};
    if (root.kind != YamlNode::Kind::kMap) {
      problem(root, "expected a map of devices and groups");
      return {};
    }
    each_pair(root, [this](const YamlNode& key, const YamlNode& value) {
      if (key.text == "__meta__") {
        meta(value);
      } else if (value.kind == YamlNode::Kind::kMap) {
        device(key, value);
      } else if (value.kind != YamlNode::Kind::kList) {
        problem(key, fmt::format("'{}' is neither a device (a map) nor a group (a list of names)",
                                 shown(key.text)));
      }
    });
    each_pair(root, [this](const YamlNode& key, const YamlNode& value) {
      if (value.kind == YamlNode::Kind::kList) group(key, value);
    });
    inventory_.passwords = passwords_.take();
    inventory_.enable_passwords = passwords_.take_enable();
    return std::move(inventory_);
  }

 private:
  template <typename Take>
  void each_pair(const YamlNode& map, Take take) {
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

  void meta(const YamlNode& value) {
    if (value.kind != YamlNode::Kind::kMap) return;
    each_pair(value, [this](const YamlNode& key, const YamlNode& on) {
      if (key.text == "encryption" && on.text != "false" && on.text != "False" &&
          !on.text.empty()) {
        problem(key,
                "the file's secrets are encrypted, and only netmiko-tools decrypts them: "
                "keep them elsewhere (--password-command), or in a file without __meta__");
      }
    });
  }

  void device(const YamlNode& name, const YamlNode& map) {
    if (const auto checked = check_host_name(name.text); !checked) {
      return problem(name, checked.error().message);
    }
    Host host;
    host.name = name.text;
    password_ = secret_ = nullptr;
    each_pair(map, [&](const YamlNode& key, const YamlNode& value) { field(host, key, value); });
    take_secrets(host);
    if (host.address.empty()) {
      return problem(name, fmt::format("device '{}' has neither 'host' nor 'ip'", name.text));
    }
    numbers_.emplace(std::string(name.text), inventory_.hosts.size());
    inventory_.hosts.push_back(std::move(host));
  }

  void field(Host& host, const YamlNode& key, const YamlNode& value) {
    const std::string_view name = key.text;
    if (value.kind == YamlNode::Kind::kNull ||
        std::ranges::find(kSecrets, name) != kSecrets.end()) {
      return;
    }
    const bool known = name == "device_type" || name == "host" || name == "ip" || name == "port" ||
                       name == "username" || name == "password" || name == "secret";
    if (value.kind != YamlNode::Kind::kScalar) {  // Netmiko's own, such as ssh arguments
      if (known) problem(value, fmt::format("'{}' takes one value", name));
      return;
    }
    const auto take = [&](SharedText& target, const Expected<void>& checked) {
      if (!checked) return problem(value, checked.error().message);
      target = pool_(value.text);
    };
    if (name == "device_type") {
      device_type(host, value);
    } else if (name == "host" || (name == "ip" && host.address.empty())) {
      take(host.address, check_address(value.text));
    } else if (name == "port") {
      const auto port = parse_port(value.text);
      if (!port) return problem(value, port.error().message);
      host.port = *port;
    } else if (name == "username") {
      take(host.user, check_user(value.text));
    } else if (name == "password") {
      password_ = &value;
    } else if (name == "secret") {
      secret_ = &value;
    } else if (name != "ip") {
      host.data.edit()[std::string(name)] = value.text;
    }
  }

  void device_type(Host& host, const YamlNode& value) {
    if (value.text.ends_with("_telnet") || value.text.ends_with("_serial")) {
      return problem(value, fmt::format("'{}': netfleet speaks SSH only", shown(value.text)));
    }
    if (const auto checked = check_label(value.text, "platform"); !checked) {
      return problem(value, checked.error().message);
    }
    host.platform = pool_(value.text == "autodetect" ? "auto" : value.text);
  }

  void take_secrets(Host& host) {
    for (const auto& [value, what] :
         {std::pair(password_, "password"), std::pair(secret_, "secret")}) {
      if (value != nullptr && value->text.starts_with(kEncrypted)) {
        return problem(
            *value, fmt::format("the {} is encrypted, and only netmiko-tools decrypts it", what));
      }
    }
    if (password_ == nullptr) return secret_ == nullptr ? void() : lone_secret();
    const auto name = passwords_.name_of(password_->text, secret_ == nullptr ? "" : secret_->text);
    if (!name) return problem(*password_, name.error().message);
    host.credential = pool_(*name);
  }

  // It would be another login's.
  void lone_secret() {
    if (std::exchange(secret_told_, true)) return;
    inventory_.warnings.push_back(
        fmt::format("{}:{}: 'secret' is only taken beside a 'password'; give "
                    "--enable-password-env, -file or -command where devices ask for it",
                    source_, secret_->line));
  }

  void group(const YamlNode& name, const YamlNode& list) {
    if (const auto checked = check_label(name.text, "group"); !checked) {
      return problem(name, checked.error().message);
    }
    for (std::uint32_t at = list.first; at != 0; at = tree_.at(at).next) {
      const YamlNode& item = tree_.at(at);
      const auto found = numbers_.find(std::string(item.text));
      if (item.kind == YamlNode::Kind::kScalar && found != numbers_.end()) {
        auto& groups = inventory_.hosts[found->second].groups.edit();
        if (groups.empty() || groups.back() != name.text) groups.emplace_back(name.text);
      } else if (!problems_.any()) {  // else it may be the one that is wrong
        unknown_device(name, item);
      }
    }
  }

  void unknown_device(const YamlNode& group, const YamlNode& item) {
    std::string near;
    for (const Host& host : inventory_.hosts) {
      if (!is_near(item.text, host.name.view())) continue;
      near = fmt::format(", did you mean '{}'?", host.name.view());
      break;
    }
    problem(item, fmt::format("group '{}': no device is called '{}'{}", group.text,
                              shown(item.text), near));
  }

  const YamlTree& tree_;
  const std::string& source_;
  Problems& problems_;
  Inventory inventory_;
  std::unordered_map<std::string, std::size_t> numbers_;
  Passwords passwords_;
  TextPool pool_;
  const YamlNode* password_ = nullptr;  // of the device that is read
  const YamlNode* secret_ = nullptr;
  bool secret_told_ = false;
};

}  // namespace

Expected<Inventory> parse_netmiko_inventory(std::string_view text, const std::string& source) {
  Problems problems;
  if (const auto is_text = strip_bom(text, source); !is_text) {
    return std::unexpected(is_text.error());
  }
  YamlTree tree;
  Inventory inventory;
  if (tree.parse(text, source, problems)) {
    inventory = NetmikoFile(tree, source, problems).read();
  }
  if (problems.any()) return std::unexpected(problems.error());
  return inventory;
}

}  // namespace netfleet

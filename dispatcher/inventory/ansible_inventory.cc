#include "dispatcher/inventory/ansible_inventory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/host_text.h"
#include "common/problems.h"
#include "common/secret.h"
#include "dispatcher/inventory/passwords.h"

namespace netfleet {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxDataValues = 1024;  // of one host
constexpr int kMaxDepth = 32;
constexpr int kMaxGroupDepth = 64;
constexpr std::size_t kMaxAsked = 10'000;

void wipe_strings(Json& value) {
  if (value.is_string()) {
    auto& text = value.get_ref<std::string&>();
    return wipe(text.data(), text.size());
  }
  if (value.is_structured()) {
    for (Json& item : value) wipe_strings(item);
  }
}

// A parsed document, wiped in the end: it may hold passwords.
struct Document {
  Json json;
  Document() = default;
  Document(Document&& other) noexcept : json(std::move(other.json)) { other.json = nullptr; }
  Document& operator=(Document&& other) noexcept {
    json.swap(other.json);
    return *this;
  }
  ~Document() { wipe_strings(json); }
};

// Without a word of what is there: nlohmann's own messages show the text.
class Position final : public nlohmann::json_sax<Json> {
 public:
  std::size_t at = 0;
  bool null() override { return ok(); }
  bool boolean(bool) override { return ok(); }
  bool number_integer(number_integer_t) override { return ok(); }
  bool number_unsigned(number_unsigned_t) override { return ok(); }
  bool number_float(number_float_t, const string_t&) override { return ok(); }
  bool string(string_t&) override { return ok(); }
  bool binary(binary_t&) override { return ok(); }
  bool start_object(std::size_t) override { return ++depth_ < kMaxDepth; }
  bool end_object() override { return --depth_ >= 0; }
  bool start_array(std::size_t) override { return ++depth_ < kMaxDepth; }
  bool end_array() override { return --depth_ >= 0; }
  bool key(string_t&) override { return ok(); }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    at = position;
    return false;
  }
  bool too_deep() const { return depth_ >= kMaxDepth; }

 private:
  static bool ok() { return true; }
  int depth_ = 0;
};

Expected<Document> parse_json(std::string_view text, const std::string& source) {
  Position position;
  if (!Json::sax_parse(text.begin(), text.end(), &position)) {
    const std::string_view before = text.substr(0, std::min(position.at, text.size()));
    return fail(fmt::format(
        "{}:{}: {}", source, std::ranges::count(before, '\n') + 1,
        position.too_deep() ? fmt::format("nested more than {} levels deep", kMaxDepth)
                            : "this is no JSON; expected that of an Ansible dynamic inventory"));
  }
  Document document;
  document.json = Json::parse(text.begin(), text.end());
  return document;
}

using Vars = std::map<std::string, const Json*>;

void overlay(Vars& vars, const Json& more) {
  for (const auto& [name, value] : more.items()) vars[name] = &value;
}

class AnsibleInventory {
 public:
  AnsibleInventory(const Json& root, const std::string& source, const AskHost& ask_host)
      : root_(root), source_(source), ask_host_(ask_host) {}

  Expected<Inventory> read() {
    read_groups();
    if (!problems_.any()) read_hosts();
    if (problems_.any()) return std::unexpected(problems_.error());
    inventory_.passwords = passwords_.take();
    inventory_.enable_passwords = passwords_.take_enable();
    return std::move(inventory_);
  }

 private:
  struct Group {
    std::vector<std::uint32_t> parents;
    const Json* vars = nullptr;
    std::string name;
    std::int64_t priority = 1;
    int depth = -1;  // longest way from `all`; -2: being counted
  };

  void problem(std::string_view what) { problems_.add(source_, 1, what); }

  std::uint32_t group(const std::string& name) {
    const auto [entry, is_new] =
        by_name_.try_emplace(name, static_cast<std::uint32_t>(groups_.size()));
    if (is_new) groups_.emplace_back().name = name;
    return entry->second;
  }

  std::uint32_t host(const std::string& name) {
    const auto [entry, is_new] =
        host_numbers_.try_emplace(name, static_cast<std::uint32_t>(hosts_.size()));
    if (is_new) hosts_.push_back({name, {}});
    return entry->second;
  }

  template <typename Take>
  void each_name(const Json& group, const char* key, const std::string& of, Take take) {
    const auto list = group.find(key);
    if (list == group.end() || list->is_null()) return;
    const bool names = list->is_array() &&
                       std::ranges::all_of(*list, [](const Json& one) { return one.is_string(); });
    if (!names) return problem(fmt::format("group {}: '{}' takes a list of names", shown(of), key));
    for (const Json& one : *list) take(one.template get_ref<const std::string&>());
  }

  void read_groups() {
    if (!root_.is_object()) return problem("expected an object of groups");
    group("all");
    if (root_.contains("all")) read_group("all", root_["all"]);
    for (const auto& [name, value] : root_.items()) {
      if (name != "_meta" && name != "all") read_group(name, value);
    }
    const auto meta = root_.find("_meta");
    if (meta != root_.end() && meta->is_object() && meta->contains("hostvars")) {
      hostvars_ = &(*meta)["hostvars"];
      if (!hostvars_->is_object()) return problem("'_meta.hostvars' takes an object of hosts");
    }
    for (std::uint32_t one = 1; one < groups_.size(); ++one) depth_of(one, 0);
  }

  void read_group(const std::string& name, const Json& value) {
    const std::uint32_t number = group(name);
    const auto member = [&](const std::string& one) {
      if (const auto checked = check_host_name(one); !checked) {
        return problem(fmt::format("group {}: {}", shown(name), checked.error().message));
      }
      auto& in = hosts_[host(one)].groups;
      if (std::ranges::find(in, number) == in.end()) in.push_back(number);
    };
    if (value.is_array()) {  // the old form: its hosts
      return each_name(Json{{"hosts", value}}, "hosts", name, member);
    }
    if (!value.is_object()) {
      return problem(fmt::format("group {}: expected hosts, vars and children", shown(name)));
    }
    each_name(value, "hosts", name, member);
    each_name(value, "children", name,
              [&](const std::string& child) { groups_[group(child)].parents.push_back(number); });
    const auto vars = value.find("vars");
    if (vars == value.end() || vars->is_null()) return;
    if (!vars->is_object()) {
      return problem(fmt::format("group {}: 'vars' takes an object", shown(name)));
    }
    Group& target = groups_[number];
    target.vars = &*vars;
    const auto priority = vars->find("ansible_group_priority");
    if (priority != vars->end() && priority->is_number_integer()) {
      target.priority = priority->get<std::int64_t>();
    }
  }

  int depth_of(std::uint32_t number, int level) {
    Group& group = groups_[number];
    if (number == 0) return group.depth = 0;
    if (group.depth >= 0) return group.depth;
    if (group.depth == -2 || level > kMaxGroupDepth) {
      problem(fmt::format("group {}: {}", shown(group.name),
                          group.depth == -2 ? "it is its own child" : "nested too deep"));
      return group.depth = 0;
    }
    group.depth = -2;
    int depth = 0;
    const std::vector<std::uint32_t> parents = group.parents;
    for (const std::uint32_t parent : parents) depth = std::max(depth, depth_of(parent, level + 1));
    return groups_[number].depth = depth + 1;
  }

  // Its groups and theirs, the weakest first.
  std::vector<std::uint32_t> groups_of(std::vector<std::uint32_t> own) const {
    std::set<std::uint32_t> all{0};
    while (!own.empty()) {
      const std::uint32_t one = own.back();
      own.pop_back();
      if (!all.insert(one).second && one != 0) continue;
      own.insert(own.end(), groups_[one].parents.begin(), groups_[one].parents.end());
    }
    std::vector<std::uint32_t> sorted(all.begin(), all.end());
    std::ranges::sort(sorted, {}, [this](std::uint32_t one) {
      return std::tuple(groups_[one].depth, groups_[one].priority,
                        std::cref(groups_[one].name).get());
    });
    return sorted;
  }

  void read_hosts() {
    if (!root_.contains("_meta") && hosts_.size() > kMaxAsked) {
      return problem(fmt::format("no '_meta', so that it had to be asked {} times", hosts_.size()));
    }
    std::vector<std::pair<std::uint32_t, std::vector<std::uint32_t>>> known;
    inventory_.hosts.reserve(hosts_.size());
    for (const auto& [name, own] : hosts_) {
      Vars vars;
      const auto groups = groups_of(own);
      for (const std::uint32_t one : groups) {
        if (groups_[one].vars != nullptr) overlay(vars, *groups_[one].vars);
      }
      std::optional<Document> asked;
      if (!root_.contains("_meta")) {
        asked = ask(name);
        if (!asked) return;
        overlay(vars, asked->json);
      } else if (hostvars_ != nullptr) {
        const auto mine = hostvars_->find(name);
        if (mine != hostvars_->end() && !mine->is_object()) {
          problem(fmt::format("host {}: its variables take an object", shown(name)));
        } else if (mine != hostvars_->end()) {
          overlay(vars, *mine);
        }
      }
      Host& host = inventory_.hosts.emplace_back();
      host.name = name;
      for (auto one = groups.rbegin(); one != groups.rend(); ++one) {
        host.groups.edit().push_back(groups_[*one].name);
      }
      take_vars(host, vars);
    }
  }

  std::optional<Document> ask(const std::string& name) {
    const auto text = ask_host_(name);
    if (!text) {
      problem(text.error().message);
      return std::nullopt;
    }
    auto document = parse_json(*text, fmt::format("{} --host {}", source_, shown(name)));
    if (!document || !document->json.is_object()) {
      problem(document ? fmt::format("host {}: its variables take an object", shown(name))
                       : document.error().message);
      return std::nullopt;
    }
    return std::move(*document);
  }

  // The value of the first of these names; empty when there is none.
  std::string text_of(const Host& host, const Vars& vars,
                      std::initializer_list<const char*> names) {
    for (const char* name : names) {
      const auto found = vars.find(name);
      if (found == vars.end() || found->second->is_null()) continue;
      const Json& value = *found->second;
      const auto wrong = [&](std::string_view why) {
        problem(fmt::format("host {}: {} {}", shown(host.name.view()), name, why));
        return std::string();
      };
      if (value.is_object() && value.contains("__ansible_vault")) {
        return wrong("is locked in an Ansible Vault: only ansible-inventory opens it");
      }
      if (value.is_number_integer()) return value.dump();
      if (!value.is_string()) return wrong("takes one value");
      const auto& text = value.get_ref<const std::string&>();
      if (text.contains("{{")) return wrong("is a template, which only Ansible fills in");
      return text;
    }
    return {};
  }

  void take_vars(Host& host, const Vars& vars) {
    const auto check = [&](const char* what, const auto& checked) {
      if (!checked)
        problem(
            fmt::format("host {}: {}: {}", shown(host.name.view()), what, checked.error().message));
      return checked.has_value();
    };
    const std::string address = text_of(host, vars, {"ansible_host", "ansible_ssh_host"});
    host.address = address.empty() ? host.name : SharedText(address);
    check("ansible_host", check_address(host.address.view()));
    const std::string port = text_of(host, vars, {"ansible_port", "ansible_ssh_port"});
    if (!port.empty()) {
      const auto parsed = parse_port(port);
      if (check("ansible_port", parsed)) host.port = *parsed;
    }
    const std::string user = text_of(host, vars, {"ansible_user", "ansible_ssh_user"});
    if (!user.empty() && check("ansible_user", check_user(user))) host.user = pool_(user);
    // "cisco.ios.ios": a collection's; the last word is the platform.
    std::string platform = text_of(host, vars, {"ansible_network_os"});
    if (const auto dot = platform.rfind('.'); dot != std::string::npos) platform.erase(0, dot + 1);
    if (!platform.empty() && check("ansible_network_os", check_label(platform, "platform"))) {
      host.platform = pool_(platform);
    }
    std::string password =
        text_of(host, vars, {"ansible_password", "ansible_ssh_pass", "ansible_ssh_password"});
    if (!password.empty()) {
      std::string enable = text_of(host, vars, {"ansible_become_password", "ansible_become_pass"});
      const auto name = passwords_.name_of(password, enable);
      if (check("ansible_password", name)) host.credential = pool_(*name);
      wipe(password.data(), password.size());
      wipe(enable.data(), enable.size());
    }
    for (const auto& [name, value] : vars) {
      if (!name.starts_with("ansible_")) flatten(host, name, *value);
    }
  }

  void flatten(Host& host, const std::string& key, const Json& value) {
    if (value.is_structured() && !value.empty()) {
      std::size_t number = 0;
      for (const auto& [name, item] : value.items()) {
        const std::string inner = value.is_array() ? std::to_string(number++) : name;
        if (inner == "__ansible_vault") continue;
        flatten(host, key + "." + inner, item);
      }
      return;
    }
    if (host.data.size() == kMaxDataValues) {
      return problem(
          fmt::format("host {}: more than {} variables", shown(host.name.view()), kMaxDataValues));
    }
    if (host.data.size() > kMaxDataValues) return;
    host.data.edit()[key] = value.is_string()                          ? value.get<std::string>()
                            : value.is_null() || value.is_structured() ? ""
                                                                       : value.dump();
  }

  struct HostEntry {
    std::string name;
    std::vector<std::uint32_t> groups;
  };

  const Json& root_;
  const std::string& source_;
  const AskHost& ask_host_;
  const Json* hostvars_ = nullptr;
  Inventory inventory_;
  std::vector<Group> groups_;  // [0] is `all`
  std::unordered_map<std::string, std::uint32_t> by_name_;
  std::vector<HostEntry> hosts_;
  std::unordered_map<std::string, std::uint32_t> host_numbers_;
  Passwords passwords_;
  TextPool pool_;
  Problems problems_;
};

}  // namespace

Expected<Inventory> parse_ansible_inventory(std::string_view json, const std::string& source,
                                            const AskHost& ask_host) {
  const auto document = parse_json(json, source);
  if (!document) return std::unexpected(document.error());
  return AnsibleInventory(document->json, source, ask_host).read();
}

}  // namespace netfleet

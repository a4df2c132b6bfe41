// dispatcher/inventory: Nornir's SimpleInventory with its inheritance: a host's own values, then
// its groups in order and depth first, parents included, then the defaults.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "common/host_text.h"
#include "dispatcher/inventory/parsers.h"
#include "dispatcher/inventory/yaml_limits.h"
#include "dispatcher/inventory/yaml_sections.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxExtendedGroups = 1000;
constexpr std::size_t kMaxGroupDepth = 64;

struct Group {
  enum class State : std::uint8_t { kUnresolved, kOpen, kResolved };
  std::string name;
  YamlSection section;                  // after resolve(): with what its parents add
  std::vector<std::uint32_t> extended;  // itself, then its parents, depth first
  State state = State::kUnresolved;
};

// Values of `from` fill what `into` does not say; data by its top-level keys. Limits add up.
void inherit(YamlSection& into, const YamlSection& from) {
  if (into.hostname.empty()) into.hostname = from.hostname;
  if (into.port == 0) into.port = from.port;
  if (into.user.empty()) into.user = from.user;
  if (into.platform.empty()) into.platform = from.platform;
  if (into.region.empty()) into.region = from.region;
  if (into.credential.empty()) into.credential = from.credential;
  if (into.jump.empty()) into.jump = from.jump;
  for (const AlgorithmKindInfo& info : algorithm_kinds()) {
    if (into.ssh[info.kind].empty()) into.ssh[info.kind] = from.ssh[info.kind];
  }
  into.limits.insert(into.limits.end(), from.limits.begin(), from.limits.end());
  if (from.data.empty()) return;
  const std::size_t own = into.data.size();
  for (const auto& entry : from.data) {
    const auto end = into.data.begin() + static_cast<std::ptrdiff_t>(own);
    const bool hidden = std::any_of(into.data.begin(), end,
                                    [&](const auto& mine) { return mine->key == entry->key; });
    if (!hidden) into.data.push_back(entry);
  }
}

class SimpleInventory {
 public:
  // Any of them may be missing.
  struct Part {
    const YamlTree* tree = nullptr;
    const YamlNode* node = nullptr;
    const std::string* source = nullptr;
  };
  struct Parts {
    Part hosts, groups, defaults, limits, jumps;
  };

  SimpleInventory(const Parts& parts, Problems& problems)
      : hosts_(parts.hosts),
        groups_part_(parts.groups),
        defaults_part_(parts.defaults),
        limits_part_(parts.limits),
        jumps_part_(parts.jumps),
        problems_(problems) {}

  Inventory read() {
    if (defaults_part_.node != nullptr) {
      defaults_ = reader(defaults_part_).read(*defaults_part_.node, SectionKind::kDefaults);
    }
    read_groups();
    Inventory inventory;
    read_hosts(inventory);
    inventory.passwords = passwords_.take();
    if (is_map(limits_part_, "limits")) {
      inventory.limits =
          read_limits(*limits_part_.tree, *limits_part_.node, *limits_part_.source, problems_);
    }
    if (is_map(jumps_part_, "jump hosts")) {
      inventory.jumps =
          read_jumps(*jumps_part_.tree, *jumps_part_.node, *jumps_part_.source, problems_);
      add_jump_limits(inventory.jumps, inventory.limits);
    }
    inventory.jump_references = jump_references_.take();
    inventory.limit_references = limit_lists_.take_references();
    inventory.limit_lists = limit_lists_.take_lists();
    return inventory;
  }

 private:
  SectionReader reader(const Part& part) {
    return SectionReader(*part.tree, *part.source, passwords_, limit_lists_, jump_references_,
                         problems_);
  }

  // Whether `part` can be walked as a map of names; null is an empty one.
  bool is_map(const Part& part, std::string_view what) {
    if (part.node == nullptr || part.node->kind == YamlNode::Kind::kNull) return false;
    if (part.node->kind == YamlNode::Kind::kMap) return true;
    problems_.add(*part.source, part.node->line, fmt::format("expected a map of {} by name", what));
    return false;
  }

  void read_groups() {
    if (!is_map(groups_part_, "groups")) return;
    SectionReader sections = reader(groups_part_);
    for (std::uint32_t at = groups_part_.node->first; at != 0;) {
      const YamlNode& key = groups_part_.tree->at(at);
      const YamlNode& value = groups_part_.tree->at(key.next);
      at = value.next;
      if (const auto checked = check_label(key.text, "group"); !checked) {
        problems_.add(*groups_part_.source, key.line, checked.error().message);
        continue;
      }
      by_name_.emplace(key.text, static_cast<std::uint32_t>(groups_.size()));
      groups_.push_back({std::string(key.text), sections.read(value, SectionKind::kGroup), {}});
    }
    for (std::uint32_t i = 0; i < groups_.size(); ++i) resolve(i, 0);
  }

  // Gives the group its parents' values, theirs first. Groups are resolved once.
  void resolve(std::uint32_t position, std::size_t depth) {
    Group& group = groups_[position];
    if (group.state != Group::State::kUnresolved) return;
    group.state = Group::State::kOpen;
    group.extended.push_back(position);
    for (const GroupReference& reference : group.section.groups) {
      const auto parent = by_name_.find(reference.name);
      if (parent == by_name_.end()) {
        unknown_group(groups_part_, reference);
      } else if (groups_[parent->second].state == Group::State::kOpen) {
        problems_.add(*groups_part_.source, reference.line,
                      fmt::format("the groups '{}' and '{}' are each other's parents",
                                  shown(group.name), shown(reference.name)));
      } else if (depth == kMaxGroupDepth) {
        problems_.add(*groups_part_.source, reference.line,
                      fmt::format("groups nested more than {} deep", kMaxGroupDepth));
      } else {
        resolve(parent->second, depth + 1);
        extend(group.extended, parent->second, groups_part_, reference.line);
        inherit(group.section, groups_[parent->second].section);
      }
    }
    group.state = Group::State::kResolved;
  }

  void extend(std::vector<std::uint32_t>& list, std::uint32_t group, const Part& part,
              std::uint32_t line) {
    for (const std::uint32_t one : groups_[group].extended) {
      if (std::ranges::find(list, one) != list.end()) continue;
      if (list.size() == kMaxExtendedGroups) {
        problems_.add(*part.source, line, fmt::format("more than {} groups", kMaxExtendedGroups));
        return;
      }
      list.push_back(one);
    }
  }

  void unknown_group(const Part& part, const GroupReference& reference) {
    std::string near;
    for (const Group& group : groups_) {
      if (!is_near(reference.name, group.name)) continue;
      near = fmt::format(", did you mean '{}'?", shown(group.name));
      break;
    }
    problems_.add(*part.source, reference.line,
                  fmt::format("unknown group '{}'{}", shown(reference.name), near));
  }

  void read_hosts(Inventory& inventory) {
    if (!is_map(hosts_, "hosts")) return;
    SectionReader sections = reader(hosts_);
    for (std::uint32_t at = hosts_.node->first; at != 0;) {
      const YamlNode& key = hosts_.tree->at(at);
      const YamlNode& value = hosts_.tree->at(key.next);
      at = value.next;
      if (const auto checked = check_host_name(key.text); !checked) {
        problems_.add(*hosts_.source, key.line, checked.error().message);
        continue;
      }
      add_host(inventory, key, sections.read(value, SectionKind::kHost));
    }
  }

  void add_host(Inventory& inventory, const YamlNode& key, YamlSection section) {
    std::vector<std::uint32_t> extended;
    const std::vector<GroupReference> references = std::move(section.groups);
    for (const GroupReference& reference : references) {
      const auto group = by_name_.find(reference.name);
      if (group == by_name_.end()) {
        unknown_group(hosts_, reference);
        continue;
      }
      extend(extended, group->second, hosts_, reference.line);
      inherit(section, groups_[group->second].section);
    }
    inherit(section, defaults_);
    std::uint16_t limits = 0;
    if (!section.limits.empty()) {
      const auto list = limit_lists_.list(std::move(section.limits));
      if (!list) return problems_.add(*hosts_.source, key.line, list.error().message);
      limits = *list;
    }
    if (section.hostname.empty()) {
      section.hostname = key.text;
      if (const auto checked = check_address(key.text); !checked) {
        problems_.add(*hosts_.source, key.line,
                      fmt::format("{}; give the host a hostname", checked.error().message));
      }
    }
    if (problems_.any()) return;  // there will be no inventory, only messages
    Host& host = inventory.hosts.emplace_back();
    host.name = key.text;
    host.address = host.name == section.hostname ? host.name : SharedText(section.hostname);
    host.port = section.port;
    host.limits = limits;
    host.jump = pool_(section.jump);
    host.user = pool_(section.user);
    host.platform = pool_(section.platform);
    host.region = pool_(section.region);
    host.credential = pool_(section.credential);
    host.ssh_options = pool_(to_text(section.ssh));
    for (const std::uint32_t group : extended) host.groups.edit().push_back(groups_[group].name);
    for (const auto& entry : section.data) {
      for (const auto& [name, value] : entry->values) host.data.edit()[name] = value;
    }
  }

  Part hosts_;
  Part groups_part_;
  Part defaults_part_;
  Part limits_part_;
  Part jumps_part_;
  Problems& problems_;
  Passwords passwords_;
  LimitLists limit_lists_;
  JumpReferences jump_references_;
  TextPool pool_;
  YamlSection defaults_;
  std::vector<Group> groups_;
  std::unordered_map<std::string, std::uint32_t> by_name_;
};

// The sections of one file. A file without any of their keys holds the hosts themselves, by name;
// one with "limits" or "jumps" alone holds those for the hosts of other inventories.
SimpleInventory::Parts split_sections(const YamlTree& tree, const std::string& source,
                                      Problems& problems) {
  const YamlNode& root = tree.root();
  SimpleInventory::Parts parts;
  parts.hosts = {&tree, &root, &source};
  if (root.kind != YamlNode::Kind::kMap) return parts;
  std::vector<const YamlNode*> others;
  const YamlNode* found = nullptr;
  for (std::uint32_t at = root.first; at != 0;) {
    const YamlNode& key = tree.at(at);
    const YamlNode& value = tree.at(key.next);
    at = value.next;
    if (key.text == "hosts") {
      found = &value;
    } else if (key.text == "groups") {
      parts.groups = {&tree, &value, &source};
    } else if (key.text == "defaults") {
      parts.defaults = {&tree, &value, &source};
    } else if (key.text == "limits") {
      parts.limits = {&tree, &value, &source};
    } else if (key.text == "jumps") {
      parts.jumps = {&tree, &value, &source};
    } else if (others.size() < 20) {
      others.push_back(&key);
    }
  }
  const bool no_hosts =
      (parts.limits.node != nullptr || parts.jumps.node != nullptr) && others.empty();
  if (found == nullptr && parts.groups.node == nullptr && parts.defaults.node == nullptr &&
      !no_hosts) {
    parts.limits = parts.jumps = {};  // a host of that name
    return parts;
  }
  parts.hosts = {&tree, found, &source};
  for (const YamlNode* key : others) {
    problems.add(source, key->line,
                 fmt::format("unknown key '{}' (known: hosts, groups, defaults, limits, jumps)",
                             shown(key->text)));
  }
  return parts;
}

bool parse_one(YamlTree& tree, NamedText named, Problems& problems) {
  if (const auto is_text = strip_bom(named.text, named.source); !is_text) {
    problems.add(named.source, 1, is_text.error().message);
    return false;
  }
  return tree.parse(named.text, named.source, problems);
}

}  // namespace

Expected<Inventory> parse_yaml_inventory(const NamedText& hosts, const YamlFiles& others) {
  Problems problems;
  YamlTree hosts_tree, groups_tree, defaults_tree, limits_tree, jumps_tree;
  parse_one(hosts_tree, hosts, problems);
  const auto parse = [&](YamlTree& tree, const std::optional<NamedText>& file) {
    if (file) parse_one(tree, *file, problems);
  };
  parse(groups_tree, others.groups);
  parse(defaults_tree, others.defaults);
  parse(limits_tree, others.limits);
  parse(jumps_tree, others.jumps);
  if (problems.any()) return std::unexpected(problems.error());
  SimpleInventory::Parts parts = split_sections(hosts_tree, hosts.source, problems);
  const auto replace = [](SimpleInventory::Part& part, const YamlTree& tree,
                          const std::optional<NamedText>& file) {
    if (file) part = {&tree, &tree.root(), &file->source};
  };
  replace(parts.groups, groups_tree, others.groups);
  replace(parts.defaults, defaults_tree, others.defaults);
  replace(parts.limits, limits_tree, others.limits);
  replace(parts.jumps, jumps_tree, others.jumps);
  SimpleInventory simple(parts, problems);
  Inventory inventory = simple.read();
  if (problems.any()) return std::unexpected(problems.error());
  return inventory;
}

}  // namespace netfleet

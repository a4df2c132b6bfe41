#include "dispatcher/inventory/yaml_sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/host_text.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxDataValues = 1024;  // of one section: every host carries its own copy
constexpr std::size_t kMaxDataKey = 1024;
constexpr int kMaxDataDepth = 32;
constexpr std::size_t kMaxGroups = 1000;

constexpr std::size_t kMaxLimitsOfASection = 100;

constexpr std::array<std::string_view, 16> kKnown = {"hostname",
                                                     "port",
                                                     "username",
                                                     "password",
                                                     "platform",
                                                     "groups",
                                                     "data",
                                                     "region",
                                                     "credential",
                                                     "jump",
                                                     "limits",
                                                     "kex",
                                                     "ciphers",
                                                     "macs",
                                                     "host_key_algorithms",
                                                     "public_key_algorithms"};
// Words of the format, or of netfleet, that other versions use.
constexpr std::array<std::string_view, 1> kAccepted = {"connection_options"};

}  // namespace

YamlSection SectionReader::read(const YamlNode& node, SectionKind kind) {
  YamlSection section;
  section.line = node.line;
  data_values_ = 0;
  if (node.kind == YamlNode::Kind::kNull) return section;
  if (node.kind != YamlNode::Kind::kMap) {
    problem(node, "expected a map of hostname, port, username and the like");
    return section;
  }
  std::string password_name;
  for (std::uint32_t at = node.first; at != 0;) {
    const YamlNode& key = tree_.at(at);
    const YamlNode& value = tree_.at(key.next);
    at = value.next;
    if (key.text != "password") {
      field(section, key, value, kind);
    } else if (is_scalar(key, value) && !value.text.empty()) {
      auto name = passwords_.name_of(value.text);
      if (name) {
        password_name = *std::move(name);
      } else {
        problem(key, name.error().message);
      }
    }
  }
  if (section.credential.empty()) section.credential = std::move(password_name);
  return section;
}

void SectionReader::field(YamlSection& section, const YamlNode& key, const YamlNode& value,
                          SectionKind kind) {
  const std::string_view name = key.text;
  const auto take = [&](std::string& target, const Expected<void>& checked) {
    if (!checked) return problem(value, checked.error().message);
    target = value.text;
  };
  if (std::ranges::find(kAccepted, name) != kAccepted.end()) return;
  if (name == "groups" && kind != SectionKind::kDefaults) return groups(section, value);
  if (name == "data") return data(section, value);
  if (name == "limits") return limits(section, value);
  if (name == "jump") return jump(section, value);
  if (std::ranges::find(kKnown, name) == kKnown.end() || name == "groups") {
    return unknown_key(key, kind);
  }
  if (!is_scalar(key, value)) return;
  if (name == "hostname") {
    take(section.hostname, check_address(value.text));
  } else if (name == "port") {
    const auto port = parse_port(value.text);
    if (!port) return problem(value, port.error().message);
    section.port = *port;
  } else if (name == "username") {
    take(section.user, check_user(value.text));
  } else if (name == "platform") {
    take(section.platform, check_label(value.text, "platform"));
  } else if (name == "region") {
    take(section.region, check_label(value.text, "region"));
  } else if (const auto* info = algorithm_field(name); info != nullptr) {
    take(section.ssh[info->kind], check_algorithms(info->kind, value.text));
  } else {
    take(section.credential, check_credential_name(value.text));
  }
}

void SectionReader::unknown_key(const YamlNode& key, SectionKind kind) {
  std::string known;
  std::string_view nearest;
  for (const std::string_view word : kKnown) {
    if (word == "groups" && kind == SectionKind::kDefaults) continue;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", word);
    if (nearest.empty() && is_near(key.text, word)) nearest = word;
  }
  problem(key,
          fmt::format("unknown key '{}'{} (known: {}; anything else belongs under data)",
                      shown(key.text),
                      nearest.empty() ? "" : fmt::format(", did you mean '{}'?", nearest), known));
}

// False when there is nothing to take: a wrong type, which is a problem, or null, which is not.
bool SectionReader::is_scalar(const YamlNode& key, const YamlNode& value) {
  if (value.kind == YamlNode::Kind::kNull) return false;
  if (value.kind == YamlNode::Kind::kScalar) return true;
  problem(value, fmt::format("'{}' takes one value, not a {}", key.text,
                             value.kind == YamlNode::Kind::kList ? "list" : "map"));
  return false;
}

void SectionReader::groups(YamlSection& section, const YamlNode& value) {
  if (value.kind == YamlNode::Kind::kNull) return;
  if (value.kind != YamlNode::Kind::kList) return problem(value, "'groups' takes a list of names");
  for (std::uint32_t at = value.first; at != 0; at = tree_.at(at).next) {
    const YamlNode& item = tree_.at(at);
    if (item.kind != YamlNode::Kind::kScalar) {
      problem(item, "'groups' takes a list of names");
    } else if (section.groups.size() == kMaxGroups) {
      return problem(item, fmt::format("more than {} groups", kMaxGroups));
    } else {
      section.groups.push_back({std::string(item.text), item.line});
    }
  }
}

// A list of names, or one name.
template <typename Take>
void SectionReader::each_name(const YamlNode& value, std::string_view what, Take take) {
  if (value.kind == YamlNode::Kind::kNull) return;
  if (value.kind == YamlNode::Kind::kScalar) return take(value);
  const auto refuse = [&](const YamlNode& node) {
    problem(node, fmt::format("'{}' takes a name or a list of names", what));
  };
  if (value.kind != YamlNode::Kind::kList) return refuse(value);
  for (std::uint32_t at = value.first; at != 0; at = tree_.at(at).next) {
    const YamlNode& item = tree_.at(at);
    if (item.kind != YamlNode::Kind::kScalar) return refuse(item);
    take(item);
  }
}

void SectionReader::limits(YamlSection& section, const YamlNode& value) {
  each_name(value, "limits", [&](const YamlNode& item) {
    const auto number = limits_.name(item.text, source_, item.line);
    if (!number) return problem(item, number.error().message);
    if (section.limits.size() == kMaxLimitsOfASection) {
      return problem(item, fmt::format("more than {} limits", kMaxLimitsOfASection));
    }
    section.limits.push_back(*number);
  });
}

// A chain ("a" or "a,b"), or a list of tiers: of chains, and of lists of them that share.
void SectionReader::jump(YamlSection& section, const YamlNode& value) {
  if (value.kind == YamlNode::Kind::kNull) return;
  const std::size_t before = problems_.count();
  std::string route;
  if (value.kind == YamlNode::Kind::kScalar && value.text == kNoJump) {
    route = kNoJump;
  } else if (value.kind == YamlNode::Kind::kList && value.first != 0) {
    for (std::uint32_t at = value.first; at != 0; at = tree_.at(at).next) {
      route.append(route.empty() ? "" : ",").append(tier(tree_.at(at)));
    }
  } else {
    route = tier(value);
  }
  if (problems_.count() != before) return;
  if (route != kNoJump) {
    const auto parsed = parse_jump_route(route);
    if (!parsed) return problem(value, parsed.error().message);
  }
  jumps_.add(route, source_, value.line);
  section.jump = std::move(route);
}

std::string SectionReader::tier(const YamlNode& value) {
  std::string tier;
  const auto take = [&](const YamlNode& item) {
    if (item.kind != YamlNode::Kind::kScalar) {
      return problem(item, "'jump' takes a name, or a list of names and of lists of names");
    }
    const auto chain = parse_typed_chain(item.text);
    if (!chain) return problem(item, chain.error().message);
    tier.append(tier.empty() ? "" : "|").append(*chain);
  };
  if (value.kind != YamlNode::Kind::kList || value.first == 0) {
    take(value);
    return tier;
  }
  for (std::uint32_t at = value.first; at != 0; at = tree_.at(at).next) take(tree_.at(at));
  return tier;
}

void SectionReader::data(YamlSection& section, const YamlNode& value) {
  if (value.kind == YamlNode::Kind::kNull) return;
  if (value.kind != YamlNode::Kind::kMap) return problem(value, "'data' takes a map");
  for (std::uint32_t at = value.first; at != 0;) {
    const YamlNode& key = tree_.at(at);
    const YamlNode& item = tree_.at(key.next);
    at = item.next;
    auto entry = std::make_shared<DataEntry>();
    entry->key = key.text;
    flatten(*entry, entry->key, item, 0);
    section.data.push_back(std::move(entry));
    if (data_values_ > kMaxDataValues) {
      return problem(key, fmt::format("more than {} values of data", kMaxDataValues));
    }
  }
}

void SectionReader::flatten(DataEntry& entry, const std::string& key, const YamlNode& value,
                            int depth) {
  if (data_values_ > kMaxDataValues) return;
  if (depth > kMaxDataDepth || key.size() > kMaxDataKey) {
    return problem(value, fmt::format("data is nested more than {} levels deep, or a key is longer "
                                      "than {} bytes",
                                      kMaxDataDepth, kMaxDataKey));
  }
  if (value.kind == YamlNode::Kind::kNull || value.kind == YamlNode::Kind::kScalar ||
      value.first == 0) {  // an empty list or map is there, too
    ++data_values_;
    entry.values.emplace_back(key, value.text);
    return;
  }
  std::size_t number = 0;
  for (std::uint32_t at = value.first; at != 0;) {
    const YamlNode* item = &tree_.at(at);
    std::string name;
    if (value.kind == YamlNode::Kind::kMap) {
      name = item->text;
      item = &tree_.at(item->next);
    } else {
      name = std::to_string(number++);
    }
    at = item->next;
    flatten(entry, key + "." + name, *item, depth + 1);
    if (data_values_ > kMaxDataValues) return;
  }
}

}  // namespace netfleet

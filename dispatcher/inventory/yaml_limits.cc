#include "dispatcher/inventory/yaml_limits.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

#include "common/host_text.h"
#include "dispatcher/inventory/limit_lists.h"

namespace netfleet {
namespace {

constexpr std::uint32_t kMost = 1'000'000;  // sessions, burst

constexpr std::array<std::string_view, 6> kKeys = {
    "sessions", "logins_per_second", "burst", "group", "region", "jump"};

class LimitsReader {
 public:
  LimitsReader(const YamlTree& tree, const std::string& source, Problems& problems)
      : tree_(tree), source_(source), problems_(problems) {}

  std::optional<NamedLimit> read(const YamlNode& name, const YamlNode& value) {
    NamedLimit limit;
    limit.name = name.text;
    limit.place = fmt::format("{}:{}", source_, name.line);
    const std::size_t before = problems_.count();
    if (const auto checked = check_label(name.text, "limit"); !checked) {
      problem(name, checked.error().message);
    }
    if (value.kind != YamlNode::Kind::kMap) {
      problem(value.kind == YamlNode::Kind::kNull ? name : value,
              "a limit takes a map of sessions, logins_per_second, burst and the like");
      return std::nullopt;
    }
    limit.burst = 0;
    for (std::uint32_t at = value.first; at != 0;) {
      const YamlNode& key = tree_.at(at);
      const YamlNode& item = tree_.at(key.next);
      at = item.next;
      field(limit, key, item);
    }
    if (problems_.count() == before) settle(limit, name);
    if (problems_.count() != before) return std::nullopt;
    return limit;
  }

 private:
  void problem(const YamlNode& node, std::string_view message) {
    problems_.add(source_, node.line, message);
  }

  void field(NamedLimit& limit, const YamlNode& key, const YamlNode& value) {
    if (value.kind != YamlNode::Kind::kScalar) {
      problem(value, fmt::format("'{}' takes one value", shown(key.text)));
    } else if (key.text == "sessions") {
      whole(limit.sessions, key, value);
    } else if (key.text == "burst") {
      whole(limit.burst, key, value);
    } else if (key.text == "logins_per_second") {
      const auto rate = parse_login_rate(value.text);
      if (!rate) return problem(value, rate.error().message);
      limit.logins_per_second = *rate;
    } else if (key.text == "group") {
      word(limit.group, key, value);
    } else if (key.text == "region") {
      word(limit.region, key, value);
    } else if (key.text == "jump") {
      word(limit.jump, key, value);
    } else {
      unknown_key(key);
    }
  }

  void whole(std::uint32_t& target, const YamlNode& key, const YamlNode& value) {
    const std::string_view text = value.text;
    std::uint32_t number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code != std::errc() || end != text.data() + text.size() || number < 1 || number > kMost) {
      return problem(value, fmt::format("'{}' is no value for '{}': expected 1 to {}", shown(text),
                                        key.text, kMost));
    }
    target = number;
  }

  void word(std::string& target, const YamlNode& key, const YamlNode& value) {
    if (const auto checked = check_label(value.text, key.text); !checked) {
      return problem(value, checked.error().message);
    }
    target = value.text;
  }

  void unknown_key(const YamlNode& key) {
    std::string known;
    std::string near;
    for (const std::string_view word : kKeys) {
      known += fmt::format("{}{}", known.empty() ? "" : ", ", word);
      if (near.empty() && is_near(key.text, word)) near = fmt::format(", did you mean '{}'?", word);
    }
    problem(key, fmt::format("unknown key '{}'{} (known: {})", shown(key.text), near, known));
  }

  // What single fields cannot say.
  void settle(NamedLimit& limit, const YamlNode& name) {
    if (limit.sessions == 0 && limit.logins_per_second == 0) {
      return problem(name, fmt::format("limit '{}' limits nothing: give sessions, "
                                       "logins_per_second or both",
                                       limit.name));
    }
    if (limit.burst > 0 && limit.logins_per_second == 0) {
      return problem(name,
                     fmt::format("limit '{}': burst goes with logins_per_second", limit.name));
    }
    if (!limit.group.empty() + !limit.region.empty() + !limit.jump.empty() > 1) {
      return problem(name,
                     fmt::format("limit '{}': give one of group, region and jump", limit.name));
    }
    if (limit.burst == 0) limit.burst = default_burst(limit.logins_per_second);
  }

  const YamlTree& tree_;
  const std::string& source_;
  Problems& problems_;
};

}  // namespace

std::vector<NamedLimit> read_limits(const YamlTree& tree, const YamlNode& node,
                                    const std::string& source, Problems& problems) {
  LimitsReader reader(tree, source, problems);
  std::vector<NamedLimit> limits;
  for (std::uint32_t at = node.first; at != 0;) {
    const YamlNode& key = tree.at(at);
    const YamlNode& value = tree.at(key.next);
    at = value.next;
    if (limits.size() == kMaxLimits) {
      problems.add(source, key.line, fmt::format("more than {} limits", kMaxLimits));
      break;
    }
    if (auto limit = reader.read(key, value)) limits.push_back(*std::move(limit));
  }
  return limits;
}

void add_jump_limits(const std::vector<JumpDefinition>& jumps, std::vector<NamedLimit>& limits) {
  for (const JumpDefinition& jump : jumps) {
    if (jump.sessions == 0 && jump.logins_per_second == 0) continue;
    NamedLimit& limit = limits.emplace_back();
    limit.name = "jump " + jump.host.name;
    limit.jump = jump.host.name;
    limit.sessions = jump.sessions;
    limit.logins_per_second = jump.logins_per_second;
    limit.burst = jump.burst != 0 ? jump.burst : default_burst(jump.logins_per_second);
    limit.place = jump.place;
  }
}

}  // namespace netfleet

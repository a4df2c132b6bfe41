#include "dispatcher/job/job_reader.h"

#include <fmt/format.h>

namespace netfleet {

void JobReader::each_pair(
    const YamlNode& node, std::string_view what,
    const std::function<void(const YamlNode& key, const YamlNode& value)>& take) const {
  if (node.kind == YamlNode::Kind::kNull) return;
  if (node.kind != YamlNode::Kind::kMap) return problem(node, fmt::format("{} takes a map", what));
  for (std::uint32_t at = node.first; at != 0;) {
    const YamlNode& key = tree_.at(at);
    const YamlNode& value = tree_.at(key.next);
    at = value.next;
    take(key, value);
  }
}

void JobReader::each_item(const YamlNode& node,
                          const std::function<void(const YamlNode& item)>& take) const {
  if (node.kind != YamlNode::Kind::kList) {
    if (node.kind != YamlNode::Kind::kNull) take(node);
    return;
  }
  for (std::uint32_t at = node.first; at != 0; at = tree_.at(at).next) take(tree_.at(at));
}

bool JobReader::is_scalar(std::string_view key, const YamlNode& value) const {
  if (value.kind == YamlNode::Kind::kNull) return false;
  if (value.kind == YamlNode::Kind::kScalar) return true;
  problem(value, fmt::format("'{}' takes one value, not a {}", key,
                             value.kind == YamlNode::Kind::kList ? "list" : "map"));
  return false;
}

void JobReader::unknown_key(const YamlNode& key, std::span<const std::string_view> known) const {
  std::string words;
  std::string_view nearest;
  for (const std::string_view word : known) {
    words += fmt::format("{}{}", words.empty() ? "" : ", ", word);
    if (nearest.empty() && is_near(key.text, word)) nearest = word;
  }
  problem(key, nearest.empty()
                   ? fmt::format("unknown key '{}' (known: {})", shown(key.text), words)
                   : fmt::format("unknown key '{}', did you mean '{}'?", shown(key.text), nearest));
}

}  // namespace netfleet

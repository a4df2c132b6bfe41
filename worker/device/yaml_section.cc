#include "worker/device/yaml_section.h"

#include <fmt/format.h>

#include <algorithm>

namespace netfleet {
namespace {

constexpr std::size_t kMaxItems = 256;  // of one list

}  // namespace

void malformed(const YAML::Node& at, std::string message) {
  throw Malformed{at.Mark(), std::move(message)};
}

std::string YamlProblems::text(const std::string& file) const {
  std::string text;
  for (const auto& [line, message] : found_) {
    text += fmt::format("{}{}:{}: {}", text.empty() ? "" : "\n", file, line + 1, message);
  }
  return text;
}

Section::Section(YamlProblems& problems, const YAML::Node& node, const std::string& what, Keys keys)
    : problems_(&problems), node_(node), what_(what) {
  if (!node.IsMap()) malformed(node, what + " must be a map of keys and values");
  std::vector<std::string> seen;
  for (const auto& entry : node) {
    if (!entry.first.IsScalar()) malformed(entry.first, "a key of " + what + " must be text");
    const std::string& key = entry.first.Scalar();
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      problems.add(entry.first, fmt::format("unknown key \"{}\" in {}; known are: {}", key, what,
                                            fmt::join(keys, ", ")));
    }
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
      problems.add(entry.first, fmt::format("key \"{}\" stands twice in {}", key, what));
    }
    seen.push_back(key);
  }
}

YAML::Node Section::need(const char* key) const {
  if (!has(key)) malformed(node_, fmt::format("{} lacks the key \"{}\"", what_, key));
  return node_[key];
}

std::string Section::text(const char* key) const {
  const YAML::Node value = need(key);
  if (!value.IsScalar()) malformed(value, fmt::format("{}: {} must be text", what_, key));
  return value.Scalar();
}

std::string Section::text_or(const char* key, std::string fallback) const {
  return has(key) ? text(key) : std::move(fallback);
}

std::string Section::command(const char* key) const {
  std::string line = text(key);
  if (line.empty() || line.find('\n') != std::string::npos) {
    malformed(node_[key], "a command is one line and not empty");
  }
  return line;
}

std::string Section::command_or_none(const char* key) const {
  return has(key) ? command(key) : std::string();
}

bool Section::flag(const char* key) const {
  if (!has(key)) return false;
  const std::string value = text(key);
  if (value != "true" && value != "false") {
    malformed(node_[key], fmt::format("{}: {} must be true or false", what_, key));
  }
  return value == "true";
}

Pattern Section::pattern(const char* key, bool multi_line) const {
  return compile(need(key), multi_line);
}

std::optional<Pattern> Section::optional_pattern(const char* key, bool multi_line) const {
  if (!has(key)) return std::nullopt;
  return pattern(key, multi_line);
}

std::vector<YAML::Node> Section::items(const char* key) const {
  if (!has(key)) return {};
  const YAML::Node list = node_[key];
  if (!list.IsSequence() || list.size() > kMaxItems) {
    malformed(list,
              fmt::format("{}: {} must be a list of at most {} items", what_, key, kMaxItems));
  }
  return {list.begin(), list.end()};
}

Pattern Section::compile(const YAML::Node& node, bool multi_line) {
  if (!node.IsScalar()) malformed(node, "a regular expression must be text");
  Expected<Pattern> pattern = Pattern::compile(node.Scalar(), multi_line);
  if (!pattern) malformed(node, pattern.error().message);
  return *std::move(pattern);
}

}  // namespace netfleet

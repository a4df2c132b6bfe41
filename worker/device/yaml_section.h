// worker/device: a YAML map of which every key must be known, read with errors that carry the line.
#pragma once

#include <yaml-cpp/yaml.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "worker/device/pattern.h"

namespace netfleet {

// Thrown by Section and caught in platform_reader.cc only, so that reading reads top to bottom.
struct Malformed {
  YAML::Mark mark;
  std::string message;
};
[[noreturn]] void malformed(const YAML::Node& at, std::string message);

class Section {
 public:
  // `what`: for messages. Unknown and repeated keys are errors.
  Section(const YAML::Node& node, const std::string& what,
          std::initializer_list<std::string_view> keys);

  bool has(const char* key) const { return static_cast<bool>(node_[key]); }
  YAML::Node need(const char* key) const;
  std::string text(const char* key) const;
  std::string text_or(const char* key, std::string fallback) const;
  // Of one line, not empty: something to type.
  std::string command(const char* key) const;
  std::string command_or_none(const char* key) const;
  bool flag(const char* key) const;  // false when missing
  Pattern pattern(const char* key, bool multi_line = false) const;
  std::optional<Pattern> optional_pattern(const char* key, bool multi_line = false) const;
  // The items of a list; none when the key is missing.
  std::vector<YAML::Node> items(const char* key) const;
  const YAML::Node& node() const { return node_; }

  static Pattern compile(const YAML::Node& node, bool multi_line);

 private:
  const YAML::Node node_;
  const std::string what_;
};

}  // namespace netfleet

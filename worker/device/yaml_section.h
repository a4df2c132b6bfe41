// worker/device: a YAML map of which every key must be known, read with errors that carry the line.
#pragma once

#include <yaml-cpp/yaml.h>

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "worker/device/pattern.h"

namespace netfleet {

// Thrown by Section and caught by YamlProblems only, so that reading reads top to bottom.
struct Malformed {
  YAML::Mark mark;
  std::string message;
};
[[noreturn]] void malformed(const YAML::Node& at, std::string message);

// All that is wrong with a file: what one part of it throws does not hide the others.
class YamlProblems {
 public:
  template <typename Part>
  void attempt(Part part) {
    try {
      part();
    } catch (const Malformed& problem) {
      found_.emplace(problem.mark.line, problem.message);
    }
  }
  void add(const YAML::Node& at, std::string message) {
    found_.emplace(at.Mark().line, std::move(message));
  }
  std::size_t count() const { return found_.size(); }
  // "file:line: ...", a line each, in the order of the lines.
  std::string text(const std::string& file) const;

 private:
  std::multimap<int, std::string> found_;  // by line, from 0
};

class Section {
 public:
  using Keys = std::initializer_list<std::string_view>;

  // `what`: for messages. Unknown and repeated keys are problems. `problems` outlives it.
  Section(YamlProblems& problems, const YAML::Node& node, const std::string& what, Keys keys);
  // Of a node in this one.
  Section section(const YAML::Node& node, const std::string& what, Keys keys) const {
    return {*problems_, node, what, keys};
  }

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
  // What `read` makes of each; those that it throws at are left out.
  template <typename Read>
  auto list(const char* key, Read read) const {
    std::vector<decltype(read(node_))> result;
    for (const YAML::Node& item : items(key)) {
      problems_->attempt([&] { result.push_back(read(item)); });
    }
    return result;
  }
  const YAML::Node& node() const { return node_; }

  static Pattern compile(const YAML::Node& node, bool multi_line);

 private:
  YamlProblems* const problems_;
  const YAML::Node node_;
  const std::string what_;
};

}  // namespace netfleet

// dispatcher/job: what the readers of its parts share: maps with known keys, and scalars.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "common/problems.h"
#include "common/yaml_tree.h"

namespace netfleet {

class JobReader {
 public:
  JobReader(const YamlTree& tree, const std::string& source, Problems& problems)
      : tree_(tree), source_(source), problems_(problems) {}

  // Each pair of a map; `what` is for the message when it is none.
  void each_pair(const YamlNode& node, std::string_view what,
                 const std::function<void(const YamlNode& key, const YamlNode& value)>& take) const;
  // Each item of a list, or the one scalar.
  void each_item(const YamlNode& node, const std::function<void(const YamlNode& item)>& take) const;
  // Whether it is a scalar; else a problem, but for null.
  bool is_scalar(std::string_view key, const YamlNode& value) const;
  void unknown_key(const YamlNode& key, std::span<const std::string_view> known) const;
  void problem(const YamlNode& node, std::string_view message) const {
    problems_.add(source_, node.line, message);
  }

 private:
  const YamlTree& tree_;
  const std::string& source_;
  Problems& problems_;
};

}  // namespace netfleet

// common: a YAML document as a plain tree that remembers its lines. The only user of
// yaml-cpp. It knows nothing of inventories.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/problems.h"

namespace netfleet {

// Children are linked by position: first, then next until 0. A map's children are key, value, key,
// value; its keys are scalars and differ.
struct YamlNode {
  enum class Kind : std::uint8_t { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  std::uint32_t line = 0;  // from 1
  std::uint32_t first = 0;
  std::uint32_t next = 0;
  std::string_view text;  // a scalar's
};

// Owns the nodes and their text, which is wiped in the end: inventories hold passwords. Aliases are
// resolved (they share children), `<<` merge keys too.
class YamlTree {
 public:
  // Problems go to `problems`; false when there is no tree. Bounds: 32 levels, 32 million nodes,
  // and 10 million more when aliases are counted as often as they are used.
  bool parse(std::string_view text, const std::string& source, Problems& problems);
  const YamlNode& root() const { return nodes_[root_]; }
  const YamlNode& at(std::uint32_t position) const { return nodes_[position]; }

  YamlTree() : nodes_(1) {}
  YamlTree(const YamlTree&) = delete;
  YamlTree& operator=(const YamlTree&) = delete;
  ~YamlTree();

 private:
  friend class YamlTreeBuilder;
  std::vector<YamlNode> nodes_;  // [0] is a null node: the root of an empty document
  std::uint32_t root_ = 0;
  std::deque<std::string> texts_;  // blocks that are never resized once views point into them
};

}  // namespace netfleet

#include "common/yaml_tree.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <spanstream>
#include <unordered_map>

#include "common/secret.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kMaxNodes = 32'000'000;
constexpr std::uint64_t kMaxAliased = 10'000'000;
constexpr std::size_t kTextBlock = 64 * 1024;

// Ends the parsing from within yaml-cpp's callbacks.
struct Refused {
  std::size_t line;
  std::string message;
};

}  // namespace

// Turns yaml-cpp's events into nodes.
class YamlTreeBuilder final : public YAML::EventHandler {
 public:
  YamlTreeBuilder(YamlTree& tree, const std::string& source, Problems& problems)
      : tree_(tree), source_(source), problems_(problems) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) throw Refused{line_of(mark), "a second document; expected one"};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const std::uint32_t position = append(mark, YamlNode::Kind::kNull, {});
    remember(anchor, position, 1);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const bool plain = tag == "?" || tag.empty();
    check_tag(mark, tag);
    const bool is_null = plain && (value == "~" || value == "null" || value == "Null" ||
                                   value == "NULL" || value.empty());
    const std::uint32_t position =
        append(mark, is_null ? YamlNode::Kind::kNull : YamlNode::Kind::kScalar, keep(value));
    remember(anchor, position, 1);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto target = anchors_.find(anchor);
    if (target == anchors_.end())
      throw Refused{line_of(mark), "an alias within what it stands for"};
    const std::uint32_t position = append(mark, YamlNode::Kind::kNull, {});
    const YamlNode& original = tree_.nodes_[target->second.position];
    YamlNode& node = tree_.nodes_[position];
    node.kind = original.kind;
    node.text = original.text;
    node.first = original.first;
    count_expanded(line_of(mark), target->second.expanded);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    open(append(mark, YamlNode::Kind::kList, {}), anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    open(append(mark, YamlNode::Kind::kMap, {}), anchor);
  }
  void OnMapEnd() override {
    check_keys();
    close();
  }

 private:
  struct Open {
    std::uint32_t position;
    std::uint32_t last_child;
    YAML::anchor_t anchor;
    std::uint64_t expanded;  // nodes below, those behind aliases counted each time
  };
  struct Anchored {
    std::uint32_t position;
    std::uint64_t expanded;
  };
  using Seen = std::unordered_map<std::string_view, std::uint32_t>;  // key -> its line

  static std::size_t line_of(const YAML::Mark& mark) {
    return static_cast<std::size_t>(mark.line) + 1;
  }

  static void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!" || tag.starts_with("tag:yaml.org,2002:")) return;
    throw Refused{line_of(mark), fmt::format("the tag '{}' is not supported", shown(tag))};
  }

  std::string_view keep(const std::string& value) {
    if (value.empty()) return {};
    auto& blocks = tree_.texts_;
    if (blocks.empty() || blocks.back().capacity() - blocks.back().size() < value.size()) {
      blocks.emplace_back().reserve(std::max(kTextBlock, value.size()));
    }
    std::string& block = blocks.back();
    block += value;
    return std::string_view(block).substr(block.size() - value.size());
  }

  std::uint32_t append(const YAML::Mark& mark, YamlNode::Kind kind, std::string_view text) {
    if (tree_.nodes_.size() >= kMaxNodes) {
      throw Refused{line_of(mark), fmt::format("more than {} values", kMaxNodes)};
    }
    const std::uint32_t position = link();
    YamlNode& node = tree_.nodes_[position];
    node.kind = kind;
    node.line = static_cast<std::uint32_t>(line_of(mark));
    node.text = text;
    return position;
  }

  // A new node behind the last child of the innermost open one.
  std::uint32_t link() {
    const auto position = static_cast<std::uint32_t>(tree_.nodes_.size());
    tree_.nodes_.emplace_back();
    if (open_.empty()) {
      tree_.root_ = position;
      return position;
    }
    Open& parent = open_.back();
    if (parent.last_child == 0) {
      tree_.nodes_[parent.position].first = position;
    } else {
      tree_.nodes_[parent.last_child].next = position;
    }
    parent.last_child = position;
    ++parent.expanded;
    return position;
  }

  void open(std::uint32_t position, YAML::anchor_t anchor) {
    if (open_.size() >= kMaxDepth) {
      throw Refused{tree_.nodes_[position].line,
                    fmt::format("nested more than {} levels deep", kMaxDepth)};
    }
    open_.push_back({position, 0, anchor, 0});
  }

  void close() {
    const Open closed = open_.back();
    open_.pop_back();
    remember(closed.anchor, closed.position, closed.expanded + 1);
    if (!open_.empty()) open_.back().expanded += closed.expanded;
  }

  void remember(YAML::anchor_t anchor, std::uint32_t position, std::uint64_t expanded) {
    if (anchor != YAML::NullAnchor) anchors_[anchor] = {position, expanded};
  }

  void count_expanded(std::size_t line, std::uint64_t expanded) {
    if (!open_.empty()) open_.back().expanded += expanded;
    aliased_ += expanded;
    if (aliased_ > kMaxAliased) {
      throw Refused{line, fmt::format("aliases expand to more than {} values", kMaxAliased)};
    }
  }

  // Called when a map ends: its keys must be scalars and differ; `<<` is replaced by what it
  // brings.
  void check_keys() {
    const std::uint32_t map = open_.back().position;
    Seen seen;
    std::uint32_t merge = 0;         // the value of "<<"
    std::uint32_t before_merge = 0;  // the node in front of that key
    std::uint32_t previous = 0;
    for (std::uint32_t key = tree_.nodes_[map].first; key != 0;) {
      const YamlNode& node = tree_.nodes_[key];
      const std::uint32_t value = node.next;
      if (node.kind != YamlNode::Kind::kScalar) {
        problems_.add(source_, node.line, "a key must be a word");
      } else if (node.text == "<<" && merge == 0) {
        merge = value;
        before_merge = previous;
      } else if (const auto [at, is_new] = seen.emplace(node.text, node.line); !is_new) {
        problems_.add(
            source_, node.line,
            fmt::format("the key '{}' was given before (line {})", shown(node.text), at->second));
      }
      previous = value;
      key = tree_.nodes_[value].next;
    }
    if (merge != 0) apply_merge(map, merge, before_merge, seen);
  }

  void apply_merge(std::uint32_t map, std::uint32_t merge, std::uint32_t before, Seen& seen) {
    const YamlNode value = tree_.nodes_[merge];
    // Unlink the "<<" pair.
    (before == 0 ? tree_.nodes_[map].first : tree_.nodes_[before].next) = value.next;
    if (open_.back().last_child == merge) open_.back().last_child = before;
    if (value.kind == YamlNode::Kind::kMap) {
      merge_map(value, seen);
    } else if (value.kind == YamlNode::Kind::kList) {
      for (std::uint32_t item = value.first; item != 0; item = tree_.nodes_[item].next) {
        const YamlNode copy = tree_.nodes_[item];
        merge_map(copy, seen);
      }
    } else {
      problems_.add(source_, value.line, "'<<' takes a map or a list of maps");
    }
  }

  void merge_map(const YamlNode& from, Seen& seen) {
    if (from.kind != YamlNode::Kind::kMap) {
      problems_.add(source_, from.line, "'<<' takes a map or a list of maps");
      return;
    }
    for (std::uint32_t key = from.first; key != 0;) {
      const YamlNode key_node = tree_.nodes_[key];
      const YamlNode value_node = tree_.nodes_[key_node.next];
      key = value_node.next;
      if (!seen.emplace(key_node.text, key_node.line).second) continue;
      count_expanded(key_node.line, 2);
      for (const YamlNode* source : {&key_node, &value_node}) {
        const std::uint32_t position = link();
        YamlNode& copy = tree_.nodes_[position];
        copy = *source;
        copy.next = 0;
      }
    }
  }

  YamlTree& tree_;
  const std::string& source_;
  Problems& problems_;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, Anchored> anchors_;
  std::uint64_t aliased_ = 0;
  int documents_ = 0;
};

namespace {

// What yaml-cpp says, made plainer where it is known to puzzle.
std::string explain(std::string_view text, std::size_t line, const std::string& message) {
  for (; line > 1; --line) {
    text.remove_prefix(std::min(text.size(), text.find('\n') + (text.contains('\n') ? 1 : 0)));
  }
  const std::string_view indentation =
      text.substr(0, std::min(text.size(), text.find_first_not_of(" \t")));
  if (indentation.contains('\t')) {
    return "a tab in the indentation: YAML takes blanks only";
  }
  return "this is no valid YAML: " + message;
}

}  // namespace

bool YamlTree::parse(std::string_view text, const std::string& source, Problems& problems) {
  const std::size_t before = problems.count();
  YamlTreeBuilder builder(*this, source, problems);
  try {
    std::ispanstream stream{std::span<const char>(text.data(), text.size())};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refused& refused) {
    problems.add(source, refused.line, refused.message);
  } catch (const YAML::Exception& exception) {
    const std::size_t line =
        exception.mark.is_null() ? 1 : static_cast<std::size_t>(exception.mark.line) + 1;
    problems.add(source, line, explain(text, line, exception.msg));
  }
  return problems.count() == before;
}

YamlTree::~YamlTree() {
  for (std::string& block : texts_) wipe(block.data(), block.size());
}

}  // namespace netfleet

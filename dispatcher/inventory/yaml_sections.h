// dispatcher/inventory: one host, group or defaults of a SimpleInventory as written, before
// inheritance. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/problems.h"
#include "common/ssh_algorithms.h"
#include "common/yaml_tree.h"
#include "dispatcher/inventory/jumps.h"
#include "dispatcher/inventory/limit_lists.h"
#include "dispatcher/inventory/passwords.h"

namespace netfleet {

// A top-level key of `data` with all below it, flattened ("site.city").
struct DataEntry {
  std::string key;
  std::vector<std::pair<std::string, std::string>> values;
};

struct GroupReference {
  std::string name;
  std::uint32_t line;
};

struct YamlSection {
  std::uint32_t line = 0;
  std::string hostname;
  std::uint16_t port = 0;
  std::string user;
  std::string platform;
  std::string region;
  std::string credential;
  std::string jump;                   // as a host's
  SshOptions ssh;                     // lists of algorithms, as written
  std::vector<std::uint16_t> limits;  // numbers of LimitLists
  std::vector<GroupReference> groups;
  std::vector<std::shared_ptr<const DataEntry>> data;
};

enum class SectionKind : std::uint8_t { kHost, kGroup, kDefaults };

// Reads sections out of one tree. Passwords become generated credentials on the way, names of
// limits their numbers.
class SectionReader {
 public:
  SectionReader(const YamlTree& tree, const std::string& source, Passwords& passwords,
                LimitLists& limits, JumpReferences& jumps, Problems& problems)
      : tree_(tree),
        source_(source),
        passwords_(passwords),
        limits_(limits),
        jumps_(jumps),
        problems_(problems) {}

  YamlSection read(const YamlNode& node, SectionKind kind);

 private:
  void field(YamlSection& section, const YamlNode& key, const YamlNode& value, SectionKind kind);
  void unknown_key(const YamlNode& key, SectionKind kind);
  bool is_scalar(const YamlNode& key, const YamlNode& value);
  void groups(YamlSection& section, const YamlNode& value);
  void limits(YamlSection& section, const YamlNode& value);
  void jump(YamlSection& section, const YamlNode& value);
  std::string tier(const YamlNode& value);
  template <typename Take>
  void each_name(const YamlNode& value, std::string_view what, Take take);
  void data(YamlSection& section, const YamlNode& value);
  void flatten(DataEntry& entry, const std::string& key, const YamlNode& value, int depth);
  void problem(const YamlNode& node, std::string_view message) {
    problems_.add(source_, node.line, message);
  }

  const YamlTree& tree_;
  const std::string& source_;
  Passwords& passwords_;
  LimitLists& limits_;
  JumpReferences& jumps_;
  Problems& problems_;
  std::size_t data_values_ = 0;  // of the section under way
};

}  // namespace netfleet

// dispatcher/inventory: the parsers of the inventory formats. Pure: text and the name of its source
// in, hosts or one message for all errors out. read_inventory.cc is the shell that opens files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dispatcher/inventory/inventory.h"

namespace netfleet {

enum class InventoryFormat : std::uint8_t { kText, kCsv, kYaml };

// By content: a line that starts with "hosts:" is YAML, a first line of known column names is CSV,
// all else is a text file.
InventoryFormat sniff_format(std::string_view text);

// Each takes the format of `text` as given; an inventory without hosts is not an error here. A
// byte order mark is skipped; binary files and UTF-16 are refused.
Expected<Inventory> parse_text_inventory(std::string_view text, const std::string& source);
Expected<Inventory> parse_csv_inventory(std::string_view text, const std::string& source);

// The .netmiko.yml of netmiko-tools.
Expected<Inventory> parse_netmiko_inventory(std::string_view text, const std::string& source);

struct NamedText {
  std::string source;
  std::string_view text;
};
struct YamlFiles {
  std::optional<NamedText> groups = std::nullopt;
  std::optional<NamedText> defaults = std::nullopt;
  std::optional<NamedText> limits = std::nullopt;
  std::optional<NamedText> jumps = std::nullopt;
};
// Nornir's SimpleInventory. `hosts` alone may hold all sections (hosts, groups, defaults, limits,
// jumps), or only hosts by name, as hosts.yaml does in a directory.
Expected<Inventory> parse_yaml_inventory(const NamedText& hosts, const YamlFiles& others = {});

// The first line of a CSV inventory: at least one column that names the host, and two columns.
bool is_csv_header(std::string_view line);

// Removes a UTF-8 byte order mark from `text`; an error for what is no text at all.
Expected<void> strip_bom(std::string_view& text, const std::string& source);

}  // namespace netfleet

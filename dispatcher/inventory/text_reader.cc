// dispatcher/inventory: the text file: one host a line, `#` comments, [user@]host[:port] and maybe
// the platform as a second word.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "common/host_text.h"
#include "common/problems.h"
#include "dispatcher/inventory/name_table.h"
#include "dispatcher/inventory/parsers.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxLine = 4096;
constexpr std::size_t kMaxWarnings = 1000;  // a file given twice must not cost a million lines
constexpr std::string_view kBlanks = " \t\v\f\r";

// Takes the next word off `line`; empty at its end. A '#' that begins a word begins a comment.
std::string_view next_word(std::string_view& line) {
  const std::size_t begin = line.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos || line[begin] == '#') return {};
  line.remove_prefix(begin);
  const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
  line.remove_prefix(word.size());
  return word;
}

class TextReader {
 public:
  TextReader(std::string_view text, const std::string& source)
      : source_(source), names_(inventory_.hosts) {
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
    inventory_.hosts.reserve(lines);
    lines_.reserve(lines);
    names_.reserve(lines);
  }

  void line(std::string_view line, std::size_t number) {
    if (line.size() > kMaxLine) {
      problems_.add(source_, number, fmt::format("the line is longer than {} bytes", kMaxLine));
      return;
    }
    const std::string_view spec = next_word(line);
    if (spec.empty()) return;
    const std::string_view platform = next_word(line);
    if (!next_word(line).empty()) {
      problems_.add(source_, number, "expected [user@]host[:port] and at most a platform");
      return;
    }
    if (spec.front() == '[' && spec.back() == ']' && spec.find(':') == std::string_view::npos) {
      problems_.add(source_, number,
                    fmt::format("'{}' is a section: Ansible INI files are not read; write one host "
                                "a line",
                                shown(spec)));
      return;
    }
    add(spec, platform, number);
  }

  Expected<Inventory> finish() {
    if (problems_.any()) return std::unexpected(problems_.error());
    return std::move(inventory_);
  }

 private:
  void add(std::string_view spec, std::string_view platform, std::size_t number) {
    const auto parsed = parse_host_text(spec);
    if (!parsed) return problems_.add(source_, number, parsed.error().message);
    if (!platform.empty()) {
      if (const auto checked = check_label(platform, "platform"); !checked) {
        return problems_.add(source_, number, checked.error().message);
      }
    }
    // A host is called by its address; a port, and a user where needed, tell two apart.
    std::string name(parsed->address);
    if (parsed->port != 0) {
      const bool is_ipv6 = parsed->address.find(':') != std::string_view::npos;
      name = is_ipv6 ? fmt::format("[{}]:{}", parsed->address, parsed->port)
                     : fmt::format("{}:{}", parsed->address, parsed->port);
    }
    std::uint32_t first = names_.find(name);
    if (first != NameTable::kNone && inventory_.hosts[first].user != parsed->user &&
        !parsed->user.empty()) {
      name = fmt::format("{}@{}", parsed->user, name);
      first = names_.find(name);
    }
    if (first != NameTable::kNone) return repeated(name, number, lines_[first]);
    Host& host = inventory_.hosts.emplace_back();
    host.name = name;
    host.address = name == parsed->address ? host.name : SharedText(parsed->address);
    host.port = parsed->port;
    host.user = pool_(parsed->user);
    host.platform = pool_(platform);
    lines_.push_back(static_cast<std::uint32_t>(number));
    names_.add(static_cast<std::uint32_t>(inventory_.hosts.size() - 1));
  }

  void repeated(const std::string& name, std::size_t number, std::uint32_t first) {
    if (inventory_.warnings.size() >= kMaxWarnings) return;
    inventory_.warnings.push_back(fmt::format("{}:{}: host {} was given before (line {}); ignored",
                                              source_, number, name, first));
  }

  const std::string& source_;
  Inventory inventory_;
  NameTable names_;
  std::vector<std::uint32_t> lines_;  // of each host
  TextPool pool_;
  Problems problems_;
};

}  // namespace

Expected<Inventory> parse_text_inventory(std::string_view text, const std::string& source) {
  if (const auto is_text = strip_bom(text, source); !is_text) {
    return std::unexpected(is_text.error());
  }
  TextReader reader(text, source);
  std::size_t number = 0;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    reader.line(line, ++number);
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return reader.finish();
}

}  // namespace netfleet

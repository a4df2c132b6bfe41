// dispatcher/inventory: CSV with a header line. Columns that are not known are the host's data.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>

#include "common/host_text.h"
#include "common/problems.h"
#include "common/ssh_algorithms.h"
#include "dispatcher/inventory/csv_records.h"
#include "dispatcher/inventory/jumps.h"
#include "dispatcher/inventory/limit_lists.h"
#include "dispatcher/inventory/name_table.h"
#include "dispatcher/inventory/parsers.h"
#include "dispatcher/inventory/passwords.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxWarnings = 1000;

enum class Column : std::uint8_t {
  kData,
  kName,
  kAddress,
  kPort,
  kUser,
  kPassword,
  kPlatform,
  kRegion,
  kGroups,
  kCredential,
  kLimits,
  kJump,
  kAlgorithms,
  kIgnored,
};

struct ColumnName {
  std::string_view name;
  Column column;
};

constexpr std::array kColumns = {
    ColumnName{"port", Column::kPort},
    ColumnName{"user", Column::kUser},
    ColumnName{"username", Column::kUser},
    ColumnName{"password", Column::kPassword},
    ColumnName{"platform", Column::kPlatform},
    ColumnName{"device_type", Column::kPlatform},
    ColumnName{"region", Column::kRegion},
    ColumnName{"groups", Column::kGroups},
    ColumnName{"group", Column::kGroups},
    ColumnName{"credential", Column::kCredential},
    ColumnName{"limits", Column::kLimits},
    ColumnName{"jump", Column::kJump},
    ColumnName{"kex", Column::kAlgorithms},
    ColumnName{"ciphers", Column::kAlgorithms},
    ColumnName{"macs", Column::kAlgorithms},
    ColumnName{"host_key_algorithms", Column::kAlgorithms},
    ColumnName{"public_key_algorithms", Column::kAlgorithms},
    // Secrets that must not become data.
    ColumnName{"secret", Column::kIgnored},
    ColumnName{"enable_password", Column::kIgnored},
    ColumnName{"enable_secret", Column::kIgnored},
    ColumnName{"passphrase", Column::kIgnored},
};
// The first of them that is there names the host, the first other one is its address.
constexpr std::array<std::string_view, 3> kNames = {"name", "hostname", "host"};
constexpr std::array<std::string_view, 5> kAddresses = {"address", "ip", "ip_address", "host",
                                                        "hostname"};

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return result;
}

char delimiter_of(std::string_view line) {
  return std::ranges::count(line, ';') > std::ranges::count(line, ',') ? ';' : ',';
}

std::string_view first_record_line(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    const std::size_t begin = line.find_first_not_of(" \t\r");
    if (begin != std::string_view::npos && line[begin] != '#') return line;
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return {};
}

struct Header {
  std::vector<std::string> names;  // as written, for data keys
  std::vector<Column> columns;
  bool names_host = false;
};

Header read_header(const std::vector<std::string>& fields) {
  Header header;
  header.names = fields;
  std::vector<std::string> keys;
  for (const std::string& field : fields) {
    keys.push_back(lower(field));
    const auto known =
        std::ranges::find(kColumns, std::string_view(keys.back()), &ColumnName::name);
    header.columns.push_back(known != kColumns.end() ? known->column : Column::kData);
  }
  const auto assign = [&](const auto& candidates, Column column) {
    for (const std::string_view candidate : candidates) {
      const auto at = static_cast<std::size_t>(std::ranges::find(keys, candidate) - keys.begin());
      if (at == keys.size() || header.columns[at] != Column::kData) continue;
      header.columns[at] = column;
      header.names_host = true;
      return;
    }
  };
  assign(kNames, Column::kName);
  assign(kAddresses, Column::kAddress);
  return header;
}

// Whether two hosts of one name are two devices: the same address in two networks.
bool is_another(const Host& one, const Host& other) {
  return one.region != other.region || one.jump != other.jump;
}

// One row while it is read.
struct Row {
  Host host;
  std::string_view password;
  std::size_t line;
  SshOptions ssh;
};

class CsvReader {
 public:
  CsvReader(const std::string& source, Header header)
      : source_(source), header_(std::move(header)), names_(inventory_.hosts) {}

  void row(const std::vector<std::string>& fields, std::size_t line) {
    if (fields.size() > header_.columns.size()) {
      return problems_.add(source_, line,
                           fmt::format("{} fields, but the header has {} columns", fields.size(),
                                       header_.columns.size()));
    }
    Row row{{}, {}, line, {}};
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (fields[i].empty()) continue;
      if (const auto set = set_field(row, i, fields[i]); !set) {
        return problems_.add(source_, line, set.error().message);
      }
    }
    if (const auto named = complete(row); !named) {
      return problems_.add(source_, line, named.error().message);
    }
    add(std::move(row), line);
  }

  void problem(std::size_t line, const Error& error) {
    problems_.add(source_, line, error.message);
  }
  void warn(std::string warning) {
    if (inventory_.warnings.size() < kMaxWarnings) {
      inventory_.warnings.push_back(std::move(warning));
    }
  }

  Expected<Inventory> finish() {
    if (problems_.any()) return std::unexpected(problems_.error());
    inventory_.passwords = passwords_.take();
    inventory_.limit_references = limits_.take_references();
    inventory_.limit_lists = limits_.take_lists();
    inventory_.jump_references = jumps_.take();
    return std::move(inventory_);
  }

 private:
  Expected<void> set_field(Row& row, std::size_t column, const std::string& value) {
    Host& host = row.host;
    const auto label = [&](SharedText& target, std::string_view what) {
      target = pool_(value);
      return check_label(value, what);
    };
    switch (header_.columns[column]) {
      case Column::kName:
        host.name = value;
        return check_host_name(value);
      case Column::kAddress:
        host.address = value;
        return {};
      case Column::kPort: {
        const auto port = parse_port(value);
        if (!port) return std::unexpected(port.error());
        host.port = *port;
        return {};
      }
      case Column::kUser:
        host.user = pool_(value);
        return check_user(value);
      case Column::kPassword:
        row.password = value;
        return {};
      case Column::kPlatform:
        return label(host.platform, "platform");
      case Column::kRegion:
        return label(host.region, "region");
      case Column::kCredential:
        host.credential = pool_(value);
        return check_credential_name(value);
      case Column::kGroups:
        return each_word(value, [&](std::string_view group) -> Expected<void> {
          if (const auto checked = check_label(group, "group"); !checked) return checked;
          if (std::ranges::find(host.groups, group) == host.groups.end()) {
            host.groups.edit().emplace_back(group);
          }
          return {};
        });
      case Column::kLimits:
        return set_limits(row, value);
      case Column::kJump: {
        const auto route = parse_typed_route(value);
        if (!route) return std::unexpected(route.error());
        host.jump = pool_(*route);
        jumps_.add(host.jump, source_, row.line);
        return {};
      }
      case Column::kAlgorithms: {
        const AlgorithmKind kind = algorithm_field(lower(header_.names[column]))->kind;
        std::string& list = row.ssh[kind] = value;
        std::ranges::replace(list, ';', ',');
        return check_algorithms(kind, list);
      }
      case Column::kData:
        if (header_.names[column].empty()) return {};
        host.data.edit()[header_.names[column]] = value;
        return {};
      case Column::kIgnored:
        return {};
    }
    return {};
  }

  // The words of a field that holds several, separated by ';'.
  template <typename Take>
  static Expected<void> each_word(std::string_view value, Take take) {
    while (!value.empty()) {
      std::string_view word = value.substr(0, value.find(';'));
      value.remove_prefix(std::min(value.size(), word.size() + 1));
      word.remove_prefix(std::min(word.size(), word.find_first_not_of(' ')));
      word = word.substr(0, word.find_last_not_of(' ') + 1);
      if (word.empty()) continue;
      if (const Expected<void> taken = take(word); !taken) return taken;
    }
    return {};
  }

  Expected<void> set_limits(Row& row, std::string_view value) {
    std::vector<std::uint16_t> numbers;
    const auto read = each_word(value, [&](std::string_view name) -> Expected<void> {
      const auto number = limits_.name(name, source_, row.line);
      if (!number) return std::unexpected(number.error());
      numbers.push_back(*number);
      return {};
    });
    if (!read) return read;
    const auto list = limits_.list(std::move(numbers));
    if (!list) return std::unexpected(list.error());
    row.host.limits = *list;
    return {};
  }

  // Name and address stand in for each other; an address may bring its port, and a name that is the
  // address its user too.
  Expected<void> complete(Row& row) {
    Host& host = row.host;
    if (host.name.empty() && host.address.empty()) return fail("neither a name nor an address");
    const bool name_only = host.address.empty();
    const auto parsed = parse_host_text(name_only ? host.name : host.address);
    if (!parsed) return std::unexpected(parsed.error());
    if (host.port == 0) host.port = parsed->port;
    if (host.user.empty()) host.user = pool_(parsed->user);
    const std::string address(parsed->address);
    if (host.name.empty()) host.name = host.address;
    host.address = host.name == address ? host.name : SharedText(address);
    return {};
  }

  void add(Row row, std::size_t line) {
    if (const std::uint32_t first = names_.find(row.host.name); first != NameTable::kNone) {
      if (is_another(row.host, inventory_.hosts[first])) {
        return problems_.add(
            source_, line,
            fmt::format("host {} was given before (line {}) with another {}: two "
                        "devices need two names (column 'name')",
                        shown(row.host.name), lines_[first],
                        row.host.region == inventory_.hosts[first].region ? "way over jump hosts"
                                                                          : "region"));
      }
      return warn(fmt::format("{}:{}: host {} was given before (line {}); ignored", source_, line,
                              shown(row.host.name), lines_[first]));
    }
    if (!row.password.empty() && row.host.credential.empty()) {
      auto name = passwords_.name_of(row.password);
      if (!name) return problems_.add(source_, line, name.error().message);
      row.host.credential = pool_(*name);
    }
    row.host.ssh_options = pool_(to_text(row.ssh));
    inventory_.hosts.push_back(std::move(row.host));
    lines_.push_back(static_cast<std::uint32_t>(line));
    names_.add(static_cast<std::uint32_t>(inventory_.hosts.size() - 1));
  }

  const std::string& source_;
  Header header_;
  Inventory inventory_;
  NameTable names_;
  Passwords passwords_;
  LimitLists limits_;
  JumpReferences jumps_;
  std::vector<std::uint32_t> lines_;  // of each host
  TextPool pool_;
  Problems problems_;
};

}  // namespace

bool is_csv_header(std::string_view line) {
  CsvRecords records(line, delimiter_of(line));
  std::vector<std::string> fields;
  const auto read = records.next(fields);
  return read && *read && fields.size() > 1 && read_header(fields).names_host;
}

Expected<Inventory> parse_csv_inventory(std::string_view text, const std::string& source) {
  if (const auto is_text = strip_bom(text, source); !is_text) {
    return std::unexpected(is_text.error());
  }
  CsvRecords records(text, delimiter_of(first_record_line(text)));
  std::vector<std::string> fields;
  const auto first = records.next(fields);
  if (!first) return fail(fmt::format("{}:{}: {}", source, records.line(), first.error().message));
  if (!*first) return Inventory{};
  Header header = read_header(fields);
  if (!header.names_host) {
    return fail(
        fmt::format("{}:{}: the header names no column for the host: expected name, host, "
                    "hostname, address or ip",
                    source, records.line()));
  }
  CsvReader reader(source, header);
  for (std::size_t i = 0; i < header.columns.size(); ++i) {
    if (header.columns[i] != Column::kIgnored) continue;
    reader.warn(
        fmt::format("{}:{}: column '{}' is not used: give the enable password with "
                    "--enable-password-env, -file or -command",
                    source, records.line(), header.names[i]));
  }
  while (true) {
    const auto more = records.next(fields);
    if (!more) {
      reader.problem(records.line(), more.error());
    } else if (!*more) {
      break;
    } else {
      reader.row(fields, records.line());
    }
  }
  return reader.finish();
}

}  // namespace netfleet

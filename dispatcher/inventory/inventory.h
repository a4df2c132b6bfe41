// dispatcher/inventory: who. The hosts of a sweep after parsing and inheritance, in the order of
// their source. Pure values: the readers (text, CSV, YAML) make them, select() narrows them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/jump_reader.h"
#include "common/on_demand.h"
#include "common/secret.h"
#include "common/shared_text.h"

namespace netfleet {

// A cap on sessions at once and on logins per second, shared by all hosts under it: those that name
// it, and those in its group, region or behind its jump host.
struct NamedLimit {
  std::string name;
  std::string group;  // at most one of group, region and jump
  std::string region;
  std::string jump;
  bool everybody = false;        // all hosts are under it
  std::uint32_t sessions = 0;    // 0: any number
  double logins_per_second = 0;  // 0: as fast as can be
  std::uint32_t burst = 1;       // logins that may come together
  std::string place;             // "file:line", for messages
  bool operator==(const NamedLimit&) const = default;
};

// Of a limit that names none: what a tenth of a second brings, at least 1.
std::uint32_t default_burst(double logins_per_second);

// The name of a limit as hosts list it.
struct LimitReference {
  std::string name;
  std::string place;  // "file:line" where it is read first
};

// The name of a jump host on some host's route.
struct JumpReference {
  std::string name;
  std::string place;  // "file:line" where it is read first
};

// One device that is logged in to. Empty strings and port 0 mean "the inventory does not say": the
// command line's value or the default is used.
struct Host {
  SharedText name;     // unique within an inventory
  SharedText address;  // name or IP literal without brackets; equals `name` when not given
  std::uint16_t port = 0;
  std::uint16_t limits = 0;  // index into Inventory::limit_lists
  SharedText user;
  SharedText platform;
  SharedText region;
  SharedText jump;         // a route of common/jump_host.h; "none": directly
  SharedText credential;   // the name of a credential; may be one of Inventory::passwords
  SharedText ssh_options;  // its own, of common/ssh_algorithms.h, as text
  // All of them, nearest first, parents of parents included.
  OnDemand<std::vector<std::string>> groups;
  // Effective; nested keys joined with '.'.
  OnDemand<std::map<std::string, std::string>> data;
};

struct Inventory {
  std::vector<Host> hosts;
  // Passwords that the inventory itself holds (Nornir's `password`), by the generated credential
  // name that hosts refer to ("inventory:1", ...): one entry for each distinct password, together
  // with that of privileged mode.
  std::map<std::string, std::shared_ptr<const Secret>> passwords;
  // Those of privileged mode (Netmiko's `secret`), for some of the same names.
  std::map<std::string, std::shared_ptr<const Secret>> enable_passwords;
  std::vector<NamedLimit> limits;
  std::vector<LimitReference> limit_references;  // each name once
  // The distinct lists of limits that hosts are under; [0] is the empty one. As read, their numbers
  // are positions in limit_references; after resolve_limits(), in limits.
  std::vector<std::vector<std::uint16_t>> limit_lists{{}};
  std::vector<JumpDefinition> jumps;
  std::vector<JumpReference> jump_references;  // each name once
  std::vector<std::string> warnings;  // "file:line: ..." for what was ignored (a repeated host)
};

// One message for all that is wrong, a line each ("file:line: ..."), at most 20 and "... and N
// more". Reads `path`: a text file, CSV (by .csv or a header line), YAML file, a directory with
// hosts.yaml (+ groups.yaml, defaults.yaml, limits.yaml, jumps.yaml), or "-" for standard input.
// Bounds: see readers.
Expected<Inventory> read_inventory(const std::string& path);

// Hosts from -H: comma-separated [user@]host[:port].
Expected<Inventory> inventory_from_arguments(const std::vector<std::string>& arguments);

// Appends `more` to `inventory`; a host that is there already is left out with a warning.
void merge_inventory(Inventory& inventory, Inventory more);

// Puts each host under all of its limits: those that it lists, and those of its groups and region,
// whichever inventory they came from; those of its jump hosts come later (jumps.h). Once, after the
// last merge. The error names limits that nobody defined; a limit that no host is under is a
// warning.
Expected<void> resolve_limits(Inventory& inventory);

// The hosts that a limit expression selects, in order. Grammar in limit.h. An expression that
// names an unknown host or group is an error; one that selects nothing is not.
Expected<std::vector<Host>> select_hosts(std::vector<Host> hosts, const std::string& expression);

}  // namespace netfleet

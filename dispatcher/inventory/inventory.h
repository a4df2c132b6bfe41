// dispatcher/inventory: who. The hosts of a sweep after parsing and inheritance, in the order of
// their source. Pure values: the readers (text, CSV, YAML) make them, select() narrows them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/secret.h"

namespace netfleet {

// One device that is logged in to. Empty strings and port 0 mean "the inventory does not say": the
// command line's value or the default is used.
struct Host {
  std::string name;     // unique within an inventory
  std::string address;  // name or IP literal without brackets; equals `name` when not given
  std::uint16_t port = 0;
  std::string user;
  std::string platform;
  std::string region;
  std::string credential;           // the name of a credential; may be one of Inventory::passwords
  std::vector<std::string> groups;  // all of them, nearest first, parents of parents included
  std::map<std::string, std::string> data;  // effective; nested keys joined with '.'
};

struct Inventory {
  std::vector<Host> hosts;
  // Passwords that the inventory itself holds (Nornir's `password`), by the generated credential
  // name that hosts refer to ("inventory:1", ...): one entry for each distinct password.
  std::map<std::string, std::shared_ptr<const Secret>> passwords;
  std::vector<std::string> warnings;  // "file:line: ..." for what was ignored (a repeated host)
};

// One message for all that is wrong, a line each ("file:line: ..."), at most 20 and "... and N
// more". Reads `path`: a text file, CSV (by .csv or a header line), YAML file, a directory with
// hosts.yaml
// (+ groups.yaml, defaults.yaml), or "-" for standard input. Limits: see readers.
Expected<Inventory> read_inventory(const std::string& path);

// Hosts from -H: comma-separated [user@]host[:port].
Expected<Inventory> inventory_from_arguments(const std::vector<std::string>& arguments);

// Appends `more` to `inventory`; a host that is there already is left out with a warning.
void merge_inventory(Inventory& inventory, Inventory more);

// The hosts that a limit expression selects, in order. Grammar in limit.h. An expression that
// names an unknown host or group is an error; one that selects nothing is not.
Expected<std::vector<Host>> select_hosts(std::vector<Host> hosts, const std::string& expression);

}  // namespace netfleet

// tests/fuzz: the inventory's pure parsers. The first byte says which one gets the rest. Checks
// what every accepted input promises: names are unique, addresses are there, credentials are known.
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "common/check.h"
#include "dispatcher/inventory/ansible_inventory.h"
#include "dispatcher/inventory/inventory.h"
#include "dispatcher/inventory/jumps.h"
#include "dispatcher/inventory/parsers.h"

namespace netfleet {
namespace {

// Where every name is defined and nothing is a loop, every way has its limits.
void check_ways(Inventory inventory) {
  if (!resolve_limits(inventory) || !resolve_jumps(inventory, false)) return;
  CHECK(limit_jumps(inventory, hosts_of(inventory.jumps), inventory.hosts, true));
  for (const Host& host : inventory.hosts) CHECK(host.limits < inventory.limit_lists.size());
}

void check(const Expected<Inventory>& inventory) {
  if (!inventory) {
    CHECK(!inventory.error().message.empty());
    return;
  }
  std::set<std::string_view> names;
  for (const Host& host : inventory->hosts) {
    CHECK(!host.name.empty());
    CHECK(!host.address.empty());
    CHECK(names.insert(host.name).second);
    CHECK(!host.credential.view().starts_with("inventory:") ||
          inventory->passwords.contains(host.credential.str()));
    CHECK(host.jump.empty() || host.jump == kNoJump || parse_jump_route(host.jump));
  }
  check_ways(*inventory);
}

std::vector<Host> sample_hosts() {
  const auto inventory = parse_csv_inventory(
      "name,platform,region,groups,site\nedge-1,ios,eu,a;b,x\n[::1]:22,eos,us,b,y\n", "sample");
  CHECK(inventory.has_value());
  return inventory->hosts;
}

void check_limit(const std::string& expression) {
  const auto all = sample_hosts();
  const auto some = select_hosts(all, expression);
  if (!some) return;
  // What an expression selects and what its negation selects are all hosts together.
  const auto others = select_hosts(all, "not (" + expression + ")");
  if (others) CHECK(some->size() + others->size() == all.size());
}

}  // namespace
}  // namespace netfleet

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace netfleet;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 't':
      check(parse_text_inventory(text, "f"));
      break;
    case 'c':
      check(parse_csv_inventory(text, "f"));
      break;
    case 'y':
      check(parse_yaml_inventory({"f", text}));
      break;
    case 'n':
      check(parse_netmiko_inventory(text, "f"));
      break;
    case 'a':
      check(
          parse_ansible_inventory(text, "f", [](const std::string& host) -> Expected<std::string> {
            if (host.starts_with('-')) return fail("it ends with status 1");
            return "{\"ansible_host\": \"192.0.2.1\", \"site\": {\"rack\": [1, \"" + host + "\"]}}";
          }));
      break;
    case 'l':
      check_limit(std::string(text));
      break;
    default:
      sniff_format(text);
  }
  return 0;
}

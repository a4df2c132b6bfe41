// dispatcher/inventory: the JSON that an Ansible dynamic inventory prints. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "common/error.h"
#include "dispatcher/inventory/inventory.h"

namespace netfleet {

// What the program prints for `--host NAME`; asked only if its list has no `_meta`.
using AskHost = std::function<Expected<std::string>(const std::string& host)>;

// Groups with hosts, vars and children, and `_meta.hostvars`. Variables are inherited as Ansible
// does: deeper groups win, among equals the later name, a host's own always. ansible_host, _port,
// _user, _network_os, _password and with it _become_password are the host's; what else begins with
// ansible_ is left out, all other variables are data. Hosts come in the order of the group `all`,
// then of the other groups by name. A message never shows a value. Who is in no group is no host.
Expected<Inventory> parse_ansible_inventory(std::string_view json, const std::string& source,
                                            const AskHost& ask_host);

}  // namespace netfleet

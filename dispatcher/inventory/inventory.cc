#include "dispatcher/inventory/inventory.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/problems.h"
#include "dispatcher/inventory/name_table.h"
#include "dispatcher/inventory/parsers.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxWarnings = 1000;

// The password of privileged mode that belongs to one; empty: none.
std::string_view enable_password_of(const Inventory& inventory, const std::string& name) {
  const auto found = inventory.enable_passwords.find(name);
  return found == inventory.enable_passwords.end() ? "" : found->second->reveal();
}

// Adds the passwords of `more` under names that are free in `inventory`, and tells by which name
// each is known there. The same password gets the same name.
std::map<std::string, SharedText, std::less<>> merge_passwords(Inventory& inventory,
                                                               Inventory& more) {
  std::map<std::string, SharedText, std::less<>> renamed;
  for (auto& [name, secret] : more.passwords) {
    const auto same = std::ranges::find_if(inventory.passwords, [&](const auto& entry) {
      return entry.second->reveal() == secret->reveal() &&
             enable_password_of(inventory, entry.first) == enable_password_of(more, name);
    });
    if (same != inventory.passwords.end()) {
      renamed[name] = same->first;
      continue;
    }
    const std::string free = fmt::format("inventory:{}", inventory.passwords.size() + 1);
    inventory.passwords.emplace(free, std::move(secret));
    if (const auto enable = more.enable_passwords.find(name);
        enable != more.enable_passwords.end()) {
      inventory.enable_passwords.emplace(free, std::move(enable->second));
    }
    renamed[name] = free;
  }
  return renamed;
}

// Adds the limits of `more` and the lists of them that its hosts have, and tells the number of each
// of those lists in `inventory`.
std::vector<std::uint16_t> merge_limits(Inventory& inventory, Inventory& more) {
  for (NamedLimit& limit : more.limits) {
    const auto same = std::ranges::find(inventory.limits, limit.name, &NamedLimit::name);
    if (same == inventory.limits.end()) {
      inventory.limits.push_back(std::move(limit));
    } else {
      inventory.warnings.push_back(fmt::format("{}: limit '{}' was given before ({}); ignored",
                                               limit.place, shown(limit.name), same->place));
    }
  }
  std::vector<std::uint16_t> names;
  for (LimitReference& reference : more.limit_references) {
    const auto same =
        std::ranges::find(inventory.limit_references, reference.name, &LimitReference::name);
    names.push_back(static_cast<std::uint16_t>(same - inventory.limit_references.begin()));
    if (same == inventory.limit_references.end()) {
      inventory.limit_references.push_back(std::move(reference));
    }
  }
  std::vector<std::uint16_t> lists{0};
  for (std::size_t i = 1; i < more.limit_lists.size(); ++i) {
    auto& list = more.limit_lists[i];
    for (std::uint16_t& number : list) number = names[number];
    lists.push_back(static_cast<std::uint16_t>(inventory.limit_lists.size()));
    inventory.limit_lists.push_back(std::move(list));
  }
  return lists;
}

// Adds the jump hosts of `more`, and the names that its hosts' routes have.
void merge_jumps(Inventory& inventory, Inventory& more) {
  for (JumpDefinition& jump : more.jumps) {
    const auto name = [&](const JumpDefinition& known) {
      return known.host.name == jump.host.name;
    };
    const auto same = std::ranges::find_if(inventory.jumps, name);
    if (same == inventory.jumps.end()) {
      inventory.jumps.push_back(std::move(jump));
    } else {
      inventory.warnings.push_back(fmt::format("{}: jump host '{}' was given before ({}); ignored",
                                               jump.place, shown(jump.host.name), same->place));
    }
  }
  for (JumpReference& reference : more.jump_references) {
    const auto same =
        std::ranges::find(inventory.jump_references, reference.name, &JumpReference::name);
    if (same == inventory.jump_references.end()) {
      inventory.jump_references.push_back(std::move(reference));
    }
  }
}

}  // namespace

Expected<Inventory> inventory_from_arguments(const std::vector<std::string>& arguments) {
  std::string lines;
  for (std::string argument : arguments) {
    if (argument.find_first_of(" \t\r\n#") != std::string::npos) {
      return fail(fmt::format("--host: '{}' holds a blank or '#'; separate hosts by commas",
                              shown(argument)));
    }
    std::ranges::replace(argument, ',', '\n');
    lines += argument + '\n';
  }
  // "--host:2:" in a message or warning is the second host.
  return parse_text_inventory(lines, "--host");
}

void merge_inventory(Inventory& inventory, Inventory more) {
  if (inventory.hosts.empty() && inventory.passwords.empty() && inventory.limits.empty() &&
      inventory.jumps.empty()) {
    std::vector<std::string> warnings = std::move(inventory.warnings);
    inventory = std::move(more);
    inventory.warnings.insert(inventory.warnings.begin(), std::make_move_iterator(warnings.begin()),
                              std::make_move_iterator(warnings.end()));
    return;
  }
  const auto renamed = merge_passwords(inventory, more);
  const auto limit_lists = merge_limits(inventory, more);
  merge_jumps(inventory, more);
  std::ranges::move(more.warnings, std::back_inserter(inventory.warnings));
  NameTable names(inventory.hosts);
  for (Host& host : more.hosts) {
    if (names.find(host.name) != NameTable::kNone) {
      if (inventory.warnings.size() < kMaxWarnings) {
        const Host& first = inventory.hosts[names.find(host.name)];
        const bool another = first.region != host.region || first.jump != host.jump;
        inventory.warnings.push_back(fmt::format(
            "host {} was given before, in an earlier inventory{}; ignored", host.name,
            another ? " with another region or way over jump hosts: two devices need two names"
                    : ""));
      }
      continue;
    }
    if (const auto other = renamed.find(host.credential); other != renamed.end()) {
      host.credential = other->second;
    }
    host.limits = limit_lists[host.limits];
    inventory.hosts.push_back(std::move(host));
    names.add(static_cast<std::uint32_t>(inventory.hosts.size() - 1));
  }
}

}  // namespace netfleet

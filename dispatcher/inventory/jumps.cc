#include "dispatcher/inventory/jumps.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "common/problems.h"
#include "dispatcher/inventory/limit_lists.h"

namespace netfleet {
namespace {

constexpr std::size_t kMostShown = 20;

// Lines of one message, the first few.
class Lines {
 public:
  void add(const std::string& line) {
    if (++count_ > kMostShown) return;
    text_.append(text_.empty() ? "" : "\n").append(line);
  }
  Expected<void> result() {
    if (count_ == 0) return {};
    if (count_ > kMostShown) add_more();
    return fail(std::move(text_));
  }

 private:
  void add_more() { text_ += fmt::format("\n... and {} more", count_ - kMostShown); }

  std::string text_;
  std::size_t count_ = 0;
};

std::string near(std::string_view name, const JumpHosts& known) {
  for (const auto& [candidate, host] : known) {
    if (is_near(name, candidate)) return fmt::format(", did you mean '{}'?", shown(candidate));
  }
  return "";
}

// The limits of jump hosts, by their name.
using JumpLimits = std::map<std::string, std::vector<std::uint16_t>, std::less<>>;

// The limits of all jump hosts that a route may lead over.
Expected<std::vector<std::uint16_t>> limits_on(std::string_view route, const JumpHosts& jumps,
                                               const JumpLimits& limits) {
  auto tiers = parse_jump_route(route);
  if (!tiers) return std::unexpected(tiers.error());
  std::vector<std::uint16_t> numbers;
  for (auto& tier : *tiers) {
    for (JumpChain& chain : tier) {
      auto whole = whole_chain(std::move(chain), jumps);
      if (!whole) return std::unexpected(whole.error());
      for (const std::string_view name : *whole) {
        const auto found = limits.find(name);
        if (found == limits.end()) continue;
        numbers.insert(numbers.end(), found->second.begin(), found->second.end());
      }
    }
  }
  return numbers;
}

}  // namespace

void JumpReferences::add(std::string_view route, std::string_view source, std::size_t line) {
  if (route.empty() || route == kNoJump || !routes_.emplace(route).second) return;
  const auto tiers = parse_jump_route(route);
  if (!tiers) return;  // its reader has said so
  for (const auto& tier : *tiers) {
    for (const JumpChain& chain : tier) {
      for (const std::string_view name : chain) {
        if (!names_.emplace(name).second) continue;
        references_.push_back({std::string(name), fmt::format("{}:{}", source, line)});
      }
    }
  }
}

Expected<std::string> parse_typed_route(std::string_view text) {
  if (text == kNoJump) return std::string(text);
  std::string route;
  std::size_t begin = 0;
  while (true) {
    const auto end = std::min(text.find_first_of("|;", begin), text.size());
    auto chain = parse_typed_chain(text.substr(begin, end - begin));
    if (!chain) return chain;
    route += *chain;
    if (end == text.size()) break;
    route += text[end] == ';' ? ',' : '|';
    begin = end + 1;
  }
  if (auto parsed = parse_jump_route(route); !parsed) return std::unexpected(parsed.error());
  return route;
}

JumpHosts hosts_of(std::span<const JumpDefinition> jumps) {
  JumpHosts hosts;
  for (const JumpDefinition& jump : jumps) hosts.emplace(jump.host.name, jump.host);
  return hosts;
}

Expected<void> resolve_jumps(Inventory& inventory, bool workers_know) {
  if (inventory.jumps.size() > kMaxJumpHosts) {
    return fail(fmt::format("more than {} jump hosts", kMaxJumpHosts));
  }
  const JumpHosts known = hosts_of(inventory.jumps);
  Lines wrong;
  const auto miss = [&](std::string_view name, const std::string& place) {
    if (known.contains(name)) return;
    if (workers_know) {
      inventory.warnings.push_back(
          fmt::format("{}: jump host '{}' is not defined here{}: workers need it in a file of "
                      "their own (--jumps)",
                      place, shown(name), near(name, known)));
    } else {
      wrong.add(fmt::format("{}: unknown jump host '{}'{}", place, shown(name),
                            known.empty() ? " (no jump hosts are defined: 'jumps:' beside 'hosts:')"
                                          : near(name, known)));
    }
  };
  for (const JumpReference& reference : inventory.jump_references) {
    miss(reference.name, reference.place);
  }
  for (const JumpDefinition& jump : inventory.jumps) {
    if (jump.host.via.empty()) continue;
    const auto via = parse_jump_chain(jump.host.via);
    if (!via) return std::unexpected(via.error());
    for (const std::string_view name : *via) miss(name, jump.place);
    if (auto whole = whole_chain({jump.host.name}, known); !whole) {
      wrong.add(fmt::format("{}: {}", jump.place, whole.error().message));
    }
  }
  return wrong.result();
}

Expected<void> limit_jumps(Inventory& inventory, const JumpHosts& jumps, std::span<Host> hosts,
                           bool all) {
  JumpLimits limits;
  for (std::uint16_t i = 0; i < inventory.limits.size(); ++i) {
    if (!inventory.limits[i].jump.empty()) limits[inventory.limits[i].jump].push_back(i);
  }
  if (limits.empty()) return {};
  LimitLists lists(std::move(inventory.limit_lists));
  std::map<std::pair<std::uint16_t, std::string_view>, std::uint16_t> made;
  std::vector<bool> used(inventory.limits.size());
  for (Host& host : hosts) {
    if (host.jump.empty() || host.jump == kNoJump) continue;
    const auto known = made.find({host.limits, host.jump.view()});
    if (known != made.end()) {
      host.limits = known->second;
      continue;
    }
    auto numbers = limits_on(host.jump, jumps, limits);
    if (!numbers) return std::unexpected(numbers.error());
    for (const std::uint16_t number : *numbers) used[number] = true;
    const auto& before = lists.at(host.limits);
    numbers->insert(numbers->end(), before.begin(), before.end());
    const auto list = lists.list(*std::move(numbers));
    if (!list) return std::unexpected(list.error());
    made.emplace(std::pair{host.limits, host.jump.view()}, *list);
    host.limits = *list;
  }
  inventory.limit_lists = lists.take_lists();
  for (const auto& [name, numbers] : limits) {
    for (const std::uint16_t number : numbers) {
      if (!all || used[number]) continue;
      inventory.warnings.push_back(fmt::format("{}: no host is under limit '{}'",
                                               inventory.limits[number].place,
                                               shown(inventory.limits[number].name)));
    }
  }
  return {};
}

}  // namespace netfleet

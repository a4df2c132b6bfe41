#include "common/jump_host.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ranges>
#include <utility>

namespace netfleet {
namespace {

bool is_allowed(char c) {
  return (c < 0 || c >= 0x20) && c != 0x7F && c != ',' && c != '|' && c != '>';
}

template <typename Parse>
Expected<void> split(std::string_view text, char separator, Parse parse) {
  while (true) {
    const auto end = std::min(text.find(separator), text.size());
    if (auto parsed = parse(text.substr(0, end)); !parsed) return parsed;
    if (end == text.size()) return {};
    text.remove_prefix(end + 1);
  }
}

}  // namespace

Expected<void> check_jump_name(std::string_view name) {
  if (name.empty()) return fail("a jump host without a name");
  if (name.size() > kMaxJumpName) {
    return fail(fmt::format("the name of a jump host is longer than {} bytes", kMaxJumpName));
  }
  if (name == "none") return fail("'none' means no jump host and cannot be the name of one");
  if (!std::ranges::all_of(name, is_allowed)) {
    return fail("the name of a jump host holds ',', '|', '>' or a control character");
  }
  return {};
}

Expected<JumpChain> parse_jump_chain(std::string_view text) {
  JumpChain chain;
  auto parsed = split(text, '>', [&](std::string_view name) -> Expected<void> {
    if (chain.size() == kMaxHops)
      return fail(fmt::format("a chain of more than {} hops", kMaxHops));
    chain.push_back(name);
    return check_jump_name(name);
  });
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  return chain;
}

Expected<JumpTiers> parse_jump_route(std::string_view text) {
  if (text.size() > kMaxRouteText) {
    return fail(fmt::format("a route of more than {} bytes", kMaxRouteText));
  }
  JumpTiers tiers;
  std::size_t count = 0;
  auto parsed = split(text, ',', [&](std::string_view tier) {
    auto& alternatives = tiers.emplace_back();
    return split(tier, '|', [&](std::string_view part) -> Expected<void> {
      if (++count > kMaxAlternatives) {
        return fail(fmt::format("a route over more than {} jump hosts", kMaxAlternatives));
      }
      auto chain = parse_jump_chain(part);
      if (!chain) return std::unexpected(std::move(chain.error()));
      alternatives.push_back(*std::move(chain));
      return {};
    });
  });
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  return tiers;
}

std::string to_text(const JumpChain& chain) { return fmt::format("{}", fmt::join(chain, ">")); }

std::string shown_route(std::string_view route) {
  std::string text;
  for (const char c : route) {
    text += c == '>' ? "," : c == '|' ? " or " : c == ',' ? ", else " : std::string(1, c);
  }
  return text;
}

Expected<JumpChain> whole_chain(JumpChain chain, const JumpHosts& hosts) {
  JumpChain outward;  // from the device's side
  const auto add = [&outward](std::string_view name) -> Expected<void> {
    const auto known = std::ranges::find(outward, name);
    if (known != outward.end()) {
      return fail(fmt::format("jump host '{}': a loop: {} -> {}", name,
                              fmt::join(known, outward.end(), " -> "), name));
    }
    if (outward.size() == kMaxHops) {
      return fail(
          fmt::format("jump host '{}': a chain of more than {} hops", outward.front(), kMaxHops));
    }
    outward.push_back(name);
    return {};
  };
  while (true) {
    for (const std::string_view name : chain | std::views::reverse) {
      if (auto added = add(name); !added) return std::unexpected(std::move(added.error()));
    }
    const auto first = hosts.find(outward.back());
    if (first == hosts.end() || first->second.via.empty()) break;
    auto via = parse_jump_chain(first->second.via);
    if (!via) return fail(fmt::format("jump host '{}': {}", first->first, via.error().message));
    chain = *std::move(via);
  }
  std::ranges::reverse(outward);
  return outward;
}

}  // namespace netfleet

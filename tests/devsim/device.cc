#include "tests/devsim/device.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace netfleet::devsim {
namespace {

constexpr std::array<std::pair<std::string_view, Platform>, 7> kPlatforms{{
    {"cisco_ios", Platform::kCiscoIos},
    {"linux", Platform::kLinux},
    {"generic", Platform::kGeneric},
    {"frr_vtysh", Platform::kFrrVtysh},
    {"juniper_junos", Platform::kJuniperJunos},
    {"arista_eos", Platform::kAristaEos},
    {"mikrotik_routeros", Platform::kRouterOs},
}};

constexpr std::array<std::pair<std::string_view, Fault>, 24> kFaults{{
    {"silent", Fault::kSilent},
    {"refuse", Fault::kRefuse},
    {"slow", Fault::kSlow},
    {"banner-garbage", Fault::kBannerGarbage},
    {"close-at-accept", Fault::kCloseAtAccept},
    {"close-at-banner", Fault::kCloseAtBanner},
    {"close-at-kex", Fault::kCloseAtKex},
    {"close-at-auth", Fault::kCloseAtAuth},
    {"drop-auth", Fault::kCloseAtAuth},
    {"close-at-shell", Fault::kCloseAtShell},
    {"close-at-prompt", Fault::kCloseAtPrompt},
    {"close-at-command", Fault::kCloseAtCommand},
    {"hang-at-auth", Fault::kHangAtAuth},
    {"hang-at-shell", Fault::kHangAtShell},
    {"hang-at-prompt", Fault::kHangAtPrompt},
    {"hang-at-command", Fault::kHangAtCommand},
    {"wrong-password", Fault::kWrongPassword},
    {"flood", Fault::kFlood},
    {"garbage-output", Fault::kGarbageOutput},
    {"no-prompt", Fault::kNoPrompt},
    {"prompt-lookalike", Fault::kPromptLookalike},
    {"motd", Fault::kMotd},
    {"split-escapes", Fault::kSplitEscapes},
    {"legacy", Fault::kLegacy},
}};

std::optional<std::size_t> parse_number(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "7" is 7 to 7.
std::pair<std::string_view, std::string_view> split_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return {text, text};
  return {text.substr(0, dash), text.substr(dash + 1)};
}

std::optional<std::uint32_t> parse_address(std::string_view text) {
  in_addr address{};
  if (inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) return std::nullopt;
  return ntohl(address.s_addr);
}

}  // namespace

Expected<Platform> parse_platform(std::string_view name) {
  for (const auto& [known, platform] : kPlatforms) {
    if (known == name) return platform;
  }
  return fail(fmt::format("platform '{}' is none of cisco_ios, linux, generic, frr_vtysh", name));
}

std::string_view platform_name(Platform platform) {
  return kPlatforms[static_cast<std::size_t>(platform)].first;
}

Expected<Selector> Selector::parse(std::string_view text) {
  const std::string_view whole = text;
  Selector selector;
  while (true) {
    const std::size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    if (part == "all") {
      selector.parts_.push_back({.percent = 100});
    } else if (part.ends_with('%')) {
      part.remove_suffix(1);
      const auto percent = parse_number(part);
      if (!percent || *percent < 1 || *percent > 100) {
        return fail(fmt::format("devices '{}': expected 1% to 100%", whole));
      }
      selector.parts_.push_back({.percent = *percent});
    } else {
      const auto [first_text, last_text] = split_range(part);
      const auto first = parse_number(first_text);
      const auto last = parse_number(last_text);
      if (!first || !last || *first < 1 || *last < *first) {
        return fail(fmt::format("devices '{}': expected a number, a range, N% or all", whole));
      }
      selector.parts_.push_back({.first = *first, .last = *last});
    }
    if (comma == std::string_view::npos) return selector;
    text.remove_prefix(comma + 1);
  }
}

bool Selector::matches(std::size_t number) const {
  return std::ranges::any_of(parts_, [number](const Part& part) {
    if (part.percent == 0) return part.first <= number && number <= part.last;
    // The devices at which the count due grows by one.
    return number * part.percent / 100 != (number - 1) * part.percent / 100;
  });
}

Expected<FaultRule> parse_fault_rule(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const auto known =
      std::ranges::find_if(kFaults, [name](const auto& entry) { return entry.first == name; });
  if (known == kFaults.end()) {
    return fail(fmt::format("fault '{}' is none of {}", name, fault_names()));
  }
  if (colon == std::string_view::npos) {
    return fail(
        fmt::format("fault '{}' names no devices: try '{}:1' or '{}:all'", name, name, name));
  }
  auto selector = Selector::parse(text.substr(colon + 1));
  if (!selector) return std::unexpected(selector.error());
  return FaultRule{known->second, std::move(*selector)};
}

std::string fault_names() {
  std::string names;
  for (const auto& [name, fault] : kFaults) {
    if (!names.empty()) names += ", ";
    names += name;
  }
  return names;
}

Expected<std::vector<Endpoint>> parse_endpoints(std::string_view text) {
  const auto wrong = [text](std::string_view why) {
    return fail(fmt::format("listen '{}': {}", text, why));
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong("expected ADDRESS[-ADDRESS]:PORT[-PORT]");
  const auto [first_address_text, last_address_text] = split_range(text.substr(0, colon));
  const auto [first_port_text, last_port_text] = split_range(text.substr(colon + 1));
  const auto first_address = parse_address(first_address_text);
  const auto last_address = parse_address(last_address_text);
  if (!first_address || !last_address) return wrong("an address is not an IPv4 address");
  const auto first_port = parse_number(first_port_text);
  const auto last_port = parse_number(last_port_text);
  if (!first_port || !last_port || *last_port > 65535) return wrong("a port is not 0 to 65535");
  if (*last_address < *first_address || *last_port < *first_port)
    return wrong("ends before it begins");
  const std::size_t addresses = std::size_t{*last_address} - *first_address + 1;
  const std::size_t ports = *last_port - *first_port + 1;
  constexpr std::size_t kMaxEndpoints = 65536;
  if (addresses > kMaxEndpoints || addresses * ports > kMaxEndpoints) {
    return wrong("more than 65536 devices");
  }
  std::vector<Endpoint> endpoints;
  endpoints.reserve(addresses * ports);
  for (std::size_t address = 0; address < addresses; ++address) {
    for (std::size_t port = 0; port < ports; ++port) {
      endpoints.push_back({static_cast<std::uint32_t>(*first_address + address),
                           static_cast<std::uint16_t>(*first_port + port)});
    }
  }
  return endpoints;
}

std::string format_endpoint(Endpoint endpoint) {
  const std::uint32_t address = endpoint.address;
  return fmt::format("{}.{}.{}.{}:{}", address >> 24, (address >> 16) & 255, (address >> 8) & 255,
                     address & 255, endpoint.port);
}

}  // namespace netfleet::devsim

#include "worker/ssh/algorithms.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "worker/ssh/text.h"

namespace netfleet::ssh {
namespace {

bool signs_with(std::string_view algorithm, std::string_view key_type) {
  return algorithm == key_type || (key_type == "ssh-rsa" && algorithm.starts_with("rsa-sha2-"));
}

struct Method {
  std::string_view libssh_name;  // a prefix of it: "encryption client->server"
  AlgorithmKind kind;
};
constexpr Method kMethods[] = {
    {"kex algos", AlgorithmKind::kKeyExchange},
    {"server host key algo", AlgorithmKind::kHostKeys},
    {"encryption", AlgorithmKind::kCiphers},
    {"mac algo", AlgorithmKind::kMacs},
};

bool contains(const std::vector<std::string_view>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// The option that would allow one of the algorithms that the device offers; empty: none does.
std::string way_out(AlgorithmKind kind, std::string_view offered, bool legacy) {
  const std::string known_text = known_algorithms(kind);
  const auto known = split_algorithms(known_text);
  const std::string modern_text = default_algorithms(kind, false);
  const auto modern = split_algorithms(modern_text);
  for (const std::string_view name : split_algorithms(offered)) {
    if (!contains(known, name)) continue;
    const bool old = !legacy && !contains(modern, name);
    return fmt::format(" ({}{} +{} allows it)", old ? "--legacy-algorithms or " : "",
                       info_of(kind).option, name);
  }
  return "";
}

}  // namespace

Expected<SshOptions> read_options(std::string_view text, bool legacy) {
  auto options = parse_ssh_options(text);
  if (!options) return fail("its SSH options are none that this worker knows");
  for (const AlgorithmKindInfo& info : algorithm_kinds()) {
    std::string& list = (*options)[info.kind];
    if (list.empty()) continue;
    auto resolved = resolve_algorithms(info.kind, list, legacy);
    if (!resolved) return std::unexpected(std::move(resolved.error()));
    list = std::move(*resolved);
  }
  return std::move(*options);
}

Algorithms choose_algorithms(bool legacy, const std::vector<std::string>& pinned_types,
                             const SshOptions& wanted) {
  const auto list = [&](AlgorithmKind kind) {
    return wanted[kind].empty() ? default_algorithms(kind, legacy) : wanted[kind];
  };
  std::string host_keys = list(AlgorithmKind::kHostKeys);
  if (!pinned_types.empty()) {
    std::vector<std::string_view> first;
    std::vector<std::string_view> rest;
    for (const std::string_view name : split_algorithms(host_keys)) {
      const bool pinned = std::ranges::any_of(
          pinned_types, [&](const auto& type) { return signs_with(name, type); });
      (pinned ? first : rest).push_back(name);
    }
    first.insert(first.end(), rest.begin(), rest.end());
    host_keys = fmt::format("{}", fmt::join(first, ","));
  }
  return {.key_exchange = list(AlgorithmKind::kKeyExchange),
          .host_keys = std::move(host_keys),
          .ciphers = list(AlgorithmKind::kCiphers),
          .macs = list(AlgorithmKind::kMacs),
          .public_keys = list(AlgorithmKind::kPublicKeys)};
}

std::optional<std::string> explain_mismatch(std::string_view error, bool legacy) {
  constexpr std::string_view kStart = "no match for method ";
  constexpr std::string_view kServer = ": server [";
  const auto start = error.find(kStart);
  if (start == std::string_view::npos) return std::nullopt;
  error.remove_prefix(start + kStart.size());
  const auto colon = error.find(kServer);
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view libssh_name = error.substr(0, colon);
  error.remove_prefix(colon + kServer.size());
  const std::string_view offered = error.substr(0, error.find(']'));  // libssh cuts long texts

  const auto* const method = std::ranges::find_if(
      kMethods, [&](const Method& known) { return libssh_name.starts_with(known.libssh_name); });
  const bool known = method != std::end(kMethods);
  return fmt::format("no common {}: it offers {}{}",
                     known ? info_of(method->kind).what : printable(libssh_name, 40),
                     offered.empty() ? "none" : printable(offered, 400),
                     known ? way_out(method->kind, offered, legacy) : "");
}

}  // namespace netfleet::ssh

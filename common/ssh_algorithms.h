// common: SSH's algorithms by name: which ones netfleet knows, which it offers, and how people
// change that for hosts. No input or output; what is done with them is the business of worker/ssh.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"

namespace netfleet {

enum class AlgorithmKind : std::uint8_t {
  kKeyExchange,
  kCiphers,
  kMacs,
  kHostKeys,
  kPublicKeys,  // for signatures with our own keys
};
inline constexpr std::size_t kAlgorithmKinds = 5;

struct AlgorithmKindInfo {
  AlgorithmKind kind;
  std::string_view what;     // "key exchange method"
  std::string_view option;   // "--kex"
  std::string_view field;    // of inventories: "kex"
  std::string_view keyword;  // of ssh_config, in small letters
};
// In the order of AlgorithmKind.
const std::array<AlgorithmKindInfo, kAlgorithmKinds>& algorithm_kinds();
const AlgorithmKindInfo& info_of(AlgorithmKind kind);
// By the name of an inventory's field; nullptr: it is none of them.
const AlgorithmKindInfo* algorithm_field(std::string_view field);

// The names of a comma-separated list.
std::vector<std::string_view> split_algorithms(std::string_view list);

// All that libssh has (0.10 of Debian 12), and what is offered without more ado: without `legacy`
// nothing that OpenSSH has given up. Comma-separated, the preferred one first.
std::string known_algorithms(AlgorithmKind kind);
std::string default_algorithms(AlgorithmKind kind, bool legacy);

// `wanted` as people write it, made a complete list: "a,b" takes the place of the default, "+a,b"
// goes behind it, "^a,b" before it, "-a,b" is taken out of it (with * and ?). Names that are not
// known are an error that lists those that are; with `unknown` they are put there instead, and only
// an empty result is an error.
Expected<std::string> resolve_algorithms(AlgorithmKind kind, std::string_view wanted, bool legacy,
                                         std::vector<std::string>* unknown = nullptr);

// Whether that is a list to resolve, however the command line chooses.
Expected<void> check_algorithms(AlgorithmKind kind, std::string_view wanted);

// What one host needs of SSH that others do not: lists of algorithms, as people write them or
// resolved, by kind; empty: the default. `refusal`: why it must not be connected to at all.
struct SshOptions {
  std::array<std::string, kAlgorithmKinds> algorithms;
  std::string refusal;
  std::string& operator[](AlgorithmKind kind) { return algorithms[static_cast<std::size_t>(kind)]; }
  const std::string& operator[](AlgorithmKind kind) const {
    return algorithms[static_cast<std::size_t>(kind)];
  }
  bool operator==(const SshOptions&) const = default;
};

// As one text, a line for each that is given ("kex a,b"), so that the many hosts that need the same
// share it; nothing given: empty. Back: nothing for a text that is none.
std::string to_text(const SshOptions& options);
std::optional<SshOptions> parse_ssh_options(std::string_view text);

}  // namespace netfleet

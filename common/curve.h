// common: the keys of the fleet. A key pair belongs to one dispatcher, worker or operator, and its
// holder's name is part of it. Here they are made and compared; curve_files.h keeps them in files,
// wire.h gives them to sockets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/secret.h"

namespace netfleet::curve {

inline constexpr std::size_t kKeyLength = 40;  // Z85 characters of 32 bytes

enum class Role : std::uint8_t { kDispatcher, kWorker, kOperator };

std::string_view role_name(Role role);  // "dispatcher", "worker", "operator"

// Who holds a key.
struct Holder {
  Role role = Role::kWorker;
  std::string name;  // of a dispatcher: "dispatcher"
  bool operator==(const Holder&) const = default;
};

struct KeyPair {
  Holder holder;
  std::string public_key;  // Z85
  Secret secret_key;       // Z85
};

// What the sockets of one process need.
struct Keys {
  std::string public_key;
  Secret secret_key;
  std::string server_key;  // the dispatcher's public key; empty: this is the dispatcher
};

// From 1 to 64 letters, digits, '.', '_' and '-', not '.' or '-' first: it becomes a file's name.
Expected<void> check_name(std::string_view name);

Expected<KeyPair> make_key_pair(Holder holder);

// Whether a text may be a key: its length and its characters.
bool is_key(std::string_view text);

// The public key that belongs to a secret one; an error when the text is no key.
Expected<std::string> public_key_of(const Secret& secret_key);

}  // namespace netfleet::curve

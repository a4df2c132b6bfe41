#include "common/curve.h"

#include <fmt/format.h>
#include <zmq.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/utf8.h"

namespace netfleet::curve {
namespace {

// RFC 32.
constexpr std::string_view kAlphabet =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
constexpr std::string_view kNameCharacters =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-";
constexpr std::size_t kLongestName = 64;

}  // namespace

std::string_view role_name(Role role) {
  constexpr std::array<std::string_view, 3> kNames = {"dispatcher", "worker", "operator"};
  return kNames[static_cast<std::size_t>(role)];
}

Expected<void> check_name(std::string_view name) {
  if (name.empty() || name.size() > kLongestName || name.front() == '.' || name.front() == '-' ||
      name.find_first_not_of(kNameCharacters) != std::string_view::npos) {
    return fail(fmt::format(
        "'{}' is no name for a key: 1 to {} letters, digits, '.', '_', '-'; a letter, digit or '_' "
        "first",
        to_utf8(name), kLongestName));
  }
  return {};
}

Expected<KeyPair> make_key_pair(Holder holder) {
  std::array<char, kKeyLength + 1> public_key{};
  std::array<char, kKeyLength + 1> secret_key{};
  if (zmq_curve_keypair(public_key.data(), secret_key.data()) != 0) {
    return fail(fmt::format("cannot make a key pair: {}", zmq_strerror(zmq_errno())));
  }
  KeyPair pair{std::move(holder), std::string(public_key.data(), kKeyLength),
               Secret({secret_key.data(), kKeyLength})};
  wipe(secret_key.data(), secret_key.size());
  return pair;
}

bool is_key(std::string_view text) {
  return text.size() == kKeyLength && text.find_first_not_of(kAlphabet) == std::string_view::npos;
}

Expected<std::string> public_key_of(const Secret& secret_key) {
  std::array<char, kKeyLength + 1> public_key{};
  if (!is_key(secret_key.reveal()) ||
      zmq_curve_public(public_key.data(), secret_key.c_str()) != 0) {
    return fail("it is no key");
  }
  return std::string(public_key.data(), kKeyLength);
}

}  // namespace netfleet::curve

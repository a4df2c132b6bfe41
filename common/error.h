// common: operating errors as values (a bad file, an address that cannot be bound, a protocol
// violation). Not for programmer errors (check.h) and not for device outcomes (outcome.h).
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace netfleet {

// One operating error. The message says what was attempted, on what, and why it failed; input
// errors start with "file:line: ". It is shown to the user as it is and never holds a secret.
struct Error {
  std::string message;
};

template <typename T>
using Expected = std::expected<T, Error>;

inline std::unexpected<Error> fail(std::string message) {
  return std::unexpected(Error{std::move(message)});
}

}  // namespace netfleet

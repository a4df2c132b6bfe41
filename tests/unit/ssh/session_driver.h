// tests: runs coroutines of a Connection to their end, with a deadline for all of it.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "common/credential.h"
#include "worker/ssh/connection.h"

namespace netfleet::testing {

inline TimePoint in(Nanoseconds time) { return BootClock::now() + time; }

// Runs one coroutine on its io_context and returns what it returns.
template <typename T>
T run_to_end(asio::io_context& context, asio::awaitable<T> coroutine) {
  std::optional<T> result;
  std::exception_ptr thrown;
  asio::co_spawn(context, std::move(coroutine), [&](std::exception_ptr error, T value) {
    thrown = error;
    result = std::move(value);
    context.stop();
  });
  context.restart();
  context.run_for(std::chrono::seconds(120));
  if (thrown) std::rethrow_exception(thrown);
  if (!result) throw std::runtime_error("the coroutine did not end");
  return std::move(*result);
}

inline std::shared_ptr<Credential> with_password(std::string_view password) {
  auto credential = std::make_shared<Credential>();
  credential->password = Secret(password);
  return credential;
}

inline std::unique_ptr<ssh::KnownHosts> no_known_hosts() {
  return std::move(*ssh::KnownHosts::load("", {}));
}

// Reads until `text` was seen.
inline asio::awaitable<ssh::Attempt<std::string>> read_until(ssh::Connection& connection,
                                                             std::string text, TimePoint deadline) {
  std::string seen;
  std::array<char, 32768> buffer;
  while (seen.find(text) == std::string::npos) {
    const std::span<char> space(buffer);
    auto size = co_await connection.read(space, deadline);
    if (!size) co_return std::unexpected(size.error());
    if (*size == 0) {
      co_return std::unexpected(ssh::Failure{Outcome::kDisconnected, "closed after: " + seen});
    }
    seen.append(buffer.data(), *size);
  }
  co_return seen;
}

// A whole session: what a task does. Ends with the first failure, and closes in any case.
struct Session {
  ssh::Target target;
  std::string user;
  std::shared_ptr<const ssh::Identity> identity;
  std::string input = "echo $((6*7))-done\n";
  std::string awaited = "42-done";
  Nanoseconds patience = std::chrono::seconds(30);  // for each step
};

inline asio::awaitable<ssh::Attempt<std::string>> run_session(ssh::Connection& connection,
                                                              Session session,
                                                              ssh::Resolver& resolver,
                                                              ssh::KnownHosts& known_hosts) {
  const Nanoseconds patience = session.patience;
  auto step = co_await connection.connect(session.target, resolver, known_hosts, in(patience));
  if (step) step = co_await connection.authenticate(session.user, session.identity, in(patience));
  if (step) step = co_await connection.open_shell(in(patience));
  if (step) step = co_await connection.write(session.input, in(patience));
  ssh::Attempt<std::string> output = std::string();
  if (step) {
    output = co_await read_until(connection, session.awaited, in(patience));
  } else {
    output = std::unexpected(step.error());
  }
  co_await connection.close(in(patience));
  co_return output;
}

}  // namespace netfleet::testing

// tests: runs coroutines of a Connection to their end, with a deadline for all of it.
#pragma once

#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/credential.h"
#include "worker/ssh/connection.h"

namespace netfleet::testing {

using namespace std::chrono_literals;

inline TimePoint in(Nanoseconds time) { return BootClock::now() + time; }

// Runs one coroutine on its own io_context and returns what it returns.
template <typename T>
T run_to_end(asio::io_context& context, asio::awaitable<T> coroutine) {
  std::optional<T> result;
  std::exception_ptr thrown;
  asio::co_spawn(context, std::move(coroutine), [&](std::exception_ptr error, T value) {
    thrown = error;
    result = std::move(value);
  });
  context.restart();
  context.run_for(60s);
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

}  // namespace netfleet::testing

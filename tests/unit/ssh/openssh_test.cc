// Against a real OpenSSH server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/ssh/session_driver.h"
#include "tests/unit/ssh/sshd_fixture.h"

namespace netfleet::ssh {
namespace {

using netfleet::testing::in;
using netfleet::testing::no_known_hosts;
using netfleet::testing::run_to_end;
using netfleet::testing::Sshd;
using netfleet::testing::TemporaryDirectory;
using netfleet::testing::ThrowAwayUser;
using netfleet::testing::with_password;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

struct Server {
  TemporaryDirectory directory;
  ThrowAwayUser user{directory.path()};
  Sshd sshd{directory, "Banner none"};
};

// Reads until `text` was seen.
asio::awaitable<Attempt<std::string>> read_until(Connection& connection, std::string text) {
  std::string seen;
  std::array<char, 32768> buffer;
  while (seen.find(text) == std::string::npos) {
    const std::span<char> space(buffer);
    auto size = co_await connection.read(space, in(20s));
    if (!size) co_return std::unexpected(size.error());
    if (*size == 0) co_return std::unexpected(Failure{Outcome::kDisconnected, "closed: " + seen});
    seen.append(buffer.data(), *size);
  }
  co_return seen;
}

TEST(OpenSsh, RunsACommandWithAPassword) {
  Server server;
  asio::io_context context(1);
  Resolver resolver(1);
  auto known_hosts = no_known_hosts();
  auto session = [&]() -> asio::awaitable<std::string> {
    Connection connection(context.get_executor());
    Target target{.address = "127.0.0.1", .port = server.sshd.port};
    auto connected = co_await connection.connect(target, resolver, *known_hosts, in(20s));
    if (!connected) co_return connected.error().reason;
    auto identity = *Identity::load(with_password(server.user.password));
    auto in_now = co_await connection.authenticate(server.user.name, identity, in(20s));
    if (!in_now) co_return in_now.error().reason;
    auto shell = co_await connection.open_shell(in(20s));
    if (!shell) co_return shell.error().reason;
    std::string command = "echo $((6*7))-done\n";
    auto written = co_await connection.write(command, in(20s));
    if (!written) co_return written.error().reason;
    auto output = co_await read_until(connection, "42-done");
    if (!output) co_return output.error().reason;
    co_await connection.close(in(5s));
    co_return "ok " + connection.server_identification();
  };
  EXPECT_THAT(run_to_end(context, session()), HasSubstr("ok SSH-2.0-OpenSSH"));
}

}  // namespace
}  // namespace netfleet::ssh

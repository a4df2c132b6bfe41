// Servers that misbehave: every call ends, by its deadline, with an outcome that says why.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/ssh/hostile_server.h"
#include "tests/unit/ssh/session_driver.h"
#include "tests/unit/ssh/sshd_fixture.h"

namespace netfleet::ssh {
namespace {

using netfleet::testing::HostileServer;
using netfleet::testing::no_known_hosts;
using netfleet::testing::relay;
using netfleet::testing::run_session;
using netfleet::testing::run_to_end;
using netfleet::testing::send_all;
using netfleet::testing::Session;
using netfleet::testing::Sshd;
using netfleet::testing::TemporaryDirectory;
using netfleet::testing::Then;
using netfleet::testing::ThrowAwayUser;
using netfleet::testing::wait_for_end;
using netfleet::testing::with_password;
using namespace std::chrono_literals;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Hostile : public ::testing::Test {
 protected:
  Attempt<std::string> run(std::uint16_t port, Nanoseconds patience = 20s,
                           std::string user = "admin", std::string_view password = "secret") {
    Connection connection(context.get_executor());
    Session session{.target = {.address = "127.0.0.1", .port = port},
                    .user = std::move(user),
                    .identity = *Identity::load(with_password(password)),
                    .patience = patience};
    return run_to_end(context, run_session(connection, std::move(session), resolver, *known_hosts));
  }
  static void expect_unreachable(const Attempt<std::string>& result,
                                 const ::testing::Matcher<std::string>& reason) {
    ASSERT_FALSE(result);
    EXPECT_EQ(outcome_name(result.error().outcome), "unreachable");
    EXPECT_THAT(result.error().reason, reason);
  }
  asio::io_context context{1};
  Resolver resolver{1};
  std::unique_ptr<KnownHosts> known_hosts = no_known_hosts();
};

TEST_F(Hostile, NobodyListens) {
  std::uint16_t port = 0;
  {
    port = HostileServer([](int) {}).port;
  }
  expect_unreachable(run(port), StartsWith("connection refused"));
}

TEST_F(Hostile, NoSuchName) {
  Connection connection(context.get_executor());
  Session session{.target = {.address = "no_such_name.invalid"},
                  .user = "admin",
                  .identity = *Identity::load(with_password("secret")),
                  .patience = 100ms};
  expect_unreachable(run_to_end(context, run_session(connection, session, resolver, *known_hosts)),
                     AnyOf(StartsWith("name lookup failed: "),
                           StartsWith("timed out after 0.1 s in name lookup")));
}

TEST_F(Hostile, NobodyAnswers) {
  // A full accept queue: the kernel drops what comes in addition.
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener, 0), 0);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  std::vector<int> fillers;
  for (int i = 0; i < 4; ++i) {
    fillers.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    connect(fillers.back(), reinterpret_cast<sockaddr*>(&address), size);
  }
  expect_unreachable(run(ntohs(address.sin_port), 300ms), "timed out after 0.3 s in TCP connect");
  for (const int fd : fillers) close(fd);
  close(listener);
}

TEST_F(Hostile, SaysNothing) {
  HostileServer server(wait_for_end);
  expect_unreachable(run(server.port, 200ms), "timed out after 0.2 s waiting for its SSH version");
}

TEST_F(Hostile, ClosesAtOnce) {
  HostileServer server([](int) {});
  expect_unreachable(run(server.port), StartsWith("no SSH version came from it: "));
}

TEST_F(Hostile, IsAWebServer) {
  HostileServer server([](int fd) {
    send_all(fd, "HTTP/1.1 400 Bad Request\r\nServer: \x1b[31mx\r\n\r\n");
    shutdown(fd, SHUT_WR);
    wait_for_end(fd);
  });
  expect_unreachable(run(server.port), "not an SSH server: it sent \"HTTP/1.1 400 Bad Request\"");
}

TEST_F(Hostile, SpeaksSshOne) {
  HostileServer server([](int fd) {
    send_all(fd, "SSH-1.5-Cisco-1.25\n");
    wait_for_end(fd);
  });
  expect_unreachable(run(server.port), "not an SSH 2 server: it says \"SSH-1.5-Cisco-1.25\"");
}

TEST_F(Hostile, SendsAHugeVersion) {
  HostileServer server([](int fd) {
    while (send_all(fd, std::string(4096, 'A'))) {
    }
  });
  expect_unreachable(run(server.port), StartsWith("not an SSH server: it sent \"AAAA"));
}

TEST_F(Hostile, TalksForEverBeforeItsVersion) {
  HostileServer server([](int fd) {
    while (send_all(fd, "welcome to the lab\r\n")) {
    }
  });
  expect_unreachable(run(server.port), "not an SSH server: it sent \"welcome to the lab\"");
}

TEST_F(Hostile, StallsInItsVersion) {
  HostileServer server([](int fd) {
    send_all(fd, "SSH-2.0-Hal");
    wait_for_end(fd);
  });
  expect_unreachable(run(server.port, 200ms), HasSubstr("waiting for the rest of"));
}

TEST_F(Hostile, SendsGarbageAfterItsVersion) {
  HostileServer server([](int fd) {
    send_all(fd, "SSH-2.0-Garbage\r\n");
    while (send_all(fd, std::string(4096, '\xEE'))) {
    }
  });
  expect_unreachable(run(server.port), StartsWith("key exchange failed: "));
}

TEST_F(Hostile, SendsZerosAfterItsVersion) {
  HostileServer server([](int fd) {
    send_all(fd, "SSH-2.0-Zeros\r\n");
    while (send_all(fd, std::string(4096, '\0'))) {
    }
  });
  expect_unreachable(run(server.port), "key exchange failed: it broke the SSH protocol");
}

TEST_F(Hostile, StallsInTheKeyExchange) {
  HostileServer server([](int fd) {
    send_all(fd, "SSH-2.0-Stall\r\n");
    wait_for_end(fd);
  });
  expect_unreachable(run(server.port, 200ms), "timed out after 0.2 s in key exchange");
}

TEST_F(Hostile, ClosesInTheKeyExchange) {
  HostileServer server([](int fd) {
    send_all(fd, "SSH-2.0-Close\r\n");
    std::array<char, 64> bytes;
    recv(fd, bytes.data(), bytes.size(), 0);
  });
  expect_unreachable(run(server.port), StartsWith("key exchange failed: "));
}

TEST_F(Hostile, NeverReads) {
  HostileServer server([](int fd) {
    send_all(fd, "SSH-2.0-Deaf\r\n");
    std::array<pollfd, 1> watched{{{fd, POLLRDHUP, 0}}};
    poll(watched.data(), watched.size(), 60'000);
  });
  expect_unreachable(run(server.port, 200ms), "timed out after 0.2 s in key exchange");
}

// A good server that is cut or stalls after any number of bytes.
class Interrupted : public Hostile {
 protected:
  static void SetUpTestSuite() {
    directory = new TemporaryDirectory();
    user = new ThrowAwayUser(directory->path());
    sshd = new Sshd(*directory, "");
  }
  static void TearDownTestSuite() {
    delete sshd;
    delete user;
    delete directory;
  }
  // How many bytes the server sends in a whole session, or more.
  static constexpr std::size_t kMost = 6000;

  // The outcome of a session through a relay that ends after `limit` bytes.
  std::string outcome_after(std::size_t limit, Then then, Nanoseconds patience) {
    HostileServer* self = nullptr;
    HostileServer server([&](int fd) { relay(*self, fd, sshd->port, limit, then); });
    self = &server;
    const auto result = run(server.port, patience, user->name, user->password);
    EXPECT_TRUE(result || !result.error().reason.empty());
    return std::string(result ? "ok" : outcome_name(result.error().outcome));
  }

  static TemporaryDirectory* directory;
  static ThrowAwayUser* user;
  static Sshd* sshd;
};
TemporaryDirectory* Interrupted::directory = nullptr;
ThrowAwayUser* Interrupted::user = nullptr;
Sshd* Interrupted::sshd = nullptr;

TEST_F(Interrupted, Closes) {
  std::vector<std::string> seen;
  for (std::size_t limit = 1; limit < kMost && (seen.empty() || seen.back() != "ok"); limit += 17) {
    const std::string outcome = outcome_after(limit, Then::kClose, 20s);
    if (seen.empty() || seen.back() != outcome) seen.push_back(outcome);
  }
  // In this order: until the key exchange is over, before the password, after it, with the shell.
  const std::vector<std::string> expected = {"unreachable", "disconnected", "auth_failed",
                                             "disconnected", "ok"};
  EXPECT_EQ(seen, expected);
}

TEST_F(Interrupted, Stalls) {
  std::vector<std::string> seen;
  for (std::size_t limit = 20; limit < kMost && (seen.empty() || seen.back() != "ok");
       limit += 150) {
    const std::string outcome = outcome_after(limit, Then::kStall, 400ms);
    if (seen.empty() || seen.back() != outcome) seen.push_back(outcome);
  }
  const std::vector<std::string> expected = {"unreachable", "timed_out", "ok"};
  EXPECT_EQ(seen, expected);
}

}  // namespace
}  // namespace netfleet::ssh

// Who does not keep to HTTP, or keeps us waiting.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "tests/unit/api/api_fixture.h"

namespace netfleet {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Peer {
 public:
  explicit Peer(std::uint16_t port, int receive_buffer = 0)
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0) {
      setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    const timeval patience{20, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  void say(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // the server has heard enough
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  void end() { shutdown(fd_.get(), SHUT_WR); }
  // All that comes until the end of the connection.
  std::string hear() { return hear_until(""); }
  // The same, until `what` has come.
  std::string hear_until(std::string_view what) {
    std::string all;
    std::array<char, 4096> piece;
    ssize_t got = 0;
    while ((what.empty() || !all.contains(what)) &&
           (got = recv(fd_.get(), piece.data(), piece.size(), 0)) > 0) {
      all.append(piece.data(), static_cast<std::size_t>(got));
    }
    EXPECT_TRUE(got >= 0 || errno == ECONNRESET) << "the server keeps the connection";
    return all;
  }

 private:
  ApiDescriptor fd_;
};

class Hostile : public Api {
 protected:
  std::string ask(const std::string& bytes) {
    Peer peer(server_->port());
    peer.say(bytes);
    return peer.hear();
  }
  // A request of the reader's with these lines more.
  std::string head(const std::string& first, const std::string& more = "",
                   const std::string& who = "changer") {
    return fmt::format("{} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n{}\r\n",
                       first, tokens_[who], more);
  }
  void expect_alive() { EXPECT_EQ(get("/v1/jobs").status, 200); }
};

TEST_F(Hostile, NoHttpIsRefused) {
  start();
  for (const std::string& bytes :
       {std::string("\r\n\r\n"), std::string("hello\r\n\r\n"), std::string("GET\r\n\r\n"),
        std::string("GET /v1/jobs\r\n\r\n"), std::string("GET /v1/jobs HTTP/9.9\r\n\r\n"),
        std::string("\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 11),
        std::string("GET /v1/jobs HTTP/1.1\r\nno header\r\n\r\n")}) {
    EXPECT_THAT(ask(bytes), testing::AnyOf(StartsWith("HTTP/1.1 4"), "")) << bytes;
  }
  Peer(server_->port()).end();
  expect_alive();
}

TEST_F(Hostile, PathTricksAreRefused) {
  start();
  for (const char* path : {"/v1/../v1/jobs", "/v1/%2e%2e/jobs", "//v1/jobs", "/v1//jobs",
                           "/v1/sweeps/%00", "/v1/sweeps/..%2f..%2fetc%2fpasswd", "/v1/jobs/",
                           "http://localhost/v1/jobs", "*", "/v1/sweeps/%ff/events"}) {
    EXPECT_THAT(ask(head(std::string("GET ") + path)),
                testing::AnyOf(StartsWith("HTTP/1.1 400"), StartsWith("HTTP/1.1 404")))
        << path;
  }
  EXPECT_THAT(ask(head(std::string("GET /v1/sweeps/a\0b", 18))), StartsWith("HTTP/1.1 4"));
  expect_alive();
}

TEST_F(Hostile, OtherHostsNamesAreRefused) {
  start();
  const std::string request = fmt::format(
      "GET /v1/jobs HTTP/1.1\r\nHost: {{}}\r\nAuthorization: Bearer {}\r\n\r\n", tokens_["reader"]);
  const auto with = [&](const char* host) { return ask(fmt::format(fmt::runtime(request), host)); };
  EXPECT_THAT(with("evil.example:80"), StartsWith("HTTP/1.1 421"));
  EXPECT_THAT(with("127.0.0.1.evil.example"), StartsWith("HTTP/1.1 421"));
  EXPECT_THAT(with("localhost:80"), StartsWith("HTTP/1.1 200"));
}

TEST_F(Hostile, SizesAreBounded) {
  start();
  EXPECT_THAT(ask(head("GET /v1/" + std::string(5000, 'a'))), StartsWith("HTTP/1.1 414"));
  EXPECT_THAT(ask(head("GET /v1/" + std::string(20'000, 'a'))), StartsWith("HTTP/1.1 414"));
  EXPECT_THAT(ask("GET /" + std::string(3'000'000, 'a')), testing::Not(HasSubstr(" 200 ")));
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += fmt::format("X-{}: y\r\n", i);
  EXPECT_THAT(ask(head("GET /v1/jobs", many)), testing::Not(HasSubstr(" 200 ")));
  EXPECT_THAT(ask(head("GET /v1/jobs", "Range: bytes=0-1" + std::string(1500, ',') + "\r\n")),
              StartsWith("HTTP/1.1 4"));
  std::string ranges = "Range: bytes=0-";
  for (int i = 0; i < 1000; ++i) ranges += ",0-";
  EXPECT_THAT(ask(head("GET /v1/jobs", ranges + "\r\n")), testing::Not(HasSubstr(" 206 ")));
  expect_alive();
}

TEST_F(Hostile, BodiesAreBoundedAndFramedOnce) {
  start();
  const std::string json = "Content-Type: application/json\r\n";
  const auto post = [&](const std::string& more, const std::string& body = "") {
    return ask(head("POST /v1/sweeps", json + more) + body);
  };
  const std::string much(2'000'000, ' ');
  EXPECT_THAT(post("Content-Length: 2000000\r\n", much), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(post("Content-Length: 99999999999999999999\r\n"), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(post("Content-Length: -1\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(post("Content-Length: 2\r\nContent-Length: 3\r\n", "{}"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(post("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "{}"),
              StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
              StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(post("Content-Length: 2\r\nContent-Encoding: gzip\r\n", "{}"),
              StartsWith("HTTP/1.1 415"));
  std::string chunks;
  for (int i = 0; i < 200; ++i) chunks += fmt::format("2710\r\n{}\r\n", std::string(10'000, ' '));
  EXPECT_THAT(post("Transfer-Encoding: chunked\r\n", chunks + "0\r\n\r\n"),
              testing::Not(HasSubstr(" 202 ")));
  EXPECT_THAT(post("Transfer-Encoding: chunked\r\n", "e\r\n{\"job\":\"back\"}\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 202"));
  EXPECT_THAT(
      ask(head("POST /v1/sweeps", "Content-Type: text/plain\r\nContent-Length: 2\r\n") + "{}"),
      StartsWith("HTTP/1.1 415"));
  EXPECT_THAT(ask(head("POST /v1/schedules/a/pause")), StartsWith("HTTP/1.1 200"));
  // Without a token, no body is waited for.
  EXPECT_THAT(ask("POST /v1/sweeps HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"),
              StartsWith("HTTP/1.1 401"));
  EXPECT_EQ(service_.submissions.size(), 1);
  expect_alive();
}

TEST_F(Hostile, OneConnectionIsOneRequest) {
  start();
  const std::string answer = ask(head("GET /v1/jobs") + head("GET /v1/workers"));
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
  EXPECT_THAT(answer, testing::Not(HasSubstr("\"workers\"")));
}

TEST_F(Hostile, WhoSaysNothingIsSentAway) {
  options_.limits.request = Milliseconds(200);
  options_.limits.connections = 2;
  start();
  std::vector<std::unique_ptr<Peer>> silent;
  for (int i = 0; i < 2; ++i) silent.push_back(std::make_unique<Peer>(server_->port()));
  silent[1]->say("POST /v1/sweeps HTTP/1.1\r\nHost: x");
  for (const auto& peer : silent) EXPECT_THAT(peer->hear(), testing::Not(HasSubstr(" 200 ")));
  expect_alive();
}

TEST_F(Hostile, TooManyConnectionsAreRefused) {
  add_sweep("20261125-080000-aaaa", 3, 0, false);
  service_.set_live({live("20261125-080000-aaaa", 3, 0, 1)});
  options_.limits.connections = 1;
  options_.limits.streams = 1;
  start();
  Peer served(server_->port());
  served.say(head("GET /v1/sweeps/last/events"));
  EXPECT_THAT(served.hear_until("event: progress"), HasSubstr("event: progress"));
  Peer waiting(server_->port());
  waiting.say(head("GET /v1/jobs"));
  const std::string heard = Peer(server_->port()).hear();
  EXPECT_THAT(heard, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(heard, HasSubstr("\r\n\r\n{\"error\":\"too many connections at once\"}\n"));
  service_.set_live({});
  EXPECT_THAT(served.hear(), HasSubstr("event: end"));
  EXPECT_THAT(waiting.hear(), StartsWith("HTTP/1.1 200"));
  expect_alive();
}

TEST_F(Hostile, DeadReaderOfAStreamIsLeft) {
  add_sweep("20261125-080000-aaaa", 1, 0, false);
  TaskResult result = result_of(0);
  result.commands[0].output = std::string(30u << 20, 'x');
  save_result("20261125-080000-aaaa", result);
  options_.limits.write = Milliseconds(200);
  options_.limits.streams = 1;
  start();
  Peer peer(server_->port(), 4096);
  peer.say(head("GET /v1/sweeps/last/results"));
  // It reads nothing: its place becomes free again.
  const TimePoint until = BootClock::now() + std::chrono::seconds(20);
  Got got;
  do {
    got = get("/v1/sweeps/last/results?count=1&output=no");
  } while (got.status == 503 && BootClock::now() < until);
  EXPECT_EQ(got.status, 200);
  EXPECT_THAT(peer.hear(), testing::Not(testing::EndsWith("\r\n0\r\n\r\n")));
}

// Descriptors above what select() can take: a dispatcher has thousands of workers.
TEST_F(Hostile, ManyOpenDescriptorsDoNoHarm) {
  std::vector<ApiDescriptor> many;
  for (int i = 0; i < 1100; ++i) many.emplace_back(dup(STDERR_FILENO));
  ASSERT_GT(many.back().get(), 1024);
  start();
  EXPECT_THAT(ask(head("GET /v1/jobs")), StartsWith("HTTP/1.1 200"));
}

TEST_F(Hostile, StopsWhileOthersAreConnected) {
  start();
  Peer silent(server_->port());
  Peer half(server_->port());
  half.say("GET /v1/jobs HT");
  server_->stop();
  EXPECT_THAT(half.hear(), testing::Not(HasSubstr(" 200 ")));
}

}  // namespace
}  // namespace netfleet

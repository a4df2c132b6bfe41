// Against a real OpenSSH server: every way to log in, the shell, many at once.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <asio/detached.hpp>
#include <asio/post.hpp>

#include "tests/unit/ssh/session_driver.h"
#include "tests/unit/ssh/sshd_fixture.h"

namespace netfleet::ssh {
namespace {

using netfleet::testing::in;
using netfleet::testing::make_key;
using netfleet::testing::must_run;
using netfleet::testing::no_known_hosts;
using netfleet::testing::read_file;
using netfleet::testing::read_until;
using netfleet::testing::run_session;
using netfleet::testing::run_to_end;
using netfleet::testing::Session;
using netfleet::testing::Sshd;
using netfleet::testing::TemporaryDirectory;
using netfleet::testing::ThrowAwayUser;
using netfleet::testing::with_password;
using netfleet::testing::write_file;
using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class OpenSsh : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    directory = new TemporaryDirectory();
    user = new ThrowAwayUser(directory->path());
    write_file(*directory / ".hushlogin", "", 0644);
    write_file(*directory / ".bashrc", "", 0644);
  }
  static void TearDownTestSuite() {
    delete user;
    delete directory;
  }

  std::shared_ptr<const Identity> identity(std::shared_ptr<const Credential> credential) {
    auto loaded = Identity::load(std::move(credential));
    EXPECT_TRUE(loaded) << loaded.error().message;
    return *loaded;
  }
  std::shared_ptr<const Identity> key_identity(const std::string& path,
                                               const std::string& passphrase = "",
                                               const std::string& certificate = "") {
    auto credential = std::make_shared<Credential>();
    credential->keys.push_back({path, Secret(passphrase), certificate});
    return identity(credential);
  }
  // A key that the server accepts.
  std::string authorized_key(const std::string& type, const std::string& passphrase = "") {
    const std::string path = *directory / ("key" + std::to_string(count++));
    make_key(path, type, passphrase);
    write_file(*directory / "authorized", read_file(path + ".pub"), 0644);
    return path;
  }
  static std::string authorized() {
    return "AuthorizedKeysFile " + (*directory / "authorized") + "\n";
  }

  Attempt<std::string> run(const Sshd& sshd, std::shared_ptr<const Identity> as) {
    Session session{.target = {.address = "127.0.0.1", .port = sshd.port},
                    .user = user->name,
                    .identity = std::move(as)};
    return run(std::move(session));
  }
  Attempt<std::string> run(Session session) {
    connection = std::make_unique<Connection>(context.get_executor());
    return run_to_end(context,
                      run_session(*connection, std::move(session), resolver, *known_hosts));
  }
  static void expect_ok(const Attempt<std::string>& result) {
    EXPECT_TRUE(result) << outcome_name(result.error().outcome) << ": " << result.error().reason;
  }
  static void expect_failure(const Attempt<std::string>& result, Outcome outcome,
                             const ::testing::Matcher<std::string>& reason) {
    ASSERT_FALSE(result);
    EXPECT_EQ(outcome_name(result.error().outcome), outcome_name(outcome));
    EXPECT_THAT(result.error().reason, reason);
  }

  static TemporaryDirectory* directory;
  static ThrowAwayUser* user;
  static int count;
  asio::io_context context{1};
  Resolver resolver{1};
  std::unique_ptr<KnownHosts> known_hosts = no_known_hosts();
  std::unique_ptr<Connection> connection;
};
TemporaryDirectory* OpenSsh::directory = nullptr;
ThrowAwayUser* OpenSsh::user = nullptr;
int OpenSsh::count = 0;

TEST_F(OpenSsh, LogsInWithAPassword) {
  write_file(*directory / "banner", "Authorised use only\n", 0644);
  const Sshd sshd(*directory, "Banner " + (*directory / "banner"));
  expect_ok(run(sshd, identity(with_password(user->password))));
  EXPECT_THAT(connection->server_identification(), StartsWith("SSH-2.0-OpenSSH_"));
  EXPECT_EQ(connection->banner(), "Authorised use only\n");
  EXPECT_EQ(connection->peer_address(), "127.0.0.1");
}

TEST_F(OpenSsh, ResolvesNames) {
  const Sshd sshd(*directory, "");
  Session session{.target = {.address = "localhost", .port = sshd.port},
                  .user = user->name,
                  .identity = identity(with_password(user->password))};
  expect_ok(run(session));
  EXPECT_EQ(connection->peer_address(), "127.0.0.1");  // whatever else the name has
}

TEST_F(OpenSsh, SendsARefusedPasswordOnce) {
  const Sshd sshd(*directory, "KbdInteractiveAuthentication yes\nUsePAM yes\nMaxAuthTries 2");
  expect_failure(run(sshd, identity(with_password("wrong"))), Outcome::kAuthFailed,
                 AllOf(StartsWith("refused (tried password; it offers"),
                       HasSubstr("keyboard-interactive"), Not(HasSubstr("wrong"))));
}

TEST_F(OpenSsh, EndsWhenTheServerHasEnough) {
  const Sshd sshd(*directory, "MaxAuthTries 1\n" + authorized());
  expect_failure(run(sshd, identity(with_password("wrong"))), Outcome::kAuthFailed,
                 HasSubstr("Too many authentication failures"));
}

TEST_F(OpenSsh, AnswersPrompts) {
  const Sshd sshd(*directory,
                  "KbdInteractiveAuthentication yes\nPasswordAuthentication no\nUsePAM yes");
  expect_ok(run(sshd, identity(with_password(user->password))));
  expect_failure(run(sshd, identity(with_password("wrong"))), Outcome::kAuthFailed,
                 HasSubstr("keyboard-interactive"));
}

TEST_F(OpenSsh, TellsThatThePasswordMustBeChanged) {
  const TemporaryDirectory home;
  const ThrowAwayUser expired(home.path());
  must_run({"chage", "-d", "0", expired.name});
  const Sshd sshd(*directory,
                  "KbdInteractiveAuthentication yes\nPasswordAuthentication no\nUsePAM yes");
  Session session{.target = {.address = "127.0.0.1", .port = sshd.port},
                  .user = expired.name,
                  .identity = identity(with_password(expired.password))};
  expect_failure(run(session), Outcome::kAuthFailed, HasSubstr("wants the password changed"));
}

TEST_F(OpenSsh, LogsInWithEveryKindOfKey) {
  const Sshd sshd(*directory, authorized() + "PasswordAuthentication no");
  for (const std::string type : {"ed25519", "rsa", "ecdsa"}) {
    SCOPED_TRACE(type);
    expect_ok(run(sshd, key_identity(authorized_key(type))));
  }
  expect_ok(run(sshd, key_identity(authorized_key("ed25519", "top secret"), "top secret")));
}

TEST_F(OpenSsh, LogsInWithACertificate) {
  make_key(*directory / "ca", "ed25519");
  const Sshd sshd(*directory,
                  "AuthorizedKeysFile none\nPasswordAuthentication no\nTrustedUserCAKeys " +
                      (*directory / "ca.pub"));
  for (const std::string type : {"ed25519", "rsa", "ecdsa"}) {
    SCOPED_TRACE(type);
    const std::string key = *directory / ("certified_" + type);
    make_key(key, type);
    must_run({"ssh-keygen", "-q", "-s", *directory / "ca", "-I", "test", "-n", user->name,
              key + ".pub"});
    expect_ok(run(sshd, key_identity(key, "", key + "-cert.pub")));
  }
  const std::string other = *directory / "uncertified";
  make_key(other, "ed25519");
  expect_failure(run(sshd, key_identity(other)), Outcome::kAuthFailed,
                 HasSubstr("refused (tried publickey; it offers publickey)"));
}

TEST_F(OpenSsh, LogsInWithAnAgent) {
  const std::string key = authorized_key("ed25519");
  const std::string path = *directory / "agent";
  const std::string pid_file = *directory / "agent.pid";
  must_run({"sh", "-c",
            "ssh-agent -s -a " + path + " | sed -n 's/.*PID=\\([0-9]*\\);.*/\\1/p' >" + pid_file});
  setenv("SSH_AUTH_SOCK", path.c_str(), 1);
  auto credential = std::make_shared<Credential>();
  credential->use_agent = true;
  const Sshd sshd(*directory, authorized() + "PasswordAuthentication no");
  expect_failure(run(sshd, identity(credential)), Outcome::kAuthFailed, HasSubstr("holds no keys"));
  must_run({"ssh-add", "-q", key});
  expect_ok(run(sshd, identity(credential)));
  unsetenv("SSH_AUTH_SOCK");
  kill(std::stoi(read_file(pid_file)), SIGTERM);
  expect_failure(run(sshd, identity(credential)), Outcome::kAuthFailed,
                 HasSubstr("SSH_AUTH_SOCK is not set"));
}

TEST_F(OpenSsh, FallsBackFromAKeyToThePassword) {
  const Sshd sshd(*directory, authorized());
  const std::string stranger = *directory / "stranger";
  make_key(stranger, "ed25519");
  auto credential = with_password(user->password);
  credential->keys.push_back({stranger, Secret(), ""});
  expect_ok(run(sshd, identity(credential)));
}

TEST_F(OpenSsh, GoesThroughTwoFactors) {
  const Sshd sshd(*directory, authorized() + "AuthenticationMethods publickey,password");
  const std::string key = authorized_key("ed25519");
  expect_failure(run(sshd, key_identity(key)), Outcome::kAuthFailed,
                 HasSubstr("it wants more: it goes on with password"));
  auto credential = with_password(user->password);
  credential->keys.push_back({key, Secret(), ""});
  expect_ok(run(sshd, identity(credential)));
}

TEST_F(OpenSsh, SaysWhenTheCredentialHasNothingThatFits) {
  const Sshd sshd(*directory, "PasswordAuthentication no\nAuthorizedKeysFile none");
  expect_failure(run(sshd, identity(with_password(user->password))), Outcome::kAuthFailed,
                 HasSubstr("nothing that it takes: it offers publickey"));
}

TEST_F(OpenSsh, PassesUserNamesThatLibsshWouldRefuse) {
  const Sshd sshd(*directory, "");
  Session session{.target = {.address = "127.0.0.1", .port = sshd.port},
                  .user = "DOMAIN\\admin; $(x) 'y'",
                  .identity = identity(with_password("x"))};
  expect_failure(run(session), Outcome::kAuthFailed, HasSubstr("refused (tried password"));
}

TEST_F(OpenSsh, ExplainsOldAlgorithmsAndUsesThemOnRequest) {
  const Sshd sshd(*directory,
                  "KexAlgorithms diffie-hellman-group1-sha1,diffie-hellman-group14-sha1\n"
                  "Ciphers aes128-cbc,3des-cbc\nMACs hmac-sha1\nHostKeyAlgorithms ssh-rsa",
                  {"rsa"});
  Session session{.target = {.address = "127.0.0.1", .port = sshd.port},
                  .user = user->name,
                  .identity = identity(with_password(user->password))};
  expect_failure(run(session), Outcome::kUnreachable,
                 AllOf(StartsWith("no common key exchange method: it offers "
                                  "diffie-hellman-group1-sha1"),
                       HasSubstr("--legacy-algorithms")));
  session.target.legacy_algorithms = true;
  expect_ok(run(session));
}

TEST_F(OpenSsh, UsesAHostsOwnAlgorithms) {
  const Sshd sshd(*directory, "Ciphers aes128-cbc,aes256-ctr\nMACs hmac-sha1\n", {"rsa"});
  Session session{.target = {.address = "127.0.0.1", .port = sshd.port},
                  .user = user->name,
                  .identity = identity(with_password(user->password))};
  session.target.options = "macs +hmac-sha1\n";
  expect_ok(run(session));
  session.target.options =
      "ciphers aes128-cbc\nmacs ^hmac-sha1\nhost_key_algorithms rsa-sha2-256\n";
  expect_ok(run(session));
  session.target.options = "ciphers aes192-ctr\nmacs hmac-sha1\n";
  expect_failure(run(session), Outcome::kUnreachable,
                 HasSubstr("no common cipher: it offers aes128-cbc,aes256-ctr "
                           "(--legacy-algorithms or --ciphers +aes128-cbc allows it)"));
  session.target.options = "refuse because\n";
  session.target.port = 1;  // nobody is asked
  expect_failure(run(session), Outcome::kUnreachable, HasSubstr("because"));
}

TEST_F(OpenSsh, UsesOldKeyExchangeWithGroupExchange) {
  const Sshd sshd(*directory, "KexAlgorithms diffie-hellman-group-exchange-sha1", {"rsa"});
  Session session{.target = {.address = "127.0.0.1", .port = sshd.port, .legacy_algorithms = true},
                  .user = user->name,
                  .identity = identity(with_password(user->password))};
  expect_ok(run(session));
}

TEST_F(OpenSsh, AcceptsAHostKeyOf1024Bits) {
  const std::string key = *directory / "short";
  make_key(key, "rsa", "", "1024");
  const Sshd sshd(*directory, "RequiredRSASize 1024\nHostKey " + key, {});
  expect_ok(run(sshd, identity(with_password(user->password))));
}

TEST_F(OpenSsh, ChecksTheHostKey) {
  const Sshd first(*directory, "");
  const Sshd second(*directory, "", {"ecdsa", "ed25519"});
  const std::string path = *directory / "known_hosts";
  known_hosts = std::move(*KnownHosts::load(path, {}));
  Session session{.target = {.address = "127.0.0.1",
                             .port = first.port,
                             .host_key_policy = HostKeyPolicy::kStrict},
                  .user = user->name,
                  .identity = identity(with_password(user->password))};
  expect_failure(run(session), Outcome::kHostKeyRejected,
                 AllOf(HasSubstr("not known: ssh-ed25519 SHA256:"), HasSubstr("accept-new")));
  EXPECT_THAT(read_file(path), IsEmpty());
  session.target.host_key_policy = HostKeyPolicy::kAcceptNew;
  expect_ok(run(session));
  const std::string name = "[127.0.0.1]:" + std::to_string(first.port);
  EXPECT_THAT(read_file(path), StartsWith(name + " ssh-ed25519 "));
  session.target.host_key_policy = HostKeyPolicy::kStrict;
  expect_ok(run(session));

  // Another device at the same name.
  const std::string other = "[127.0.0.1]:" + std::to_string(second.port);
  std::string record = read_file(path);
  record.replace(0, name.size(), other);
  write_file(path, "\n" + record);
  known_hosts = std::move(*KnownHosts::load(path, {}));
  session.target.port = second.port;
  session.target.host_key_policy = HostKeyPolicy::kAcceptNew;
  expect_failure(run(session), Outcome::kHostKeyRejected,
                 AllOf(HasSubstr("not the one on record at " + path + ":2"),
                       HasSubstr("it shows ssh-ed25519 SHA256:")));
  write_file(path, "@revoked * " + read_file(second.host_keys[1]));
  known_hosts = std::move(*KnownHosts::load("", {path}));
  session.target.host_key_policy = HostKeyPolicy::kStrict;
  // With several keys the one on record is asked for.
  write_file(path, other + " " + read_file(second.host_keys[0]));
  known_hosts = std::move(*KnownHosts::load("", {path}));
  expect_ok(run(session));
  session.target.host_key_policy = HostKeyPolicy::kOff;
  session.target.port = first.port;
  expect_ok(run(session));
}

TEST_F(OpenSsh, RejectsARevokedHostKey) {
  const Sshd sshd(*directory, "");
  const std::string path = *directory / "revoked";
  write_file(path, "@revoked * " + read_file(sshd.host_keys[0]));
  known_hosts = std::move(*KnownHosts::load("", {path}));
  expect_failure(run(sshd, identity(with_password(user->password))), Outcome::kHostKeyRejected,
                 HasSubstr("revoked by " + path + ":1"));
}

TEST_F(OpenSsh, GoesOnWithoutATerminal) {
  const Sshd sshd(*directory, "PermitTTY no");
  expect_ok(run(sshd, identity(with_password(user->password))));
}

TEST_F(OpenSsh, SaysThatAShellWasRefused) {
  const Sshd sshd(*directory, "MaxSessions 0");
  expect_failure(run(sshd, identity(with_password(user->password))), Outcome::kDisconnected,
                 HasSubstr("the device refused a shell"));
}

TEST_F(OpenSsh, TellsAnEndFromAnError) {
  const Sshd sshd(*directory, "");
  Session session{.target = {.address = "127.0.0.1", .port = sshd.port},
                  .user = user->name,
                  .identity = identity(with_password(user->password)),
                  .input = "exec echo last words\n",
                  .awaited = "never printed"};
  expect_failure(run(session), Outcome::kDisconnected,
                 AllOf(StartsWith("closed after: "), HasSubstr("last words\r\n")));
  // The server's process for this connection ends without a word.
  session.input = "kill -9 $PPID; sleep 100\n";
  session.patience = 20s;
  expect_failure(run(session), Outcome::kDisconnected, HasSubstr("it closed the connection"));
}

TEST_F(OpenSsh, DeliversBothStreams) {
  const Sshd sshd(*directory, "PermitTTY no");
  Session session{.target = {.address = "127.0.0.1", .port = sshd.port},
                  .user = user->name,
                  .identity = identity(with_password(user->password)),
                  .input = "echo to-stderr >&2; echo to-$((1+1))stdout; echo en$((0))d\n",
                  .awaited = "en0d"};
  const auto result = run(session);
  ASSERT_TRUE(result) << result.error().reason;
  EXPECT_THAT(*result, AllOf(HasSubstr("to-stderr"), HasSubstr("to-2stdout")));
}

TEST_F(OpenSsh, CarriesLargeOutputUnchanged) {
  const Sshd sshd(*directory, "PermitTTY no");
  constexpr int kLines = 400'000;
  Session session{.target = {.address = "127.0.0.1", .port = sshd.port},
                  .user = user->name,
                  .identity = identity(with_password(user->password)),
                  .input = "seq 1 " + std::to_string(kLines) + "; echo en$((0))d\n",
                  .awaited = "en0d"};
  const auto result = run(session);
  ASSERT_TRUE(result) << result.error().reason;
  std::string expected;
  for (int i = 1; i <= kLines; ++i) expected += std::to_string(i) + "\n";
  EXPECT_TRUE(*result == expected + "en0d\n") << result->size() << " bytes";
}

TEST_F(OpenSsh, CarriesLargeInputUnchanged) {
  const Sshd sshd(*directory, "PermitTTY no");
  std::string input;
  while (input.size() < 5'000'000) input += "line " + std::to_string(input.size()) + "\n";
  const std::string path = *directory / "received";
  Session session{.target = {.address = "127.0.0.1", .port = sshd.port},
                  .user = user->name,
                  .identity = identity(with_password(user->password)),
                  .input = "head -c " + std::to_string(input.size()) + " >" + path +
                           "; chmod 644 " + path + "; echo en$((0))d\n" + input,
                  .awaited = "en0d"};
  write_file(path, "", 0666);
  expect_ok(run(session));
  EXPECT_TRUE(read_file(path) == input);
}

TEST_F(OpenSsh, KeepsOutputThatComesWhileItWrites) {
  const Sshd sshd(*directory, "PermitTTY no");
  std::string input;
  while (input.size() < 1'000'000) input += std::to_string(input.size()) + "\n";
  auto dialogue = [&]() -> asio::awaitable<std::string> {
    Connection shell(context.get_executor());
    Target target{.address = "127.0.0.1", .port = sshd.port};
    auto step = co_await shell.connect(target, resolver, *known_hosts, in(20s));
    auto as = identity(with_password(user->password));
    if (step) step = co_await shell.authenticate(user->name, as, in(20s));
    if (step) step = co_await shell.open_shell(in(20s));
    std::string first =
        "echo rea$((0))dy; head -c " + std::to_string(input.size()) + "; echo en$((0))d\n";
    if (step) step = co_await shell.write(first, in(20s));
    if (!step) co_return step.error().reason;
    auto ready = co_await read_until(shell, "rea0dy\n", in(20s));
    if (!ready) co_return ready.error().reason;
    step = co_await shell.write(input, in(20s));  // it all comes back meanwhile
    if (!step) co_return step.error().reason;
    auto output = co_await read_until(shell, "en0d", in(20s));
    co_await shell.close(in(5s));
    co_return output ? *output : output.error().reason;
  };
  const std::string output = run_to_end(context, dialogue());
  EXPECT_TRUE(output == input + "en0d\n") << output.size() << ": " << output.substr(0, 200);
}

TEST_F(OpenSsh, TimesOutInARead) {
  const Sshd sshd(*directory, "PermitTTY no");
  auto dialogue = [&]() -> asio::awaitable<std::string> {
    Connection shell(context.get_executor());
    Target target{.address = "127.0.0.1", .port = sshd.port};
    auto step = co_await shell.connect(target, resolver, *known_hosts, in(20s));
    auto as = identity(with_password(user->password));
    if (step) step = co_await shell.authenticate(user->name, as, in(20s));
    if (step) step = co_await shell.open_shell(in(20s));
    std::string command = "echo rea$((0))dy\n";
    if (step) step = co_await shell.write(command, in(20s));
    if (!step) co_return step.error().reason;
    auto ready = co_await read_until(shell, "rea0dy\n", in(20s));
    if (!ready) co_return ready.error().reason;
    std::array<char, 100> buffer;
    const std::span<char> space(buffer);
    auto nothing = co_await shell.read(space, in(50ms));
    if (nothing) co_return "read something: " + std::string(buffer.data(), *nothing);
    co_await shell.close(in(5s));
    co_return std::string(outcome_name(nothing.error().outcome)) + ": " + nothing.error().reason;
  };
  EXPECT_EQ(run_to_end(context, dialogue()), "timed_out: timed out after 0.1 s waiting for output");
}

TEST_F(OpenSsh, LeavesNoDescriptorOpenAndNoneBlocking) {
  const auto open_descriptors = [] {
    int result = 0;
    for (int fd = 0; fd < 1024; ++fd) result += fcntl(fd, F_GETFD) >= 0;
    return result;
  };
  const Sshd sshd(*directory, "");
  const auto as = identity(with_password(user->password));
  expect_ok(run(sshd, as));
  const int before = open_descriptors();
  expect_ok(run(sshd, as));
  expect_failure(run(sshd, identity(with_password("wrong"))), Outcome::kAuthFailed,
                 HasSubstr("refused"));
  connection.reset();
  EXPECT_EQ(open_descriptors(), before);

  auto blocking = [&]() -> asio::awaitable<int> {
    Connection shell(context.get_executor());
    Target target{.address = "127.0.0.1", .port = sshd.port};
    auto step = co_await shell.connect(target, resolver, *known_hosts, in(20s));
    if (step) step = co_await shell.authenticate(user->name, as, in(20s));
    if (!step) co_return -1;
    int found = 0;
    for (int fd = 0; fd < 1024; ++fd) {
      int type = 0;
      socklen_t size = sizeof(type);
      if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &type, &size) != 0 || type != IPPROTO_TCP) {
        continue;
      }
      if ((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0 || (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) {
        co_return -2;
      }
      ++found;
    }
    co_return found;
  };
  EXPECT_EQ(run_to_end(context, blocking()), 1);
}

// Ends each of many sessions at another moment of its life.
TEST_F(OpenSsh, AbortsAnywhere) {
  const Sshd sshd(*directory, "");
  const auto as = identity(with_password(user->password));
  int cancelled = 0;
  for (int turns = 0; turns < 120; turns += 3) {
    Connection victim(context.get_executor());
    Session session{.target = {.address = "127.0.0.1", .port = sshd.port},
                    .user = user->name,
                    .identity = as,
                    .awaited = "never printed"};
    std::optional<Attempt<std::string>> result;
    asio::co_spawn(context, run_session(victim, session, resolver, *known_hosts),
                   [&](std::exception_ptr, Attempt<std::string> value) { result = value; });
    context.restart();
    for (int turn = 0; turn < turns && context.run_one_for(100ms) > 0; ++turn) {
    }
    victim.abort();
    while (!result && context.run_one_for(20s) > 0) {
    }
    ASSERT_TRUE(result) << turns;
    ASSERT_FALSE(*result) << turns;
    EXPECT_EQ(outcome_name(result->error().outcome), "cancelled")
        << turns << ": " << result->error().reason;
    ++cancelled;
  }
  EXPECT_EQ(cancelled, 40);
}

TEST_F(OpenSsh, SurvivesTheContextBeingDestroyed) {
  const Sshd sshd(*directory, "");
  const auto as = identity(with_password(user->password));
  for (int turns = 1; turns < 100; turns += 7) {
    asio::io_context brief(1);
    auto session = [&]() -> asio::awaitable<void> {
      Connection inner(brief.get_executor());
      Session script{.target = {.address = "127.0.0.1", .port = sshd.port},
                     .user = user->name,
                     .identity = as,
                     .awaited = "never printed"};
      co_await run_session(inner, script, resolver, *known_hosts);
    };
    asio::co_spawn(brief, session(), asio::detached);
    for (int turn = 0; turn < turns && brief.run_one_for(100ms) > 0; ++turn) {
    }
  }
}

// `threads` event threads share the resolver, the known hosts and the keys.
void run_many(int threads, int sessions_each, const Session& session, Resolver& resolver,
              KnownHosts& known_hosts) {
  std::atomic<int> good{0};
  std::vector<std::jthread> running;
  for (int t = 0; t < threads; ++t) {
    running.emplace_back([&] {
      asio::io_context context(1);
      std::vector<std::unique_ptr<Connection>> connections;
      for (int i = 0; i < sessions_each; ++i) {
        connections.push_back(std::make_unique<Connection>(context.get_executor()));
        asio::co_spawn(context, run_session(*connections.back(), session, resolver, known_hosts),
                       [&](std::exception_ptr error, Attempt<std::string> result) {
                         good += !error && result ? 1 : 0;
                         if (!result) ADD_FAILURE() << result.error().reason;
                       });
      }
      context.run_for(120s);
    });
  }
  running.clear();
  EXPECT_EQ(good, threads * sessions_each);
}

TEST_F(OpenSsh, Runs200SessionsInOneThread) {
  const Sshd sshd(*directory, authorized());
  const Session session{.target = {.address = "127.0.0.1", .port = sshd.port},
                        .user = user->name,
                        .identity = key_identity(authorized_key("ed25519")),
                        .patience = 100s};
  run_many(1, 200, session, resolver, *known_hosts);
}

TEST_F(OpenSsh, SharesItsPartsBetweenThreads) {
  const Sshd sshd(*directory, authorized(), {"ed25519", "rsa"});
  known_hosts = std::move(*KnownHosts::load(*directory / "shared_known_hosts", {}));
  const Session session{.target = {.address = "localhost", .port = sshd.port},
                        .user = user->name,
                        .identity = key_identity(authorized_key("rsa")),
                        .patience = 100s};
  run_many(2, 25, session, resolver, *known_hosts);
}

}  // namespace
}  // namespace netfleet::ssh

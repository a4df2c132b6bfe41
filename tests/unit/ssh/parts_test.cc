// The parts of the room that need no server: texts, algorithms, prompts, names, keys.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libssh/libssh.h>
#include <sys/un.h>

#include <asio/detached.hpp>

#include "tests/unit/ssh/session_driver.h"
#include "tests/unit/ssh/sshd_fixture.h"
#include "worker/ssh/algorithms.h"
#include "worker/ssh/identity.h"
#include "worker/ssh/resolver.h"
#include "worker/ssh/text.h"

namespace netfleet::ssh {
namespace {

using netfleet::testing::make_key;
using netfleet::testing::must_run;
using netfleet::testing::run_to_end;
using netfleet::testing::TemporaryDirectory;
using netfleet::testing::write_file;
using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Text, ShowsWhatAServerSentInOneSafeLine) {
  EXPECT_EQ(printable("HTTP/1.1 400\r\nBad\x1b[31m\x07"), "HTTP/1.1 400 Bad [31m");
  EXPECT_EQ(printable("a\xff"
                      "b\xc2\x9b"
                      "c"),
            "a\xef\xbf\xbd"
            "bc");
  EXPECT_EQ(printable("abcdef", 3), "abc...");
  EXPECT_EQ(printable(""), "");
}

TEST(Text, RoundsDurations) {
  EXPECT_EQ(seconds_text(10'004ms), "10 s");
  EXPECT_EQ(seconds_text(1'540ms), "1.5 s");
}

TEST(Text, CodesBase64) {
  for (const std::string bytes : {"a", "ab", "abc", "abcd"}) {
    EXPECT_EQ(decode_base64(encode_base64(bytes)), bytes);
  }
  EXPECT_EQ(decode_base64("AA="), std::nullopt);
  EXPECT_EQ(decode_base64("A*AA"), std::nullopt);
  EXPECT_EQ(decode_base64(""), std::nullopt);
}

TEST(Algorithms, AsksForKnownKeyTypesFirst) {
  EXPECT_THAT(choose_algorithms(false, {}).host_keys, StartsWith("ssh-ed25519,"));
  EXPECT_THAT(choose_algorithms(false, {"ssh-rsa"}).host_keys,
              StartsWith("rsa-sha2-512,rsa-sha2-256,ssh-ed25519,"));
  EXPECT_THAT(choose_algorithms(true, {"ssh-rsa"}).host_keys,
              StartsWith("rsa-sha2-512,rsa-sha2-256,ssh-rsa,ssh-ed25519,"));
}

TEST(Algorithms, OffersOldOnesOnlyOnRequest) {
  const auto modern = choose_algorithms(false, {});
  const auto old = choose_algorithms(true, {});
  EXPECT_THAT(modern.key_exchange, Not(HasSubstr("sha1")));
  EXPECT_THAT(modern.ciphers, Not(HasSubstr("cbc")));
  EXPECT_THAT(modern.host_keys, Not(HasSubstr("ssh-rsa")));
  EXPECT_THAT(old.key_exchange,
              AllOf(StartsWith(modern.key_exchange), HasSubstr("diffie-hellman-group1-sha1")));
  EXPECT_THAT(old.ciphers, AllOf(StartsWith(modern.ciphers), HasSubstr("3des-cbc")));
  EXPECT_THAT(old.macs, HasSubstr(",hmac-sha1"));
  EXPECT_THAT(old.public_keys, HasSubstr(",ssh-rsa"));
}

TEST(Algorithms, ExplainsAMismatch) {
  const std::string kex =
      "kex error : no match for method kex algos: server [x,diffie-hellman-group1-sha1], client "
      "[y]";
  EXPECT_EQ(explain_mismatch(kex, false),
            "no common key exchange method: it offers x,diffie-hellman-group1-sha1 "
            "(--legacy-algorithms or --kex +diffie-hellman-group1-sha1 allows it)");
  EXPECT_THAT(*explain_mismatch(kex, true), Not(HasSubstr("--legacy-algorithms")));
  EXPECT_EQ(explain_mismatch("kex error : no match for method server host key algo: server "
                             "[ssh-dss], client [y]",
                             false),
            "no common host key type: it offers ssh-dss");
  EXPECT_THAT(*explain_mismatch("kex error : no match for method encryption client->server: server "
                                "[3des-cbc",
                                false),
              HasSubstr("no common cipher: it offers 3des-cbc (--legacy"));
  EXPECT_EQ(explain_mismatch("no match for method mac algo client->server: server "
                             "[hmac-sha2-512], client [hmac-sha2-256]",
                             false),
            "no common MAC: it offers hmac-sha2-512 (--macs +hmac-sha2-512 allows it)");
  EXPECT_THAT(
      *explain_mismatch("no match for method mac algo server->client: server [], client []", false),
      HasSubstr("no common MAC: it offers none"));
  EXPECT_EQ(explain_mismatch("Socket error: disconnected", false), std::nullopt);
  EXPECT_EQ(explain_mismatch("no match for method ", false), std::nullopt);
}

TEST(Algorithms, TakesAHostsOwnLists) {
  const auto options = read_options("ciphers +3des-cbc\nhost_key_algorithms ssh-rsa\n", false);
  ASSERT_TRUE(options) << options.error().message;
  const auto chosen = choose_algorithms(false, {"ssh-ed25519"}, *options);
  EXPECT_THAT(chosen.ciphers, ::testing::EndsWith(",aes256-ctr,3des-cbc"));
  EXPECT_EQ(chosen.host_keys, "ssh-rsa");
  EXPECT_EQ(chosen.macs, choose_algorithms(false, {}).macs);
  EXPECT_FALSE(read_options("ciphers rot13\n", false));
  EXPECT_FALSE(read_options("compression yes\n", false));
}

// A name that libssh does not have would be left out silently, or refused.
TEST(Algorithms, AreAllKnownToLibssh) {
  constexpr std::array kOptions = {SSH_OPTIONS_KEY_EXCHANGE, SSH_OPTIONS_CIPHERS_C_S,
                                   SSH_OPTIONS_HMAC_C_S, SSH_OPTIONS_HOSTKEYS,
                                   SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES};
  ssh_session session = ssh_new();
  for (const auto& info : algorithm_kinds()) {
    const std::string known = known_algorithms(info.kind);
    for (const std::string_view name : split_algorithms(known)) {
      EXPECT_EQ(ssh_options_set(session, kOptions[static_cast<std::size_t>(info.kind)],
                                std::string(name).c_str()),
                SSH_OK)
          << name;
    }
  }
  ssh_free(session);
}

class ResolverTest : public ::testing::Test {
 protected:
  std::optional<Expected<Resolver::Endpoints>> resolve(std::string name, Nanoseconds patience) {
    auto look_up = [&]() -> asio::awaitable<std::optional<Expected<Resolver::Endpoints>>> {
      asio::steady_timer until(context);
      until.expires_after(patience);
      auto answer = co_await resolver.resolve(name, 830, until);
      co_return answer;
    };
    return run_to_end(context, look_up());
  }
  asio::io_context context{1};
  Resolver resolver{1};
};

TEST_F(ResolverTest, TakesLiteralsAsTheyAre) {
  const auto four = resolve("192.0.2.7", 0s);
  ASSERT_TRUE(four && *four);
  EXPECT_EQ((**four)[0].address().to_string(), "192.0.2.7");
  EXPECT_EQ((**four)[0].port(), 830);
  const auto six = resolve("2001:db8::1", 0s);
  ASSERT_TRUE(six && *six);
  EXPECT_TRUE((**six)[0].address().is_v6());
  const auto scoped = resolve("fe80::1%lo", 0s);
  ASSERT_TRUE(scoped && *scoped);
  EXPECT_NE((**scoped)[0].address().to_v6().scope_id(), 0u);
}

TEST_F(ResolverTest, LooksNamesUp) {
  const auto found = resolve("localhost", 20s);
  ASSERT_TRUE(found && *found);
  EXPECT_TRUE((**found)[0].address().is_loopback());
  EXPECT_EQ((**found)[0].port(), 830);
}

TEST_F(ResolverTest, GivesTheResolversReason) {
  const auto missing = resolve("no_such_name.invalid", 50s);
  ASSERT_TRUE(missing.has_value());
  ASSERT_FALSE(*missing);
  EXPECT_FALSE(missing->error().message.empty());
}

TEST_F(ResolverTest, DropsALateAnswer) {
  for (int i = 0; i < 200; ++i) {
    const auto late = resolve("localhost", 0s);
    EXPECT_TRUE(!late || *late);  // it may still have been quick enough
  }
  EXPECT_TRUE(resolve("localhost", 20s).has_value());
}

TEST_F(ResolverTest, OutlivesTheContextThatAsked) {
  for (int i = 0; i < 100; ++i) {
    asio::io_context brief(1);
    auto look_up = [&]() -> asio::awaitable<void> {
      asio::steady_timer until(brief);
      until.expires_after(60s);
      co_await resolver.resolve("localhost", 22, until);
    };
    asio::co_spawn(brief, look_up(), asio::detached);
    brief.poll();
  }
  EXPECT_TRUE(resolve("localhost", 20s).has_value());
}

class IdentityTest : public ::testing::Test {
 protected:
  std::string error_of(const std::string& path, const std::string& passphrase = "",
                       const std::string& certificate = "") {
    auto credential = std::make_shared<Credential>();
    credential->keys.push_back({path, Secret(passphrase), certificate});
    const auto loaded = Identity::load(credential);
    return loaded ? "" : loaded.error().message;
  }
  TemporaryDirectory directory;
  std::string key = directory / "key";
};

TEST_F(IdentityTest, LoadsEveryKindOfKey) {
  for (const std::string type : {"ed25519", "rsa", "ecdsa"}) {
    const std::string path = directory / type;
    make_key(path, type);
    EXPECT_EQ(error_of(path), "");
    EXPECT_EQ(Identity::needs_passphrase(path).value(), false);
  }
  make_key(directory / "pem", "rsa", "top secret");
  must_run({"ssh-keygen", "-q", "-p", "-m", "PEM", "-P", "top secret", "-N", "top secret", "-f",
            directory / "pem"});
  EXPECT_EQ(Identity::needs_passphrase(directory / "pem").value(), true);
  EXPECT_EQ(error_of(directory / "pem", "top secret"), "");
}

TEST_F(IdentityTest, SaysWhatIsWrongWithAPassphrase) {
  make_key(key, "ed25519", "top secret");
  EXPECT_EQ(Identity::needs_passphrase(key).value(), true);
  EXPECT_EQ(error_of(key, "top secret"), "");
  EXPECT_EQ(error_of(key), "key " + key + ": it needs a passphrase");
  EXPECT_EQ(error_of(key, "not this one"), "key " + key + ": wrong passphrase");
}

TEST_F(IdentityTest, IgnoresAPassphraseThatIsNotNeeded) {
  make_key(key, "ed25519");
  EXPECT_EQ(error_of(key, "superfluous"), "");
}

TEST_F(IdentityTest, NamesTheFile) {
  EXPECT_EQ(error_of(key), "key " + key + ": no such file or directory");
  write_file(key, "this is no key");
  EXPECT_EQ(error_of(key), "key " + key + ": this is no private key that can be used");
  EXPECT_FALSE(Identity::needs_passphrase(key));
  make_key(directory / "other", "ed25519");
  EXPECT_THAT(error_of(directory / "other.pub"), HasSubstr("too open"));
  chmod((directory / "other.pub").c_str(), 0600);
  EXPECT_THAT(error_of(directory / "other.pub"), HasSubstr("no private key"));
  EXPECT_THAT(error_of(directory.path()), HasSubstr("not a regular file"));
}

TEST_F(IdentityTest, RefusesAKeyThatOthersCanRead) {
  make_key(key, "ed25519");
  chmod(key.c_str(), 0640);
  EXPECT_EQ(error_of(key), "key " + key + ": its permissions 0640 are too open; 0600 is right");
}

TEST_F(IdentityTest, ChecksThatACertificateFits) {
  make_key(directory / "ca", "ed25519");
  make_key(key, "ed25519");
  make_key(directory / "other", "ed25519");
  for (const std::string name : {"key", "other"}) {
    must_run({"ssh-keygen", "-q", "-s", directory / "ca", "-I", "test", "-n", "admin",
              directory / (name + ".pub")});
  }
  EXPECT_EQ(error_of(key, "", directory / "key-cert.pub"), "");
  EXPECT_THAT(error_of(key, "", directory / "other-cert.pub"), HasSubstr("it is not for the key"));
  EXPECT_THAT(error_of(key, "", directory / "key.pub"), HasSubstr("no OpenSSH certificate"));
  EXPECT_THAT(error_of(key, "", directory / "none"), HasSubstr("no such file"));
}

TEST_F(IdentityTest, LoadsWithoutAnAgentThatDoesNotAnswer) {
  const std::string path = directory / "agent";
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(fd, 1), 0);
  setenv("SSH_AUTH_SOCK", path.c_str(), 1);
  auto credential = std::make_shared<Credential>();
  credential->use_agent = true;
  EXPECT_TRUE(Identity::load(credential));
  close(fd);
  unsetenv("SSH_AUTH_SOCK");
  EXPECT_TRUE(Identity::load(credential));
}

}  // namespace
}  // namespace netfleet::ssh

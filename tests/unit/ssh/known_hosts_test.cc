#include "worker/ssh/known_hosts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "tests/unit/ssh/sshd_fixture.h"
#include "worker/ssh/known_hosts_line.h"
#include "worker/ssh/text.h"

namespace netfleet::ssh {
namespace {

using netfleet::testing::read_file;
using netfleet::testing::TemporaryDirectory;
using netfleet::testing::write_file;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Verdict = KnownHosts::Verdict;

std::string blob(std::string_view type, std::string_view rest) {
  std::string result{'\0', '\0', '\0', static_cast<char>(type.size())};
  result.append(type).append(rest);
  return result;
}

const std::string kType = "ssh-ed25519";
const std::string kKey = blob(kType, "the one key");
const std::string kOther = blob(kType, "another key");
const std::string kRsa = blob("ssh-rsa", "an rsa key");

std::string line(const std::string& hosts, const std::string& key = kKey,
                 const std::string& type = kType) {
  return hosts + " " + type + " " + encode_base64(key) + "\n";
}

std::string hashed(const std::string& name, const std::string& salt = "01234567890123456789") {
  unsigned char hash[20];
  unsigned size = sizeof(hash);
  HMAC(EVP_sha1(), salt.data(), static_cast<int>(salt.size()),
       reinterpret_cast<const unsigned char*>(name.data()), name.size(), hash, &size);
  return "|1|" + encode_base64(salt) + "|" +
         encode_base64({reinterpret_cast<char*>(hash), sizeof(hash)});
}

class KnownHostsTest : public ::testing::Test {
 protected:
  std::unique_ptr<KnownHosts> load(const std::string& text) {
    write_file(path, text);
    auto loaded = KnownHosts::load(path, {});
    EXPECT_TRUE(loaded) << loaded.error().message;
    return std::move(*loaded);
  }
  TemporaryDirectory directory;
  std::string path = directory / "known_hosts";
};

TEST_F(KnownHostsTest, KnowsPlainNamesInListsWithoutCase) {
  const auto hosts = load("# comment\n\n" + line("one,Two,10.0.0.1"));
  EXPECT_EQ(hosts->check("one", 22, kType, kKey).verdict, Verdict::kKnown);
  EXPECT_EQ(hosts->check("TWO", 22, kType, kKey).where, path + ":3");
  EXPECT_EQ(hosts->check("10.0.0.1", 22, kType, kKey).verdict, Verdict::kKnown);
  EXPECT_EQ(hosts->check("three", 22, kType, kKey).verdict, Verdict::kUnknown);
  EXPECT_THAT(hosts->check("three", 22, kType, kKey).where, IsEmpty());
}

TEST_F(KnownHostsTest, TellsWhereAChangedKeyIs) {
  const auto hosts = load(line("a") + line("b"));
  const auto answer = hosts->check("b", 22, kType, kOther);
  EXPECT_EQ(answer.verdict, Verdict::kChanged);
  EXPECT_EQ(answer.where, path + ":2");
  EXPECT_EQ(hosts->check("b", 22, "ssh-rsa", kRsa).verdict, Verdict::kChanged);
}

TEST_F(KnownHostsTest, AcceptsAnyOfSeveralKeysOfAHost) {
  const auto hosts = load(line("a") + line("a", kOther) + line("a", kRsa, "ssh-rsa"));
  EXPECT_EQ(hosts->check("a", 22, kType, kOther).verdict, Verdict::kKnown);
  EXPECT_EQ(hosts->check("a", 22, "ssh-rsa", kRsa).verdict, Verdict::kKnown);
  EXPECT_THAT(hosts->key_types("a", 22), ElementsAre(kType, "ssh-rsa"));
  EXPECT_THAT(hosts->key_types("b", 22), IsEmpty());
}

TEST_F(KnownHostsTest, TellsPortsApart) {
  const auto hosts = load(line("[a]:2022") + line("b"));
  EXPECT_EQ(hosts->check("a", 2022, kType, kKey).verdict, Verdict::kKnown);
  EXPECT_EQ(hosts->check("a", 22, kType, kKey).verdict, Verdict::kUnknown);
  EXPECT_EQ(hosts->check("a", 2023, kType, kOther).verdict, Verdict::kUnknown);
  // The same key under the name alone counts, as OpenSSH has it; another one does not.
  EXPECT_EQ(hosts->check("b", 2022, kType, kKey).verdict, Verdict::kKnown);
  EXPECT_EQ(hosts->check("b", 2022, kType, kOther).verdict, Verdict::kUnknown);
}

TEST_F(KnownHostsTest, KnowsHashedNames) {
  const auto hosts =
      load(line(hashed("router1")) + line(hashed("[router2]:830", "98765432109876543210")));
  EXPECT_EQ(hosts->check("Router1", 22, kType, kKey).verdict, Verdict::kKnown);
  EXPECT_EQ(hosts->check("router1", 22, kType, kKey).verdict, Verdict::kKnown);  // from the cache
  EXPECT_EQ(hosts->check("router2", 830, kType, kOther).verdict, Verdict::kChanged);
  EXPECT_EQ(hosts->check("router2", 22, kType, kOther).verdict, Verdict::kUnknown);
}

TEST_F(KnownHostsTest, KnowsNamesThatOpenSshHashed) {
  write_file(path, line("switch.example.net") + line("[10.1.2.3]:2222", kOther));
  netfleet::testing::must_run({"ssh-keygen", "-q", "-H", "-f", path});
  ASSERT_THAT(read_file(path), HasSubstr("|1|"));
  const auto hosts = std::move(*KnownHosts::load("", {path}));
  EXPECT_EQ(hosts->check("switch.example.net", 22, kType, kKey).verdict, Verdict::kKnown);
  EXPECT_EQ(hosts->check("10.1.2.3", 2222, kType, kOther).verdict, Verdict::kKnown);
}

TEST_F(KnownHostsTest, MatchesWildcardsAndNegations) {
  const auto hosts = load(line("*.lab,!core.lab,r?"));
  EXPECT_EQ(hosts->check("edge.lab", 22, kType, kKey).verdict, Verdict::kKnown);
  EXPECT_EQ(hosts->check("core.lab", 22, kType, kKey).verdict, Verdict::kUnknown);
  EXPECT_EQ(hosts->check("r1", 22, kType, kKey).verdict, Verdict::kKnown);
  EXPECT_EQ(hosts->check("r12", 22, kType, kKey).verdict, Verdict::kUnknown);
}

TEST_F(KnownHostsTest, RefusesRevokedKeysEverywhereAndIgnoresAuthorities) {
  const auto hosts = load("@revoked " + line("*", kOther) + line("a", kOther) + "@cert-authority " +
                          line("*.example") + "@new-marker " + line("x"));
  const auto answer = hosts->check("a", 22, kType, kOther);
  EXPECT_EQ(answer.verdict, Verdict::kRevoked);
  EXPECT_EQ(answer.where, path + ":1");
  EXPECT_EQ(hosts->check("b.example", 22, kType, kKey).verdict, Verdict::kUnknown);
  EXPECT_EQ(hosts->check("x", 22, kType, kKey).verdict, Verdict::kUnknown);
}

TEST_F(KnownHostsTest, SkipsMalformedLines) {
  const auto hosts =
      load("a\na ssh-ed25519\na ssh-ed25519 !!!!\na ssh-rsa " + encode_base64(kKey) +
           "\n|1|xx|yy " + line("").substr(1) + "|1|| ssh-ed25519 AAAA\n\xff\xfe\n" +
           "a 2048 65537 1234567890\n" + std::string(100'000, 'x') + "\r\n  " + line("ok"));
  EXPECT_EQ(hosts->check("a", 22, kType, kKey).verdict, Verdict::kUnknown);
  EXPECT_EQ(hosts->check("ok", 22, kType, kKey).verdict, Verdict::kKnown);
}

TEST_F(KnownHostsTest, CreatesItsFilePrivately) {
  const std::string fresh = directory / "new/deeper/known_hosts";
  const auto hosts = std::move(*KnownHosts::load(fresh, {}));
  ASSERT_TRUE(hosts->add("fe80::1", 22, kType, kKey));
  ASSERT_TRUE(hosts->add("a", 2022, kType, kOther));
  EXPECT_EQ(read_file(fresh), line("fe80::1") + line("[a]:2022", kOther));
  struct stat status{};
  ASSERT_EQ(stat(fresh.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  ASSERT_EQ(stat((directory / "new/deeper").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  EXPECT_EQ(hosts->check("a", 2022, kType, kOther).where, fresh + ":2");
}

TEST_F(KnownHostsTest, AppendsBehindALineWithoutEnd) {
  const auto hosts = load("# no newline");
  ASSERT_TRUE(hosts->add("a", 22, kType, kKey));
  EXPECT_EQ(read_file(path), "# no newline\n" + line("a"));
  EXPECT_EQ(hosts->check("a", 22, kType, kKey).where, path + ":2");
}

TEST_F(KnownHostsTest, TakesInWhatOthersAppended) {
  const auto first = load("");
  const auto second = load("");
  ASSERT_TRUE(first->add("a", 22, kType, kKey));
  ASSERT_TRUE(second->add("a", 22, kType, kOther));
  EXPECT_EQ(second->check("a", 22, kType, kOther).verdict, Verdict::kChanged);
  EXPECT_EQ(read_file(path), line("a"));
}

TEST_F(KnownHostsTest, NoticesThatTheFileWasReplaced) {
  const auto hosts = load(line("a"));
  write_file(directory / "fresh", line("b") + line("c", kOther));
  ASSERT_EQ(rename((directory / "fresh").c_str(), path.c_str()), 0);
  ASSERT_TRUE(hosts->add("d", 22, kType, kKey));
  EXPECT_EQ(hosts->check("c", 22, kType, kOther).verdict, Verdict::kKnown);
  EXPECT_EQ(read_file(path), line("b") + line("c", kOther) + line("d"));
}

TEST_F(KnownHostsTest, KeepsKeysInMemoryWithoutAFile) {
  const auto hosts = std::move(*KnownHosts::load("", {directory / "missing"}));
  ASSERT_TRUE(hosts->add("a", 22, kType, kKey));
  EXPECT_EQ(hosts->check("a", 22, kType, kKey).verdict, Verdict::kKnown);
  EXPECT_EQ(hosts->check("a", 22, kType, kOther).verdict, Verdict::kChanged);
}

TEST_F(KnownHostsTest, WritesNoNameThatWouldMeanSomethingElse) {
  const auto hosts = load("");
  for (const char* name : {"*", "a b", "!a", "a,b", "a\nb", "@revoked", "#a", "|1|a"}) {
    EXPECT_FALSE(hosts->add(name, 22, kType, kKey)) << name;
  }
  EXPECT_EQ(read_file(path), "");
}

TEST_F(KnownHostsTest, SaysWhichFileCannotBeRead) {
  const auto loaded = KnownHosts::load("", {directory.path()});
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr(directory.path()));
}

TEST_F(KnownHostsTest, AddsFromManyThreads) {
  const auto hosts = load("");
  constexpr int kThreads = 4;
  constexpr int kNames = 50;
  std::vector<std::jthread> threads;
  std::atomic<int> known{0};
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const std::string key = blob(kType, std::to_string(t));
      for (int i = 0; i < kNames; ++i) {
        const std::string name = "host" + std::to_string(i);
        if (!hosts->add(name, 22, kType, key)) continue;
        if (hosts->check(name, 22, kType, key).verdict == Verdict::kKnown) ++known;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(known, kNames);  // each name belongs to the one that came first
  EXPECT_EQ(std::ranges::count(read_file(path), '\n'), kNames);
}

TEST_F(KnownHostsTest, AddsFromSeveralProcesses) {
  write_file(path, "");
  constexpr int kNames = 50;
  std::vector<pid_t> children;
  for (int p = 0; p < 3; ++p) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto hosts = KnownHosts::load(path, {});
      bool good = hosts.has_value();
      for (int i = 0; good && i < kNames; ++i) {
        good = (*hosts)->add("host" + std::to_string(i), 22, kType, kKey).has_value();
      }
      _exit(good ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(std::ranges::count(read_file(path), '\n'), kNames);
  const auto hosts = std::move(*KnownHosts::load(path, {}));
  for (int i = 0; i < kNames; ++i) {
    EXPECT_EQ(hosts->check("host" + std::to_string(i), 22, kType, kKey).verdict, Verdict::kKnown);
  }
}

TEST(KnownHostsLine, KeepsWhatItParses) {
  const auto parsed = parse_known_hosts_line("  @revoked A,b\t" + kType + "  " +
                                             encode_base64(kKey) + " a comment");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->marker, KnownHostsLine::Marker::kRevoked);
  EXPECT_THAT(parsed->patterns, ElementsAre("a", "b"));
  EXPECT_EQ(parsed->key, kKey);
}

TEST(KnownHostsLine, MatchesLongStarPatternsInLinearTime) {
  const std::string text(2000, 'a');
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  EXPECT_TRUE(patterns_match({pattern}, text));
  EXPECT_FALSE(patterns_match({pattern + "b"}, text));
}

}  // namespace
}  // namespace netfleet::ssh

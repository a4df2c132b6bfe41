#include "common/ssh_algorithms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace netfleet {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string resolved(AlgorithmKind kind, std::string_view wanted, bool legacy = false) {
  const auto list = resolve_algorithms(kind, wanted, legacy);
  return list ? *list : "error: " + list.error().message;
}

TEST(SshAlgorithms, ReplacesTheDefault) {
  EXPECT_EQ(resolved(AlgorithmKind::kCiphers, "3des-cbc,aes256-ctr,3des-cbc"),
            "3des-cbc,aes256-ctr");
}

TEST(SshAlgorithms, ChangesTheDefaultAsOpenSshDoes) {
  const std::string macs = default_algorithms(AlgorithmKind::kMacs, false);
  EXPECT_EQ(resolved(AlgorithmKind::kMacs, "+hmac-sha1,hmac-sha2-256"), macs + ",hmac-sha1");
  EXPECT_EQ(resolved(AlgorithmKind::kMacs, "^hmac-sha2-512"),
            "hmac-sha2-512,hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,"
            "hmac-sha2-256");
  EXPECT_EQ(resolved(AlgorithmKind::kMacs, "-*-etm@openssh.com,hmac-sha2-51?"), "hmac-sha2-256");
  EXPECT_EQ(resolved(AlgorithmKind::kMacs, "-hmac-sha2-*", true),
            "hmac-sha1-etm@openssh.com,hmac-sha1");
}

TEST(SshAlgorithms, NamesWhatItDoesNotKnowAndListsWhatItKnows) {
  EXPECT_EQ(resolved(AlgorithmKind::kMacs, "hmac-sha1,hmac-md5"),
            "error: 'hmac-md5' is no MAC that netfleet knows; it knows " +
                known_algorithms(AlgorithmKind::kMacs));
  EXPECT_THAT(resolved(AlgorithmKind::kCiphers, "+aes128-ctr, 3des-cbc"),
              HasSubstr("commas between its names, and no blanks"));
  EXPECT_THAT(resolved(AlgorithmKind::kCiphers, "-*"), HasSubstr("no cipher is left of '*'"));
  EXPECT_THAT(resolved(AlgorithmKind::kCiphers, ""), StartsWith("error: no cipher is left"));
}

TEST(SshAlgorithms, CollectsUnknownNamesOnRequest) {
  std::vector<std::string> unknown;
  const auto list =
      resolve_algorithms(AlgorithmKind::kKeyExchange,
                         "sntrup761x25519-sha512@openssh.com,curve25519-sha256", false, &unknown);
  ASSERT_TRUE(list);
  EXPECT_EQ(*list, "curve25519-sha256");
  EXPECT_THAT(unknown, ElementsAre("sntrup761x25519-sha512@openssh.com"));
  EXPECT_FALSE(resolve_algorithms(AlgorithmKind::kMacs, "umac-64@openssh.com", false, &unknown));
}

TEST(SshAlgorithms, OffersOldOnesOnlyOnRequest) {
  for (const auto& info : algorithm_kinds()) {
    const std::string modern = default_algorithms(info.kind, false);
    EXPECT_THAT(modern, AllOf(Not(HasSubstr("sha1")), Not(HasSubstr("cbc")))) << info.what;
    EXPECT_THAT(default_algorithms(info.kind, true), StartsWith(modern + ","));
  }
}

TEST(SshOptions, AreATextAndBack) {
  SshOptions options;
  EXPECT_EQ(to_text(options), "");
  options[AlgorithmKind::kCiphers] = "+3des-cbc";
  options[AlgorithmKind::kHostKeys] = "ssh-rsa";
  options.refusal = "ssh_config says ProxyJump bastion";
  const std::string text = to_text(options);
  EXPECT_EQ(text,
            "ciphers +3des-cbc\nhost_key_algorithms ssh-rsa\n"
            "refuse ssh_config says ProxyJump bastion\n");
  EXPECT_EQ(parse_ssh_options(text), options);
  EXPECT_EQ(parse_ssh_options(""), SshOptions());
}

TEST(SshOptions, RefuseWhatTheyDoNotKnow) {
  for (const char* text : {"ciphers", "ciphers \n", "ciphers a", "proxy b\n", "\n", "kex a\n\n"}) {
    EXPECT_EQ(parse_ssh_options(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace netfleet

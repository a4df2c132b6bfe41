// Under which names host keys are on record, of servers that are reached directly and of those
// behind jump hosts.
#include "worker/ssh/host_key_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/ssh/sshd_fixture.h"
#include "worker/ssh/text.h"

namespace netfleet::ssh {
namespace {

using netfleet::testing::read_file;
using netfleet::testing::TemporaryDirectory;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Verdict = KnownHosts::Verdict;

std::string key(std::string_view rest) {
  return std::string("\0\0\0\x0bssh-ed25519", 15).append(rest);
}
const std::string kOne = key("one key");
const std::string kOther = key("another key");
constexpr std::string_view kType = "ssh-ed25519";

class HostKeyNamesTest : public ::testing::Test {
 protected:
  Verdict check(const HostKeyNames& names, const std::string& blob) {
    return names.check(*known_hosts, kType, blob).verdict;
  }
  void add(const HostKeyNames& names, const std::string& blob) {
    const auto added = names.add(*known_hosts, kType, blob);
    EXPECT_TRUE(added) << added.error().message;
  }

  TemporaryDirectory directory;
  const std::string path = directory.path() + "/known_hosts";
  std::unique_ptr<KnownHosts> known_hosts = *KnownHosts::load(path, {});
  const HostKeyNames direct{"10.0.0.7", 22, {}};
  const HostKeyNames east{"10.0.0.7", 22, {"192.0.2.1"}};
  const HostKeyNames west{"10.0.0.7", 22, {"192.0.2.2:2222"}};
};

TEST_F(HostKeyNamesTest, AnAddressBehindTwoJumpHostsIsTwoServers) {
  add(east, kOne);
  EXPECT_EQ(check(east, kOne), Verdict::kKnown);
  EXPECT_EQ(check(east, kOther), Verdict::kChanged);
  EXPECT_EQ(check(west, kOther), Verdict::kUnknown);
  EXPECT_EQ(check(direct, kOther), Verdict::kUnknown);
  add(west, kOther);
  EXPECT_EQ(check(west, kOther), Verdict::kKnown);
  EXPECT_EQ(check(east, kOne), Verdict::kKnown);
  EXPECT_THAT(read_file(path), HasSubstr("192.0.2.1>10.0.0.7 ssh-ed25519 "));
  EXPECT_THAT(read_file(path), HasSubstr("192.0.2.2:2222>10.0.0.7 ssh-ed25519 "));
  EXPECT_THAT(east.key_types(*known_hosts), ElementsAre(kType));
}

TEST_F(HostKeyNamesTest, AServerIsKnownOverEachOfItsWays) {
  add({"10.0.0.7", 2200, {"192.0.2.1", "192.0.2.9>192.0.2.2:2222"}}, kOne);
  EXPECT_EQ(check({"10.0.0.7", 2200, {"192.0.2.1"}}, kOther), Verdict::kChanged);
  EXPECT_EQ(check({"10.0.0.7", 2200, {"192.0.2.3", "192.0.2.9>192.0.2.2:2222"}}, kOne),
            Verdict::kKnown);
  EXPECT_EQ(check({"10.0.0.7", 2200, {"192.0.2.3"}}, kOther), Verdict::kUnknown);
  EXPECT_THAT(read_file(path), HasSubstr("[192.0.2.9>192.0.2.2:2222>10.0.0.7]:2200 ssh-ed25519 "));
}

TEST_F(HostKeyNamesTest, WhatIsOnRecordForTheAddressAloneCountsAsWell) {
  add(direct, kOne);
  EXPECT_EQ(check(east, kOne), Verdict::kKnown) << "as ssh -J records it";
  EXPECT_THAT(east.key_types(*known_hosts), ElementsAre(kType));
  EXPECT_EQ(check(east, kOther), Verdict::kUnknown) << "10.0.0.7 is in many networks";
  const HostKeyNames far{"edge-7.example.net", 22, {"192.0.2.1"}};
  EXPECT_THAT(far.key_types(*known_hosts), IsEmpty());
  add({"edge-7.example.net", 22, {}}, kOne);
  EXPECT_EQ(check(far, kOther), Verdict::kChanged) << "that name is in one";
}

TEST_F(HostKeyNamesTest, ARevokedKeyIsRevokedEverywhere) {
  netfleet::testing::write_file(path,
                                "@revoked 10.0.0.7 ssh-ed25519 " + encode_base64(kOne) + "\n");
  known_hosts = *KnownHosts::load(path, {});
  EXPECT_EQ(check(east, kOne), Verdict::kRevoked);
}

TEST(HostKeyNames, KnowsWhatOtherNetworksHaveToo) {
  for (const std::string_view one :
       {"10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "169.254.1.1",
        "127.0.0.1", "fd00::1", "fe80::1", "::1", "::ffff:10.0.0.1", "edge-7"}) {
    EXPECT_TRUE(may_repeat(one)) << one;
  }
  for (const std::string_view one : {"11.0.0.1", "172.32.0.1", "192.169.0.1", "100.128.0.1",
                                     "198.51.100.7", "2001:db8::1", "edge-7.example.net"}) {
    EXPECT_FALSE(may_repeat(one)) << one;
  }
}

}  // namespace
}  // namespace netfleet::ssh

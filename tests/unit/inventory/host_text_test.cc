#include "common/host_text.h"

#include <gmock/gmock.h>

namespace netfleet {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Good {
  const char* text;
  const char* user;
  const char* address;
  int port;
};

class HostTextGood : public ::testing::TestWithParam<Good> {};

TEST_P(HostTextGood, IsTakenApart) {
  const auto parsed = parse_host_text(GetParam().text);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->user, GetParam().user);
  EXPECT_EQ(parsed->address, GetParam().address);
  EXPECT_EQ(parsed->port, GetParam().port);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, HostTextGood,
    ::testing::Values(Good{"edge-1", "", "edge-1", 0}, Good{"10.0.0.1:2222", "", "10.0.0.1", 2222},
                      Good{"admin@edge_1.example.com", "admin", "edge_1.example.com", 0},
                      Good{"[::1]:22", "", "::1", 22}, Good{"[::1]", "", "::1", 0},
                      Good{"::1", "", "::1", 0}, Good{"fe80::1%eth0", "", "fe80::1%eth0", 0},
                      Good{"root@[fe80::1%eth0]:65535", "root", "fe80::1%eth0", 65535},
                      Good{"CORP\\ann@edge", "CORP\\ann", "edge", 0},
                      Good{"ann@realm@edge:1", "ann@realm", "edge", 1},
                      Good{"::ffff:10.0.0.1", "", "::ffff:10.0.0.1", 0},
                      Good{"m\xC3\xBCnchen", "", "m\xC3\xBCnchen", 0}, Good{"1", "", "1", 0}));

struct Bad {
  const char* text;
  const char* message;
};

class HostTextBad : public ::testing::TestWithParam<Bad> {};

TEST_P(HostTextBad, IsRefusedWithTheReason) {
  const auto parsed = parse_host_text(GetParam().text);
  ASSERT_FALSE(parsed) << parsed->address;
  EXPECT_THAT(parsed.error().message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Forms, HostTextBad,
    ::testing::Values(Bad{"", "address is empty"}, Bad{":22", "address is empty"},
                      Bad{"edge:0", "'0' is no port"}, Bad{"edge:70000", "'70000' is no port"},
                      Bad{"edge:abc", "'abc' is no port"}, Bad{"edge:", "'' is no port"},
                      Bad{"edge:22x", "'22x' is no port"}, Bad{"edge:+22", "'+22' is no port"},
                      Bad{"@edge", "user name before '@' is empty"},
                      Bad{"ann@", "address is empty"}, Bad{"[::1", "'[' without ']'"},
                      Bad{"[::1]22", "expected ':port' after ']'"},
                      Bad{"[edge]", "no IPv6 address"}, Bad{"1:2:3", "no IPv6 address"},
                      Bad{"10.0.0.1:22:33", "no IPv6 address"}, Bad{"fe80::1%", "no valid zone"},
                      Bad{"10.0.0.256", "no IPv4 address"},
                      Bad{"-oProxyCommand=x", "is no host name"}, Bad{"-edge", "begins with '-'"},
                      Bad{"ed/ge", "'/' is not allowed"}, Bad{"edge,core", "',' is not allowed"},
                      Bad{"edge\x01", "'?' is not allowed"}));

TEST(HostText, NeverShowsWhatStandsBeforeTheAt) {
  for (const char* text : {"ann:hunter2@edge", "hunter2@", "hunter2@edge:abc", "hunter2@ed/ge"}) {
    const auto parsed = parse_host_text(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().message, Not(HasSubstr("hunter2")));
  }
}

TEST(HostText, BoundsTheLengths) {
  EXPECT_TRUE(parse_host_text(std::string(255, 'a')));
  EXPECT_FALSE(parse_host_text(std::string(256, 'a')));
  EXPECT_TRUE(parse_host_text(std::string(255, 'a') + "@h"));
  EXPECT_FALSE(parse_host_text(std::string(256, 'a') + "@h"));
}

}  // namespace
}  // namespace netfleet

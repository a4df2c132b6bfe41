#include "common/curve.h"

#include <gtest/gtest.h>

namespace netfleet::curve {
namespace {

TEST(Curve, APairBelongsTogether) {
  const auto pair = make_key_pair({Role::kWorker, "eu-1"});
  ASSERT_TRUE(pair);
  EXPECT_TRUE(is_key(pair->public_key));
  EXPECT_TRUE(is_key(pair->secret_key.reveal()));
  EXPECT_EQ(*public_key_of(pair->secret_key), pair->public_key);
  EXPECT_NE(pair->public_key, make_key_pair({Role::kWorker, "eu-1"})->public_key);
}

TEST(Curve, KnowsWhatIsNoKey) {
  const std::string key = make_key_pair({})->public_key;
  EXPECT_FALSE(is_key(""));
  EXPECT_FALSE(is_key(key.substr(1)));
  EXPECT_FALSE(is_key(key + "0"));
  EXPECT_FALSE(is_key(" " + key.substr(1)));
  EXPECT_FALSE(is_key("\"" + key.substr(1)));
  EXPECT_FALSE(public_key_of(Secret("short")));
}

TEST(Curve, NamesAreFileNames) {
  for (const char* name : {"eu-1", "a", "Hub_2.example.net", "0"}) {
    EXPECT_TRUE(check_name(name)) << name;
  }
  for (const char* name :
       {"", ".", "..", ".hidden", "-x", "a/b", "a b", "\xC3\xA9t\xC3\xA9", "a\n"}) {
    EXPECT_FALSE(check_name(name)) << name;
  }
  EXPECT_TRUE(check_name(std::string(64, 'a')));
  EXPECT_FALSE(check_name(std::string(65, 'a')));
}

}  // namespace
}  // namespace netfleet::curve

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/api/api_fixture.h"

namespace netfleet {
namespace {

using testing::HasSubstr;

TEST_F(Api, HealthWithoutTokenSaysLittle) {
  start();
  EXPECT_EQ(get("/v1/health", "").json(), Json({{"ok", true}, {"version", "0.1.0"}}));
  const Json all = get("/v1/health").json();
  EXPECT_EQ(all["workers"], 2);
  EXPECT_EQ(all["since"], "2026-11-25T09:46:40.000Z");
}

}  // namespace
}  // namespace netfleet

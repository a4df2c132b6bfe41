// Which jump hosts a task's route leads over: the worker's own definitions, else the job's.
#include "worker/fleet/jump_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace netfleet {
namespace {

using ::testing::HasSubstr;

class JumpRoutesTest : public ::testing::Test {
 protected:
  JumpRoutesTest() {
    keyring.take("default", Secret("pw"));
    job.jumps = {
        {.name = "a", .address = "192.0.2.1", .user = "u", .credential = "default"},
        {.name = "b", .address = "10.0.0.1", .user = "u", .credential = "other", .via = "a"}};
  }

  std::string address_of(JumpRoutes& routes, std::string_view route) {
    const auto found = routes.find(1, route);
    return found ? (*found)->tiers[0][0]->place() : found.error().message;
  }

  Keyring keyring{{}};
  JobSpec job;
};

TEST_F(JumpRoutesTest, NoRouteIsDirectly) {
  JumpRoutes routes({}, keyring);
  const auto found = routes.find(1, "");
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, nullptr);
}

TEST_F(JumpRoutesTest, EachIsMadeOnceUntilSomethingChanges) {
  JumpRoutes routes({}, keyring);
  routes.know_job(1, job);
  const auto first = routes.find(1, "a");
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(*routes.find(1, "a"), *first);
  keyring.take("default", Secret("another"));
  routes.forget_routes();
  const auto second = routes.find(1, "a");
  EXPECT_NE((*second)->tiers[0][0]->identity, (*first)->tiers[0][0]->identity);
  routes.forget_job(1);
  EXPECT_THAT(address_of(routes, "a"), HasSubstr("no jump host 'a' is defined, neither by"));
}

TEST_F(JumpRoutesTest, WhatIsMissingIsSaid) {
  JumpRoutes routes({}, keyring);
  routes.know_job(1, job);
  EXPECT_EQ(address_of(routes, "b"),
            "jump host 'b': no credential 'other' here, and the dispatcher sent none");
  keyring.take("other", Secret("pw"));
  EXPECT_EQ(address_of(routes, "b"), "192.0.2.1>10.0.0.1") << "it was not remembered as missing";
}

TEST_F(JumpRoutesTest, TheWorkersOwnGoBeforeTheJobs) {
  JumpHosts own;
  own["a"] = {.name = "a", .address = "198.51.100.1", .user = "own", .credential = "default"};
  own["c"] = {
      .name = "c", .address = "198.51.100.3", .user = "own", .credential = "default", .via = "a"};
  JumpRoutes routes(own, keyring);
  routes.know_job(1, job);
  EXPECT_EQ(address_of(routes, "a"), "198.51.100.1");
  EXPECT_EQ(address_of(routes, "c"), "198.51.100.1>198.51.100.3");
  routes.forget_jobs();
  routes.know_job(2, JobSpec());
  EXPECT_TRUE(routes.find(2, "c"));
}

}  // namespace
}  // namespace netfleet

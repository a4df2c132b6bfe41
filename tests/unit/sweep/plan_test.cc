#include "dispatcher/sweep/plan.h"

#include <gmock/gmock.h>

#include "dispatcher/sweep/heartbeat.h"

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::IsEmpty;

TaskSpec task(std::string address, std::uint16_t port = 22, std::string region = "") {
  TaskSpec one;
  one.address = std::move(address);
  one.port = port;
  one.region = std::move(region);
  return one;
}

TEST(SharedDevices, NothingWhereAllAreAlone) {
  EXPECT_THAT(shared_devices({}), IsEmpty());
  const std::vector<TaskSpec> tasks = {task("10.0.0.1"), task("10.0.0.2"), task("10.0.0.1", 23),
                                       task("10.0.0.1", 22, "eu")};
  EXPECT_THAT(shared_devices(tasks), IsEmpty());
}

TEST(SharedDevices, SameAddressAndPortInOneRegion) {
  const std::vector<TaskSpec> tasks = {task("10.0.0.1"), task("10.0.0.2"), task("10.0.0.1"),
                                       task("edge", 22, "eu"), task("EDGE", 22, "eu")};
  const auto devices = shared_devices(tasks);
  EXPECT_THAT(devices, ElementsAre(Gt(0u), 0u, devices[0], Gt(0u), devices[3]));
  EXPECT_NE(devices[0], devices[3]);
}

TEST(SharedDevices, AnAddressBehindOtherJumpHostsIsAnotherDevice) {
  std::vector<TaskSpec> tasks(7, task("10.0.0.1"));
  tasks[1].jump = "a";
  tasks[2].jump = "b";
  tasks[3].jump = "a|b,c";
  tasks[4].jump = "c,b|a";
  tasks[5].jump = "x>a";
  tasks[6].jump = "a>x";
  const auto devices = shared_devices(tasks);
  EXPECT_THAT(devices, ElementsAre(0u, Gt(0u), 0u, Gt(0u), devices[3], devices[1], 0u))
      << "whoever connects to it counts, in whatever order they are tried";
}

TEST(SharedDevices, AnIpv6AddressHasOneIdentityInAnySpelling) {
  const std::vector<TaskSpec> tasks = {task("2001:db8::7"), task("2001:0DB8:0:0::7"),
                                       task("fe80::1%eth0"), task("fe80::1%eth1")};
  const auto devices = shared_devices(tasks);
  EXPECT_THAT(devices, ElementsAre(Gt(0u), devices[0], 0u, 0u));
}

TEST(PlanLimits, EachTaskHasItsSet) {
  Inventory inventory;
  inventory.limits.resize(2);
  inventory.limits[0].name = "a";
  inventory.limits[0].sessions = 3;
  inventory.limits[1].name = "b";
  inventory.limits[1].logins_per_second = 0.5;
  inventory.limits[1].burst = 2;
  inventory.limit_lists = {{}, {0, 1}};
  std::vector<Host> hosts(2);
  hosts[1].limits = 1;
  const LimitPlan plan = plan_limits(inventory, hosts);
  EXPECT_THAT(plan.limits, ElementsAre(LimitSpec{"a", 3, 0, 1}, LimitSpec{"b", 0, 0.5, 2}));
  EXPECT_THAT(plan.sets, ElementsAre(IsEmpty(), ElementsAre(0, 1)));
  EXPECT_THAT(plan.set_of_task, ElementsAre(0, 1));
  EXPECT_THAT(plan_limits(Inventory{}, hosts).set_of_task, IsEmpty()) << "no limits, no memory";
}

TEST(Heartbeat, ASeventhOfTheLeaseAndFiftyASecondOverTheFleet) {
  using std::chrono::seconds;
  EXPECT_EQ(heartbeat_for(seconds(7), 1), seconds(1));
  EXPECT_EQ(heartbeat_for(seconds(7), 100), seconds(2));
  for (const std::uint32_t workers : {1u, 50u, 100u, 5000u}) {
    const Milliseconds lease = shortest_lease(workers);
    EXPECT_GE(lease, kShortestLease);
    EXPECT_LE(heartbeat_for(lease, workers) * kHeartbeatsALease, lease);
    EXPECT_GE(heartbeat_for(lease, workers) * kHeartbeatsASecond, seconds(workers));
  }
}

}  // namespace
}  // namespace netfleet

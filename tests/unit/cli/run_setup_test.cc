// What a sweep that goes on takes from its store, and what from the inventory that is given again.
#include "dispatcher/cli/run_setup.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/unit/store/test_support.h"

namespace netfleet {
namespace {

WorkerSide no_worker() {
  WorkerSide side;
  side.needs_passphrase = [](const std::string&) -> Expected<bool> { return false; };
  side.check_platforms = [](const std::string&, const std::vector<std::string>&) -> Expected<void> {
    return {};
  };
  return side;
}

TEST(SetUpResume, AnInventoryOfSomeOfTheHostsIsEnoughForTheirPasswords) {
  auto store = Store::open("").value();
  auto tasks = some_tasks(100);
  for (auto& task : tasks) task.credential = "default";
  for (const std::uint32_t with_password : {0, 50, 99}) {
    tasks[with_password].credential = "inventory:7";  // named so when the sweep began
  }
  auto sweep = some_sweep("20261122-191548-3fa9", {"show"}, 100);
  ASSERT_TRUE(store.add_sweep(sweep, tasks));
  const std::string path = ::testing::TempDir() + "some-of-the-hosts.csv";
  std::ofstream(path) << "name,password\nedge-0,secret\nedge-50,secret\nedge-99,secret\n";
  RunOptions options;
  options.resume = "last";
  options.inventories = {path};
  options.listen = "tcp://192.0.2.1:7600";  // no password is asked for
  options.send_credentials = false;
  const auto setup = set_up_resume(options, store, no_worker());
  ASSERT_TRUE(setup) << setup.error().message;
  EXPECT_EQ(setup->tasks[50].credential, "inventory:1");
  EXPECT_EQ(setup->tasks[51].credential, "default");
}

}  // namespace
}  // namespace netfleet

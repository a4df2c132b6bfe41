#include <fmt/format.h>
#include <gmock/gmock.h>

#include "dispatcher/inventory/inventory.h"
#include "dispatcher/inventory/parsers.h"

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(InventoryFromArguments, TakesCommaSeparatedHosts) {
  const auto inventory = inventory_from_arguments({"a,ann@b:2222", "[::1]:22,"});
  ASSERT_TRUE(inventory) << inventory.error().message;
  ASSERT_EQ(inventory->hosts.size(), 3u);
  EXPECT_EQ(inventory->hosts[1].user, "ann");
  EXPECT_EQ(inventory->hosts[2].address, "::1");
}

TEST(InventoryFromArguments, RefusesBlanksAndBadHosts) {
  EXPECT_FALSE(inventory_from_arguments({"a b"}));
  const auto inventory = inventory_from_arguments({"a:0"});
  ASSERT_FALSE(inventory);
  EXPECT_THAT(inventory.error().message, HasSubstr("'0' is no port"));
}

TEST(MergeInventory, LeavesOutWhatIsThere) {
  Inventory inventory;
  merge_inventory(inventory, *parse_text_inventory("a\nb\n", "one"));
  merge_inventory(inventory, *parse_text_inventory("b junos\nc\nc\n", "two"));
  ASSERT_EQ(inventory.hosts.size(), 3u);
  EXPECT_EQ(inventory.hosts[1].platform, "");
  EXPECT_EQ(inventory.hosts[2].name, "c");
  EXPECT_THAT(inventory.warnings,
              ElementsAre("two:3: host c was given before (line 2); ignored",
                          "host b was given before, in an earlier inventory; ignored"));
}

TEST(MergeInventory, GivesEachPasswordOneName) {
  Inventory inventory;
  merge_inventory(inventory, *parse_csv_inventory("name,password\na,one\nb,two\n", "1"));
  merge_inventory(inventory, *parse_csv_inventory("name,password\nc,three\nd,two\ne,one\n", "2"));
  ASSERT_EQ(inventory.passwords.size(), 3u);
  std::vector<std::string_view> passwords;
  for (const Host& host : inventory.hosts) {
    passwords.push_back(inventory.passwords.at(host.credential.str())->reveal());
  }
  EXPECT_THAT(passwords, ElementsAre("one", "two", "three", "two", "one"));
}

TEST(MergeInventory, KeepsThePasswordsOfPrivilegedMode) {
  const char* devices =
      "a{0}: {{host: a, password: p, secret: {1}}}\n"
      "b{0}: {{host: b, password: p}}\n";
  const auto read = [&](int number, const char* secret) {
    return *parse_netmiko_inventory(fmt::format(fmt::runtime(devices), number, secret), "f");
  };
  Inventory inventory;
  merge_inventory(inventory, read(1, "x"));
  merge_inventory(inventory, read(2, "y"));
  merge_inventory(inventory, read(3, "x"));
  std::vector<std::string> secrets;
  for (const Host& host : inventory.hosts) {
    const auto found = inventory.enable_passwords.find(host.credential.str());
    secrets.emplace_back(found == inventory.enable_passwords.end() ? "" : found->second->reveal());
  }
  EXPECT_THAT(secrets, ElementsAre("x", "", "y", "", "x", ""));
  EXPECT_EQ(inventory.passwords.size(), 3u);
}

}  // namespace
}  // namespace netfleet

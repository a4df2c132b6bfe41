#include <gmock/gmock.h>

#include "dispatcher/inventory/parsers.h"

namespace netfleet {
namespace {

TEST(Sniff, TellsTheFormatsApart) {
  EXPECT_EQ(sniff_format(""), InventoryFormat::kText);
  EXPECT_EQ(sniff_format("edge-1\nedge-2\n"), InventoryFormat::kText);
  EXPECT_EQ(sniff_format("hosts:22\n"), InventoryFormat::kText);
  EXPECT_EQ(sniff_format("name\n"), InventoryFormat::kText);
  EXPECT_EQ(sniff_format("site,region\n"), InventoryFormat::kText);
  EXPECT_EQ(sniff_format("\xEF\xBB\xBFname,ip\r\n"), InventoryFormat::kCsv);
  EXPECT_EQ(sniff_format("# x\n\nsite;\"Host\"\n"), InventoryFormat::kCsv);
  EXPECT_EQ(sniff_format("hosts:"), InventoryFormat::kYaml);
  EXPECT_EQ(sniff_format("---\na: {}\n"), InventoryFormat::kYaml);
  EXPECT_EQ(sniff_format("groups: {}\nhosts: {a: {}}\n"), InventoryFormat::kYaml);
  EXPECT_EQ(sniff_format("  hosts: \n"), InventoryFormat::kText);
}

}  // namespace
}  // namespace netfleet

#include <gmock/gmock.h>

#include "dispatcher/inventory/parsers.h"

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<std::string> names(const Inventory& inventory) {
  std::vector<std::string> result;
  for (const Host& host : inventory.hosts) result.push_back(host.name.str());
  return result;
}

Inventory parsed(std::string_view text) {
  auto inventory = parse_text_inventory(text, "f");
  EXPECT_TRUE(inventory) << inventory.error().message;
  return inventory ? *std::move(inventory) : Inventory{};
}

std::string error_of(std::string_view text) {
  const auto inventory = parse_text_inventory(text, "f");
  return inventory ? "no error" : inventory.error().message;
}

TEST(TextReader, AHashWithinAWordIsNoComment) {
  EXPECT_THAT(error_of("edge#1\n"), HasSubstr("f:1: 'edge#1' is no host name"));
}

TEST(TextReader, TakesUserPortPlatformAndComments) {
  const Inventory inventory =
      parsed("# all\n\nedge-2\nann@edge-1:2222 cisco_ios\n  core  # the core\n\t#x\n");
  ASSERT_THAT(names(inventory), ElementsAre("edge-2", "edge-1:2222", "core"));
  EXPECT_EQ(inventory.hosts[1].address, "edge-1");
  EXPECT_EQ(inventory.hosts[1].user, "ann");
  EXPECT_EQ(inventory.hosts[1].port, 2222);
  EXPECT_EQ(inventory.hosts[1].platform, "cisco_ios");
  EXPECT_EQ(inventory.hosts[2].platform, "");
  EXPECT_THAT(inventory.warnings, IsEmpty());
}

TEST(TextReader, TakesEveryLineEndingAndAByteOrderMark) {
  EXPECT_THAT(names(parsed("\xEF\xBB\xBFone\r\ntwo \t\r\n\r\nthree")),
              ElementsAre("one", "two", "three"));
}

TEST(TextReader, AnEmptyTextHasNoHosts) {
  EXPECT_THAT(parsed("").hosts, IsEmpty());
  EXPECT_THAT(parsed("\n# nothing\n").hosts, IsEmpty());
}

TEST(TextReader, KeepsTheFirstOfTwoAndWarns) {
  const Inventory inventory = parsed("edge:22\ncore\nedge:22\ncore junos\n");
  EXPECT_THAT(names(inventory), ElementsAre("edge:22", "core"));
  EXPECT_THAT(inventory.warnings,
              ElementsAre("f:3: host edge:22 was given before (line 1); ignored",
                          "f:4: host core was given before (line 2); ignored"));
  EXPECT_EQ(inventory.hosts[1].platform, "");
}

TEST(TextReader, PortsAndUsersTellHostsApart) {
  const Inventory inventory = parsed(
      "127.0.0.1:2201\n127.0.0.1:2202\n[::1]:2201\nann@edge\nbob@edge\nbob@edge\nann@edge\n");
  EXPECT_THAT(names(inventory),
              ElementsAre("127.0.0.1:2201", "127.0.0.1:2202", "[::1]:2201", "edge", "bob@edge"));
  EXPECT_EQ(inventory.warnings.size(), 2u);
}

TEST(TextReader, CollectsTwentyErrorsAndCountsTheRest) {
  std::string text;
  for (int i = 0; i < 25; ++i) text += "edge:0\n";
  const std::string message = error_of(text);
  EXPECT_THAT(message, HasSubstr("f:1: '0' is no port"));
  EXPECT_THAT(message, HasSubstr("f:20: '0' is no port"));
  EXPECT_THAT(message, Not(HasSubstr("f:21:")));
  EXPECT_THAT(message, HasSubstr("... and 5 more"));
}

TEST(TextReader, RefusesWhatIsNoText) {
  EXPECT_EQ(error_of(std::string_view("a\nb\0c", 5)),
            "f:2: the inventory is no text: it holds a NUL byte");
  EXPECT_THAT(error_of("\xFF\xFE"
                       "a"),
              HasSubstr("UTF-16"));
}

TEST(TextReader, RefusesLongLinesThirdWordsAndSections) {
  EXPECT_EQ(error_of("x" + std::string(4096, ' ') + "\n"),
            "f:1: the line is longer than 4096 bytes");
  EXPECT_THAT(names(parsed("x" + std::string(4095, ' ') + "\n")), ElementsAre("x"));
  EXPECT_THAT(error_of("edge cisco_ios 22\n"), HasSubstr("f:1: expected [user@]host[:port]"));
  EXPECT_THAT(error_of("[routers]\n"), HasSubstr("Ansible INI"));
  EXPECT_THAT(error_of("edge " + std::string(129, 'p')), HasSubstr("longer than 128"));
}

TEST(TextReader, BoundsTheWarnings) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "edge\n";
  EXPECT_EQ(parsed(text).warnings.size(), 1000u);
}

}  // namespace
}  // namespace netfleet

#include <gmock/gmock.h>

#include "dispatcher/inventory/parsers.h"

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

Inventory parsed(std::string_view text) {
  auto inventory = parse_csv_inventory(text, "f.csv");
  EXPECT_TRUE(inventory) << inventory.error().message;
  return inventory ? *std::move(inventory) : Inventory{};
}

std::string error_of(std::string_view text) {
  const auto inventory = parse_csv_inventory(text, "f.csv");
  return inventory ? "no error" : inventory.error().message;
}

TEST(CsvReader, TakesTheKnownColumnsAndKeepsTheRestAsData) {
  const Inventory inventory = parsed(
      "Name,IP,Port,Username,device_type,region,groups,credential,Site\r\n"
      "edge-1,10.0.0.1,2222,ann,cisco_ios,eu,edge; lab ;edge,tacacs,Berlin\r\n"
      "edge-2\r\n");
  ASSERT_EQ(inventory.hosts.size(), 2u);
  const Host& host = inventory.hosts[0];
  EXPECT_EQ(host.name, "edge-1");
  EXPECT_EQ(host.address, "10.0.0.1");
  EXPECT_EQ(host.port, 2222);
  EXPECT_EQ(host.user, "ann");
  EXPECT_EQ(host.platform, "cisco_ios");
  EXPECT_EQ(host.region, "eu");
  EXPECT_THAT(host.groups, ElementsAre("edge", "lab"));
  EXPECT_EQ(host.credential, "tacacs");
  EXPECT_THAT(host.data, ElementsAre(Pair("Site", "Berlin")));
  EXPECT_EQ(inventory.hosts[1].address, "edge-2");
  EXPECT_THAT(inventory.hosts[1].data, IsEmpty());
}

TEST(CsvReader, TakesSemicolonsQuotesAndLineEndingsInFields) {
  const Inventory inventory = parsed(
      "# exported\nname;address;note\n\n\"Core \"\"A\"\"\"; 10.0.0.1 ;\"two\nlines; here\" "
      "\nb;b;\n");
  ASSERT_EQ(inventory.hosts.size(), 2u);
  EXPECT_EQ(inventory.hosts[0].name, "Core \"A\"");
  EXPECT_EQ(inventory.hosts[0].address, "10.0.0.1");
  EXPECT_EQ(inventory.hosts[0].data->at("note"), "two\nlines; here");
}

TEST(CsvReader, FindsNameAndAddressAmongSynonyms) {
  EXPECT_EQ(parsed("hostname,host\na,10.0.0.1\n").hosts[0].name, "a");
  EXPECT_EQ(parsed("hostname,host\na,10.0.0.1\n").hosts[0].address, "10.0.0.1");
  EXPECT_EQ(parsed("name,hostname\na,10.0.0.1\n").hosts[0].address, "10.0.0.1");
  EXPECT_EQ(parsed("ip,site\n10.0.0.1,x\n").hosts[0].name, "10.0.0.1");
  const Host host = parsed("host,site\nann@[::1]:23,x\n").hosts[0];
  EXPECT_EQ(host.name, "ann@[::1]:23");
  EXPECT_EQ(host.address, "::1");
  EXPECT_EQ(host.user, "ann");
  EXPECT_EQ(host.port, 23);
}

TEST(CsvReader, PasswordsBecomeOneCredentialEach) {
  const Inventory inventory =
      parsed("name,password,credential\na,one,\nb,two,\nc,one,\nd,three,tacacs\ne,,\n");
  EXPECT_EQ(inventory.hosts[0].credential, "inventory:1");
  EXPECT_EQ(inventory.hosts[1].credential, "inventory:2");
  EXPECT_EQ(inventory.hosts[2].credential, "inventory:1");
  EXPECT_EQ(inventory.hosts[3].credential, "tacacs");
  EXPECT_EQ(inventory.hosts[4].credential, "");
  ASSERT_EQ(inventory.passwords.size(), 2u);
  EXPECT_EQ(inventory.passwords.at("inventory:2")->reveal(), "two");
  for (const Host& host : inventory.hosts) EXPECT_THAT(host.data, IsEmpty());
}

TEST(CsvReader, SecretColumnsNeverBecomeData) {
  const Inventory inventory = parsed("name,secret\na,hunter2\n");
  EXPECT_THAT(inventory.hosts[0].data, IsEmpty());
  EXPECT_THAT(inventory.warnings, ElementsAre(HasSubstr("f.csv:1: column 'secret' is not used")));
}

TEST(CsvReader, KeepsTheFirstOfTwoAndWarns) {
  const Inventory inventory = parsed("name,ip\na,10.0.0.1\nb,10.0.0.1\na,10.0.0.3\n");
  EXPECT_EQ(inventory.hosts.size(), 2u);
  EXPECT_THAT(inventory.warnings,
              ElementsAre("f.csv:4: host a was given before (line 2); ignored"));
}

TEST(CsvReader, ErrorsNameTheLineAndReadingGoesOn) {
  const std::string message = error_of(
      "name,ip,port\na,10.0.0.1,0\n\"b\nb\",10.0.0.300,\nc,d,22,x\ne\"e,10.0.0.1\n,,22\n"
      "\"f\"g,1.1.1.1\n\"h,1.1.1.1\n");
  EXPECT_THAT(message, HasSubstr("f.csv:2: '0' is no port"));
  EXPECT_THAT(message, HasSubstr("f.csv:3: the host's name 'b?b' holds a control character"));
  EXPECT_THAT(message, HasSubstr("f.csv:5: 4 fields, but the header has 3 columns"));
  EXPECT_THAT(message, HasSubstr("f.csv:6: a '\"' inside a field"));
  EXPECT_THAT(message, HasSubstr("f.csv:7: neither a name nor an address"));
  EXPECT_THAT(message, HasSubstr("f.csv:8: text behind a closing '\"'"));
  EXPECT_THAT(message, HasSubstr("f.csv:9: a '\"' that is never closed"));
}

TEST(CsvReader, RefusesHeadersWithoutAHostAndReservedCredentials) {
  EXPECT_THAT(error_of("site,port\nx,22\n"), HasSubstr("f.csv:1: the header names no column"));
  EXPECT_THAT(error_of("name,credential\na,inventory:1\n"), HasSubstr("is reserved"));
  EXPECT_THAT(parsed("").hosts, IsEmpty());
  EXPECT_THAT(parsed("name,ip\n").hosts, IsEmpty());
}

TEST(CsvReader, NeverShowsAPassword) {
  const std::string message = error_of("name,password\na,\"hunter\n2\"\nb,hunter2,hunter2\n");
  EXPECT_THAT(message, HasSubstr("f.csv:2: the password is not one line"));
  EXPECT_THAT(message, Not(HasSubstr("hunter")));
}

TEST(CsvReader, TakesAlgorithms) {
  const auto inventory = parse_csv_inventory(
      "name,Ciphers,kex\na,+aes128-cbc;3des-cbc,\nb,\"aes128-ctr,aes256-ctr\",\nc,,\n", "f.csv");
  ASSERT_TRUE(inventory) << inventory.error().message;
  EXPECT_EQ(inventory->hosts[0].ssh_options, "ciphers +aes128-cbc,3des-cbc\n");
  EXPECT_EQ(inventory->hosts[1].ssh_options, "ciphers aes128-ctr,aes256-ctr\n");
  EXPECT_EQ(inventory->hosts[2].ssh_options, "");
  const auto wrong = parse_csv_inventory("name,macs\na,hmac-md5\n", "f.csv");
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, ::testing::HasSubstr("f.csv:2: 'hmac-md5' is no MAC"));
}

}  // namespace
}  // namespace netfleet

#include <fcntl.h>
#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "dispatcher/inventory/inventory.h"

namespace netfleet {
namespace {

using ::testing::HasSubstr;

class ReadInventory : public ::testing::Test {
 protected:
  ReadInventory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "inventory-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
  }
  ~ReadInventory() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& name, std::string_view text) {
    const std::string path = directory_ + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  static std::string error_of(const std::string& path) {
    const auto inventory = read_inventory(path);
    return inventory ? "no error" : inventory.error().message;
  }

  std::string directory_;
};

TEST_F(ReadInventory, TellsFormatsByNameAndContent) {
  EXPECT_EQ(read_inventory(write("a.txt", "edge\n"))->hosts[0].name, "edge");
  EXPECT_EQ(read_inventory(write("a.csv", "ip\n10.0.0.1\n"))->hosts[0].name, "10.0.0.1");
  EXPECT_EQ(read_inventory(write("a.yml", "edge: {port: 23}"))->hosts[0].port, 23);
  EXPECT_EQ(read_inventory(write("csv", "name,port\nedge,23\n"))->hosts[0].port, 23);
  EXPECT_EQ(read_inventory(write("yaml", "hosts:\n  edge: {port: 23}"))->hosts[0].port, 23);
}

TEST_F(ReadInventory, ReadsADirectory) {
  write("hosts.yaml", "edge: {groups: [g]}");
  write("groups.yml", "g: {platform: junos}");
  EXPECT_EQ(read_inventory(directory_)->hosts[0].platform, "junos");
  EXPECT_EQ(read_inventory(directory_ + "/")->hosts[0].platform, "junos");
  write("defaults.yaml", "port: x");
  EXPECT_THAT(error_of(directory_), HasSubstr("/defaults.yaml:1: 'x' is no port"));
}

TEST_F(ReadInventory, SaysWhatCannotBeReadAndWhy) {
  EXPECT_EQ(error_of(directory_),
            "read inventory " + directory_ + ": the directory holds no hosts.yaml");
  EXPECT_EQ(error_of(directory_ + "/none"),
            "read inventory " + directory_ + "/none: No such file or directory");
  EXPECT_EQ(error_of(write("empty", "")), "no hosts in " + directory_ + "/empty");
  EXPECT_EQ(error_of(write("comments", "# x\n")), "no hosts in " + directory_ + "/comments");
  EXPECT_EQ(error_of(write("empty.yaml", "hosts: {}")),
            "no hosts in " + directory_ + "/empty.yaml");
}

TEST_F(ReadInventory, RunsProgramsAndReadsTheRest) {
  const std::string path = write("dynamic", "#!/bin/sh\necho '{\"_meta\": {}, \"g\": [\"a\"]}'\n");
  EXPECT_THAT(error_of(path), HasSubstr("dynamic:")) << "a text file, if it cannot be executed";
  ASSERT_EQ(chmod(path.c_str(), 0755), 0);
  const auto dynamic = read_inventory(path);
  ASSERT_TRUE(dynamic) << dynamic.error().message;
  EXPECT_EQ(dynamic->hosts[0].name, "a");
  const auto netmiko = read_inventory(write("x.netmiko.yml", "a: {host: 10.0.0.1}\n"));
  ASSERT_TRUE(netmiko) << netmiko.error().message;
  EXPECT_EQ(netmiko->hosts[0].address, "10.0.0.1");
  const std::string plain = write("plain", "edge\n");
  ASSERT_EQ(chmod(plain.c_str(), 0755), 0);
  EXPECT_TRUE(read_inventory(plain));
}

TEST_F(ReadInventory, RefusesHugeFilesBySize) {
  const std::string path = write("huge", "");
  ASSERT_EQ(truncate(path.c_str(), 1 << 30), 0);
  EXPECT_EQ(error_of(path), "read inventory " + path + ": it is larger than 512 MiB");
}

TEST_F(ReadInventory, ReadsStandardInput) {
  // Larger than the first buffer, through a pipe-like descriptor without a size.
  std::string text = "name,site\n";
  for (int i = 0; i < 20'000; ++i) text += "host-" + std::to_string(i) + ",x\n";
  const std::string path = write("in", text);
  const int saved = dup(STDIN_FILENO);
  FILE* pipe = popen(("cat " + path).c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  dup2(fileno(pipe), STDIN_FILENO);
  const auto inventory = read_inventory("-");
  dup2(saved, STDIN_FILENO);
  close(saved);
  pclose(pipe);
  ASSERT_TRUE(inventory) << inventory.error().message;
  EXPECT_EQ(inventory->hosts.size(), 20'000u);
  EXPECT_EQ(inventory->hosts.back().name, "host-19999");
}

TEST_F(ReadInventory, ReadsManyHosts) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) {
    text += "10." + std::to_string(i >> 16) + "." + std::to_string(i >> 8 & 255) + "." +
            std::to_string(i & 255) + "\n";
  }
  const auto inventory = read_inventory(write("many", text));
  ASSERT_TRUE(inventory) << inventory.error().message;
  EXPECT_EQ(inventory->hosts.size(), 100'000u);
  EXPECT_EQ(inventory->hosts.back().name, "10.1.134.159");
}

}  // namespace
}  // namespace netfleet

#include "dispatcher/output/output_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/store/test_support.h"

namespace netfleet {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

class OutputDirectoryTest : public ::testing::Test {
 protected:
  void write(const TaskResult& result) {
    const auto written = directory_.write(some_task(result.index), result);
    EXPECT_TRUE(written) << written.error().message;
  }
  std::string content(const std::string& name) { return file_content(path_ + "/" + name); }

  TemporaryDirectory temporary_;
  std::string path_ = temporary_ / "a/backup";
  OutputDirectory directory_ = OutputDirectory::open(path_).value();
};

TEST_F(OutputDirectoryTest, HoldsOneCommandsOutputByteForByte) {
  const std::string output("line\r\n\0\xff no end", 15);
  write(ok_result(7, "show run", output));
  EXPECT_EQ(content("edge-7.txt"), output);
  EXPECT_THAT(names_in(path_), UnorderedElementsAre("edge-7.txt"));
}

TEST_F(OutputDirectoryTest, SeparatesSeveralCommands) {
  TaskResult result = ok_result(7, "show clock", "12:00");
  result.commands.push_back(some_output("show users", ""));
  result.commands.push_back(some_output("show x", "x\n"));
  write(result);
  EXPECT_EQ(content("edge-7.txt"), "--- show clock\n12:00\n--- show users\n--- show x\nx\n");
}

TEST_F(OutputDirectoryTest, ReplacesTheFileOfAnEarlierSweep) {
  write(ok_result(7, "show run", "a long old output\n"));
  write(ok_result(7, "show run", "new\n"));
  EXPECT_EQ(content("edge-7.txt"), "new\n");
  write(ok_result(7, "show run", ""));
  EXPECT_EQ(content("edge-7.txt"), "");
}

TEST_F(OutputDirectoryTest, FailuresLeaveTheGoodFileAlone) {
  write(ok_result(7, "show run", "good\n"));
  write(failed_result(7, Outcome::kUnreachable, "no route"));
  TaskResult half = ok_result(7, "show run", "ha");
  half.outcome = Outcome::kDisconnected;
  write(half);
  EXPECT_EQ(content("edge-7.txt"), "good\n");
  half.index = 8;
  write(half);
  EXPECT_THAT(names_in(path_), UnorderedElementsAre("edge-7.txt"));
}

TEST_F(OutputDirectoryTest, NothingLeavesTheDirectory) {
  for (const char* host : {"../../etc/passwd", "..", ".", "", "/abs", "a/b", ".netfleet-1.tmp"}) {
    TaskSpec task = some_task(0);
    task.host = host;
    ASSERT_TRUE(directory_.write(task, ok_result(0, "show", host)));
    EXPECT_EQ(content(output_file_name(host)), host);
  }
  EXPECT_EQ(names_in(path_).size(), 7u);
  EXPECT_THAT(names_in(temporary_ / "a"), UnorderedElementsAre("backup"));
}

TEST(OutputFileName, KeepsOrdinaryNames) {
  EXPECT_EQ(output_file_name("edge-7.example.net"), "edge-7.example.net.txt");
  EXPECT_EQ(output_file_name("2001:db8::1"), "2001:db8::1.txt");
  EXPECT_EQ(output_file_name("höst 1"), "höst 1.txt");
}

TEST(OutputFileName, EncodesWhatAFileCannotBeCalled) {
  EXPECT_EQ(output_file_name("a/b"), "a%2Fb.txt");
  EXPECT_EQ(output_file_name(".hidden"), "%2Ehidden.txt");
  EXPECT_EQ(output_file_name("a\n\x1b\x7f"), "a%0A%1B%7F.txt");
  EXPECT_EQ(output_file_name("a%2Fb"), "a%252Fb.txt");
}

TEST(OutputFileName, IsNeverSharedAndNeverTooLong) {
  const std::string same(300, 'x');
  const std::vector<std::string> hosts = {
      "",     "%",     ".",        "%2E",      "a/b", "a_b",         "a%2Fb",
      "a\nb", "a%0Ab", same + "a", same + "b", same,  same + "/../", std::string(220, 'x')};
  std::set<std::string> names;
  for (const std::string& host : hosts) {
    const std::string name = output_file_name(host);
    EXPECT_LE(name.size(), 255u);
    EXPECT_FALSE(name.starts_with('.'));
    EXPECT_EQ(name.find('/'), std::string::npos);
    EXPECT_TRUE(names.insert(name).second) << name;
  }
}

TEST(OutputDirectoryErrors, NameTheFile) {
  const TemporaryDirectory temporary;
  std::ofstream(temporary / "file") << "x";
  const auto opened = OutputDirectory::open(temporary / "file/backup");
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("file/backup"));

  auto directory = OutputDirectory::open(temporary / "backup").value();
  std::filesystem::create_directory(temporary / "backup/edge-7.txt");
  const auto written = directory.write(some_task(7), ok_result(7, "show", "x"));
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr("edge-7.txt"));
  EXPECT_THAT(names_in(temporary / "backup"), UnorderedElementsAre("edge-7.txt"));
}

TEST(OutputDirectoryErrors, FullDiskKeepsTheOldFileAndLeavesNoOther) {
  SmallDisk disk(256);
  ASSERT_TRUE(disk.mounted()) << "needs root to mount a tmpfs";
  auto directory = OutputDirectory::open(disk / "backup").value();
  ASSERT_TRUE(directory.write(some_task(7), ok_result(7, "show run", "good\n")));
  const auto written =
      directory.write(some_task(7), ok_result(7, "show run", std::string(1'000'000, 'x')));
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr("edge-7.txt: No space left on device"));
  EXPECT_EQ(file_content(disk / "backup/edge-7.txt"), "good\n");
  EXPECT_THAT(names_in(disk / "backup"), UnorderedElementsAre("edge-7.txt"));
}

}  // namespace
}  // namespace netfleet

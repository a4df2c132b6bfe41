#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "dispatcher/cli/options.h"

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Commands : public ::testing::Test {
 protected:
  Commands() {
    std::string pattern = (std::filesystem::temp_directory_path() / "commands-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    options_.commands_file = directory_ + "/commands";
  }
  ~Commands() override { std::filesystem::remove_all(directory_); }
  void write(std::string_view text) {
    std::ofstream(options_.commands_file, std::ios::binary) << text;
  }
  std::string error() const {
    const auto commands = read_commands(options_);
    return commands ? "no error" : commands.error().message;
  }

  std::string directory_;
  RunOptions options_;
};

TEST_F(Commands, ComeFromTheCommandLineThenFromTheFile) {
  options_.commands = {"first"};
  write("\xEF\xBB\xBF# all\r\nshow version \r\n\r\n  # x\n  indented # kept");
  const auto commands = read_commands(options_);
  ASSERT_TRUE(commands) << commands.error().message;
  EXPECT_THAT(*commands, ElementsAre("first", "show version", "  indented # kept"));
}

TEST_F(Commands, ErrorsNameFileAndLine) {
  EXPECT_THAT(error(), HasSubstr("/commands: No such file or directory"));
  write("ok\nno\x01\n");
  EXPECT_THAT(error(), HasSubstr("/commands:2: the command holds a control character"));
  write(std::string(4097, 'x'));
  EXPECT_THAT(error(), HasSubstr("/commands:1: the command is longer than 4096 bytes"));
  write("# nothing\n");
  EXPECT_THAT(error(), HasSubstr("no commands in "));
  options_.commands_file = directory_;
  EXPECT_THAT(error(), HasSubstr("Is a directory"));
}

}  // namespace
}  // namespace netfleet

#include "worker/device/platform_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace netfleet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::SizeIs;
using testing::StartsWith;

std::string error_of(const std::string& text) {
  const auto platform = parse_platform(text, "x.yaml");
  return platform ? "no error" : platform.error().message;
}

TEST(PlatformReader, HasThePlatformsThatAreBuiltIn) {
  const PlatformSet& set = PlatformSet::builtin();
  EXPECT_THAT(set.names(), IsSupersetOf({"cisco_ios", "frr_vtysh", "generic", "linux"}));
  ASSERT_NE(set.find("ios"), nullptr);
  EXPECT_EQ(set.find("ios")->name, "cisco_ios");
  EXPECT_EQ(set.find("iosxe")->name, "cisco_xe");
  EXPECT_EQ(set.find("no_such"), nullptr);
  EXPECT_EQ(set.find("auto"), nullptr);
}

TEST(PlatformReader, ReadsWhatChangesByItself) {
  EXPECT_THAT(error_of("name: box\nmodes: [{name: x, prompt: x}]\nvolatile: ['(', x]\n"),
              HasSubstr("x.yaml:3: regular expression \"(\""));
  EXPECT_EQ(PlatformSet::builtin().find("generic")->volatile_text.size(), 0u);
  EXPECT_GT(PlatformSet::builtin().find("cisco_ios")->volatile_text.size(), 3u);
}

TEST(PlatformReader, ReadsEveryKey) {
  const auto platform = parse_platform(R"(
name: box
aliases: [box-2, box_3]
detect: {server: '^SSH-2.0-Box', prompt: '^box'}
modes:
  - {name: config, prompt: '^box\(c\)#$'}
  - {name: user, prompt: '^box>$'}
confirm_prompt: true
prompt_after_text: true
prepare:
  - {command: page off, when_prompt: '^box', new_prompt: '^BOX'}
pager: {mark: '^more$', key: "\n"}
errors: ['^nope']
confirmations:
  - {prompt: 'sure\?$', reply: 'y', bare: true}
login:
  - {prompt: 'Enter', reply: ''}
logout: bye
line_ending: "\r"
)",
                                       "box.yaml");
  ASSERT_TRUE(platform.has_value()) << platform.error().message;
  EXPECT_EQ(platform->name, "box");
  EXPECT_THAT(platform->aliases, ElementsAre("box-2", "box_3"));
  EXPECT_TRUE(platform->detect.server->matches("SSH-2.0-Box_1"));
  EXPECT_TRUE(platform->detect.prompt->matches("box>"));
  ASSERT_EQ(platform->modes.size(), 2u);
  EXPECT_EQ(platform->modes[0].name, "config");
  EXPECT_TRUE(platform->modes[0].prompt.matches("box(c)#"));
  EXPECT_TRUE(platform->confirm_prompt);
  EXPECT_TRUE(platform->prompt_after_text);
  ASSERT_EQ(platform->prepare.size(), 1u);
  EXPECT_EQ(platform->prepare[0].command, "page off");
  EXPECT_TRUE(platform->prepare[0].when_prompt->matches("box>"));
  EXPECT_TRUE(platform->prepare[0].new_prompt->matches("BOX>"));
  EXPECT_TRUE(platform->pager->matches("more"));
  EXPECT_EQ(platform->pager_key, "\n");
  ASSERT_EQ(platform->errors.size(), 1u);
  EXPECT_TRUE(platform->errors[0].matches("first\nnope"));
  ASSERT_EQ(platform->confirmations.size(), 1u);
  EXPECT_EQ(platform->confirmations[0].reply, "y");
  EXPECT_TRUE(platform->confirmations[0].bare);
  ASSERT_EQ(platform->login.size(), 1u);
  EXPECT_FALSE(platform->login[0].bare);
  EXPECT_EQ(platform->logout, "bye");
  EXPECT_EQ(platform->line_ending, "\r");
}

TEST(PlatformReader, NamesFileAndLineOfAnError) {
  EXPECT_EQ(error_of("name: box\nmodes:\n  - name: user\n    promt: x\n"),
            "x.yaml:3: an item of modes lacks the key \"prompt\"\n"
            "x.yaml:4: unknown key \"promt\" in an item of modes; known are: name, prompt, above");
  EXPECT_THAT(error_of("name: box\nmodes: [{name: user, prompt: '^('}]\n"),
              StartsWith("x.yaml:2: regular expression \"^(\""));
  EXPECT_THAT(error_of("name: box\nnmae: y\n"), HasSubstr("x.yaml:2: unknown key \"nmae\""));
  EXPECT_THAT(error_of("name: box\nname: y\n"), HasSubstr("x.yaml:2: key \"name\" stands twice"));
  EXPECT_THAT(error_of("modes: []\n"), HasSubstr("lacks the key \"name\""));
  EXPECT_THAT(error_of("name: box\n"), HasSubstr("lacks the key \"modes\""));
  EXPECT_THAT(error_of("name: box\nmodes: []\n"), StartsWith("x.yaml:2: "));
  EXPECT_THAT(error_of("name: [a\n"), StartsWith("x.yaml:2: "));
  EXPECT_THAT(error_of("name: Box\nmodes: []\n"), StartsWith("x.yaml:1: a platform's name"));
  EXPECT_THAT(error_of("name: auto\nmodes: []\n"), StartsWith("x.yaml:1: a platform's name"));
  EXPECT_THAT(error_of("- a\n"), StartsWith("x.yaml:1: the platform must be a map"));
  EXPECT_THAT(error_of(""), StartsWith("x.yaml:"));
  EXPECT_THAT(error_of(std::string(300'000, '#')), HasSubstr("larger than"));
}

TEST(PlatformReader, TellsAllThatIsWrong) {
  EXPECT_EQ(
      error_of("name: box\n"
               "tittle: Box\n"
               "modes:\n"
               "  - {name: user, prompt: '^('}\n"
               "  - {name: config, prompt: '#$', abvoe: x}\n"
               "errors: ['a', '[', 'b', '(']\n"
               "moves: [{from: user, to: nowhere, command: ''}]\n"
               "exec: maybe\n"
               "save: {command: write, mode: config}\n"
               "line_ending: x\n"),
      R"(x.yaml:2: unknown key "tittle" in the platform; known are: name, title, confidence, )"
      "aliases, notes, detect, modes, confirm_prompt, prompt_after_text, context_lines, "
      "prepare, moves, configure, save, pager, errors, confirmations, login, logout, "
      "logout_answers, line_ending, exec, volatile\n"
      "x.yaml:4: regular expression \"^(\", at position 3: missing closing parenthesis\n"
      "x.yaml:5: unknown key \"abvoe\" in an item of modes; known are: name, prompt, above\n"
      "x.yaml:6: regular expression \"[\", at position 2: missing terminating ] for "
      "character class\n"
      "x.yaml:6: regular expression \"(\", at position 2: missing closing parenthesis\n"
      "x.yaml:7: a command is one line and not empty\n"
      "x.yaml:8: the platform: exec must be true or false\n"
      R"(x.yaml:10: line_ending must be "\n", "\r" or "\r\n")");
}

TEST(PlatformReader, RefusesTwoModesOfOneName) {
  EXPECT_EQ(error_of("name: box\nmodes:\n  - {name: a, prompt: x}\n  - {name: a, prompt: y}\n"),
            "x.yaml:4: two modes are named \"a\"");
}

TEST(PlatformReader, RefusesWrongKindsOfValues) {
  const std::string head = "name: box\nmodes: [{name: user, prompt: '#$'}]\n";
  EXPECT_EQ(error_of(head), "no error");
  EXPECT_THAT(error_of(head + "confirm_prompt: yes\n"), StartsWith("x.yaml:3: "));
  EXPECT_THAT(error_of(head + "errors: text\n"), StartsWith("x.yaml:3: "));
  EXPECT_THAT(error_of(head + "errors: [[a]]\n"), StartsWith("x.yaml:3: "));
  EXPECT_THAT(error_of(head + "logout: [a]\n"), StartsWith("x.yaml:3: "));
  EXPECT_THAT(error_of(head + "pager: {key: x}\n"), StartsWith("x.yaml:3: "));
  EXPECT_THAT(error_of(head + "prepare: [{command: ''}]\n"), StartsWith("x.yaml:3: "));
  EXPECT_THAT(error_of(head + "line_ending: x\n"), StartsWith("x.yaml:3: "));
}

class PlatformDirectory : public testing::Test {
 protected:
  PlatformDirectory()
      : path_(std::filesystem::path(testing::TempDir()) /
              testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::create_directories(path_);
  }
  ~PlatformDirectory() override { std::filesystem::remove_all(path_); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(path_ / name) << text;
  }
  const std::filesystem::path path_;
  PlatformSet set_ = PlatformSet::builtin();
};

TEST_F(PlatformDirectory, AddsAndReplaces) {
  write("a.yaml", "name: box\naliases: [bx]\nmodes: [{name: user, prompt: '#$'}]\n");
  write("b.yaml", "name: linux\nmodes: [{name: mine, prompt: '#$'}]\n");
  write("notes.txt", "not: [a platform");
  ASSERT_TRUE(set_.add_directory(path_).has_value());
  EXPECT_THAT(set_.names(), SizeIs(PlatformSet::builtin().names().size() + 1));
  EXPECT_EQ(set_.find("bx")->name, "box");
  EXPECT_EQ(set_.find("linux")->modes[0].name, "mine");
  EXPECT_EQ(PlatformSet::builtin().find("box"), nullptr);
}

TEST_F(PlatformDirectory, NamesTheFileThatIsWrong) {
  write("a.yaml", "name: box\nmodez: x\n");
  const auto added = set_.add_directory(path_);
  ASSERT_FALSE(added.has_value());
  EXPECT_THAT(added.error().message, HasSubstr((path_ / "a.yaml").string() + ":2: "));
}

TEST_F(PlatformDirectory, NamesAllFilesThatAreWrong) {
  write("a.yaml", "name: box\nmodez: x\n");
  write("b.yaml", "name: box2\nmodes: [{name: user, prompt: '#$'}]\n");
  write("c.yaml", "name: Box\nmodes: [{name: user, prompt: '#$'}]\n");
  const auto added = set_.add_directory(path_);
  ASSERT_FALSE(added.has_value());
  EXPECT_THAT(added.error().message,
              HasSubstr((path_ / "a.yaml").string() + ":1: the platform lacks"));
  EXPECT_THAT(added.error().message, HasSubstr((path_ / "a.yaml").string() + ":2: unknown key"));
  EXPECT_THAT(added.error().message, HasSubstr("\n" + (path_ / "c.yaml").string() + ":1: "));
}

TEST_F(PlatformDirectory, RefusesTheNameOfAnother) {
  write("a.yaml", "name: box\naliases: [ios]\nmodes: [{name: user, prompt: '#$'}]\n");
  const auto added = set_.add_directory(path_);
  ASSERT_FALSE(added.has_value());
  EXPECT_THAT(added.error().message, HasSubstr("the name ios belongs to platform cisco_ios"));
}

TEST_F(PlatformDirectory, MustExist) {
  const auto added = set_.add_directory(path_ / "none");
  ASSERT_FALSE(added.has_value());
  EXPECT_THAT(added.error().message, HasSubstr("No such file"));
}

}  // namespace
}  // namespace netfleet

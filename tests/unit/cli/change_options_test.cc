#include <gmock/gmock.h>

#include "dispatcher/cli/options.h"

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// `run` with hosts alone, and more.
Expected<CommandLine> parse_run(std::vector<const char*> more) {
  std::vector<const char*> arguments = {"netfleet", "run", "-H", "a"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data(), "me");
}

RunOptions run(std::vector<const char*> more) {
  const auto parsed = parse_run(std::move(more));
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed ? std::get<RunOptions>(*parsed) : RunOptions{};
}

std::string error_of(std::vector<const char*> more) {
  const auto parsed = parse_run(std::move(more));
  return parsed ? "no error" : parsed.error().message;
}

std::vector<std::string> sources(const RunOptions& options) {
  std::vector<std::string> names;
  for (const auto& source : options.configuration) {
    names.push_back((source.is_file ? "file " : "line ") + source.text);
  }
  return names;
}

TEST(ChangeOptions, ConfigurationKeepsTheOrderOfTheCommandLine) {
  const RunOptions options =
      run({"--config-line", "one", "--config-file", "two", "--config-file=three", "--config-line",
           " four", "--config-file", "five"});
  EXPECT_THAT(sources(options),
              ElementsAre("line one", "file two", "file three", "line  four", "file five"));
  EXPECT_TRUE(options.changes) << "configuration changes the device";
  EXPECT_FALSE(options.save);
}

TEST(ChangeOptions, WhatChangesTheDeviceIsKnownAsSuch) {
  EXPECT_FALSE(run({"-c", "show"}).changes);
  EXPECT_TRUE(run({"--save"}).changes);
  EXPECT_FALSE(run({"--config-line", "x", "--dry-run"}).changes);
  EXPECT_FALSE(run({"--config-line", "x", "--save", "--commit", "--dry-run"}).changes);
  EXPECT_TRUE(run({"--config-line", "x", "--retry-unsafe"}).retry_unsafe);
  EXPECT_THAT(error_of({"-c", "show", "--retry-unsafe"}),
              StartsWith("--retry-unsafe needs --changes, configuration or --save"));
}

TEST(ChangeOptions, Commits) {
  const RunOptions options = run({"--config-line", "x", "--commit-confirmed", "2m", "-c", "show"});
  EXPECT_EQ(options.commit_confirmed, Milliseconds(120'000));
  EXPECT_TRUE(run({"--config-line", "x", "--commit"}).commit);
  EXPECT_THAT(error_of({"--config-line", "x", "--commit-confirmed", "29s"}),
              StartsWith("--commit-confirmed: expected 30s to 18h"));
  EXPECT_THAT(error_of({"--config-line", "x", "--commit-confirmed", "19h"}),
              StartsWith("--commit-confirmed: expected 30s to 18h"));
  EXPECT_THAT(error_of({"--config-line", "x", "--commit", "--commit-confirmed", "1m"}),
              HasSubstr("exclude each other"));
}

TEST(ChangeOptions, AnswersArePartedAtTheFirstEqualsSignThatIsNotEscaped) {
  const RunOptions options =
      run({"-c", "reload", "--answer", R"(\[confirm\]=)", "--answer", R"(a\=b\\=c=d)"});
  EXPECT_THAT(options.answers, ElementsAre(ExpectedQuestion{R"(\[confirm\])", ""},
                                           ExpectedQuestion{R"(a\=b\\)", "c=d"}));
  EXPECT_THAT(error_of({"-c", "x", "--answer", "yes"}), HasSubstr("has no '='"));
  EXPECT_THAT(error_of({"-c", "x", "--answer", R"(yes\=no)"}), HasSubstr("has no '='"));
  EXPECT_THAT(error_of({"-c", "x", "--answer", R"(yes\)"}), HasSubstr("has no '='"));
  EXPECT_THAT(error_of({"-c", "x", "--answer", "=y"}), HasSubstr("the question is empty"));
  EXPECT_THAT(error_of({"-c", "x", "--answer", "a=\x01"}),
              HasSubstr("the answer holds a control character"));
}

TEST(ChangeOptions, WhatMakesNoSenseIsRefused) {
  EXPECT_THAT(error_of({}), StartsWith("nothing to run: give -c COMMAND"));
  EXPECT_THAT(error_of({"--mode", "privileged"}), StartsWith("nothing to run"));
  EXPECT_THAT(error_of({"-c", "show", "--dry-run"}),
              StartsWith("--dry-run needs --config-line or --config-file"));
  EXPECT_THAT(error_of({"-c", "show", "--commit"}), StartsWith("--commit needs --config-line"));
  EXPECT_THAT(error_of({"-c", "show", "--commit-confirmed", "1m"}),
              StartsWith("--commit-confirmed needs --config-line"));
  EXPECT_THAT(error_of({"--config-line", "x", "--dry-run", "-c", "show"}),
              HasSubstr("exclude each other"));
  for (const std::vector<const char*>& more : {std::vector<const char*>{"--config-line", "x"},
                                               {"--config-file", "f"},
                                               {"--save"},
                                               {"-c", "x", "--mode", "m"},
                                               {"-c", "x", "--answer", "a=b"}}) {
    std::vector<const char*> arguments = {"--exec"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    EXPECT_THAT(error_of(arguments), StartsWith("--exec ")) << more.front();
  }
  EXPECT_THAT(error_of({"--resume", "last", "--config-line", "x"}), HasSubstr("excludes"));
}

TEST(ChangeOptions, AConfigurationLineCanBeTyped) {
  EXPECT_THAT(error_of({"--config-line", "a\nb"}),
              StartsWith("--config-line: the line is one line"));
  EXPECT_THAT(error_of({"--config-line", "\tdescription x"}), HasSubstr("holds a tab"));
  EXPECT_THAT(error_of({"--config-line", "a\x03"}), HasSubstr("control character"));
  EXPECT_TRUE(parse_run({"--config-line", "description caf\xc3\xa9"}));
}

}  // namespace
}  // namespace netfleet

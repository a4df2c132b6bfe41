#include "dispatcher/api/tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/unit/disk.h"

namespace netfleet {
namespace {

using testing::HasSubstr;
using testing::Not;

// SHA-256 of "test" and of "".
constexpr const char* kTest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
constexpr const char* kEmpty = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855";

std::string error_of(const std::string& text) {
  const auto parsed = Tokens::parse(text, "tokens");
  return parsed ? "none" : parsed.error().message;
}

TEST(Tokens, ReadsNamesScopesAndHashes) {
  const auto tokens = Tokens::parse(
      fmt::format("# who\n\n  night\tread,run {}\r\nb.c_D-9 change {}", kTest, kEmpty), "tokens");
  ASSERT_TRUE(tokens) << tokens.error().message;
  EXPECT_EQ(tokens->size(), 2);
  ASSERT_NE(tokens->find("test"), nullptr);
  EXPECT_EQ(tokens->find("test")->name, "night");
  EXPECT_EQ(tokens->find("test")->scope, Scope::kRun);
  EXPECT_EQ(tokens->find("")->scope, Scope::kChange);
  EXPECT_EQ(tokens->find("Test"), nullptr);
  EXPECT_EQ(tokens->find(kTest), nullptr);
}

TEST(Tokens, NamesTheLineThatIsWrongAndShowsNoToken) {
  EXPECT_THAT(error_of("# x\nnight run"), testing::StartsWith("tokens:2: the third word"));
  EXPECT_THAT(error_of("night run nf_secret"), Not(HasSubstr("nf_secret")));
  EXPECT_THAT(error_of(fmt::format("night walk {}", kTest)), HasSubstr("read, run and change"));
  EXPECT_THAT(error_of(fmt::format("night run, {}", kTest)), HasSubstr("read, run and change"));
  EXPECT_THAT(error_of(fmt::format("n/t run {}", kTest)), HasSubstr("NAME SCOPES SHA256"));
  EXPECT_THAT(error_of(fmt::format("{} run {}", std::string(65, 'n'), kTest)), HasSubstr("NAME"));
  EXPECT_THAT(error_of(fmt::format("night run {}0", kTest)), HasSubstr("64 hexadecimal"));
  EXPECT_THAT(error_of(fmt::format("night run {} x", kTest)), HasSubstr("more than"));
  EXPECT_THAT(error_of(fmt::format("a run {0}\nb run {0}", kTest)),
              HasSubstr("tokens:2: this token"));
  EXPECT_THAT(error_of(fmt::format("a run {}\na run {}", kTest, kEmpty)),
              HasSubstr("tokens:2: this name"));
}

TEST(Tokens, MakesOnesThatItKnows) {
  const auto first = make_token("night", Scope::kRun);
  const auto second = make_token("night", Scope::kRun);
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->token, second->token);
  EXPECT_THAT(first->token, testing::MatchesRegex("nf_[A-Za-z0-9_-]{43}"));
  EXPECT_THAT(first->line, Not(HasSubstr(first->token)));
  const auto tokens = Tokens::parse(first->line, "tokens");
  ASSERT_TRUE(tokens) << tokens.error().message;
  ASSERT_NE(tokens->find(first->token), nullptr);
  EXPECT_EQ(tokens->find(first->token)->scope, Scope::kRun);
  EXPECT_EQ(tokens->find(second->token), nullptr);
  EXPECT_FALSE(make_token("no name", Scope::kRead));
}

TEST(Tokens, FileThatOthersMayOpenIsRefused) {
  const TemporaryDirectory directory;
  const std::string path = directory / "tokens";
  EXPECT_THAT(read_tokens(path).error().message, HasSubstr("No such file"));
  std::ofstream(path) << "night run " << kTest << "\n";
  for (const mode_t mode : {0640, 0604, 0660}) {
    chmod(path.c_str(), mode);
    ASSERT_FALSE(read_tokens(path));
    EXPECT_THAT(read_tokens(path).error().message, HasSubstr("chmod 600"));
  }
  chmod(path.c_str(), 0600);
  EXPECT_EQ(read_tokens(path)->size(), 1);
  std::ofstream(path) << std::string(300'000, '#');
  EXPECT_THAT(read_tokens(path).error().message, HasSubstr("too large"));
  EXPECT_THAT(read_tokens(directory / "").error().message, HasSubstr("no regular file"));
}

}  // namespace
}  // namespace netfleet

// What the build makes of platform files says what the files say.
#include "worker/device/platform_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "worker/device/platform_page.h"
#include "worker/device/platform_reader.h"

namespace netfleet {
namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(PlatformImage, OfEachBuiltInPlatformIsItsFiles) {
  const PlatformSet& builtin = PlatformSet::builtin();
  std::size_t files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(NETFLEET_SOURCE_DIR "/worker/platforms")) {
    const auto read = parse_platform(content(entry.path()), entry.path().string());
    ASSERT_TRUE(read.has_value()) << read.error().message;
    const Platform* const embedded = builtin.find(read->name);
    ASSERT_NE(embedded, nullptr) << entry.path();
    EXPECT_EQ(platform_image(*embedded), platform_image(*read)) << entry.path();
    EXPECT_EQ(platform_json(*embedded), platform_json(*read)) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, builtin.names().size());
}

TEST(PlatformImage, KeepsEveryKind) {
  const std::string yaml = R"(name: all
title: "Bytes \x01 \xff \" ?? \\"
confidence: medium
aliases: [a, b]
modes:
  - {name: one, prompt: '>$', above: '^x$'}
prepare:
  - {command: p, mode: one, new_prompt: '#$'}
configure:
  mode: one
  commit: {command: c, abort: a, success: '^ok$', answers: [{prompt: q, send: password}]}
save: {command: s}
errors: ['^e$']
volatile: ['^v$']
exec: true
)";
  const Platform platform = parse_platform(yaml, "all.yaml").value();
  const Platform again = platform_of_image(platform_image(platform));
  EXPECT_EQ(again.title, platform.title);
  EXPECT_EQ(again.confidence, Platform::Confidence::kMedium);
  EXPECT_THAT(again.aliases, testing::ElementsAre("a", "b"));
  EXPECT_TRUE(again.modes.at(0).above->matches("x"));
  EXPECT_FALSE(again.prepare.at(0).when_prompt.has_value());
  EXPECT_EQ(again.configure->commit->answers.at(0).what, Platform::Answer::What::kPassword);
  EXPECT_TRUE(again.errors.at(0).matches("d\ne\nf"));          // of lines
  EXPECT_FALSE(again.volatile_text.at(0).matches("u\nv\nw"));  // of the whole
  EXPECT_TRUE(again.exec);
  EXPECT_EQ(platform_image(again), platform_image(platform));
  EXPECT_EQ(platform_json(again), platform_json(platform));
}

}  // namespace
}  // namespace netfleet

// Outputs in memory and in a spool: the same bytes however they came, little of them in memory,
// pieces that can be shown one by one, and what a full disk does.
#include "common/output_text.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "common/utf8.h"
#include "tests/unit/disk.h"

namespace netfleet {
namespace {

constexpr std::size_t kPiece = OutputText::kPiece;

std::string lines(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) {
    text += "interface Ethernet" + std::to_string(i) + "\n";
  }
  text.resize(size);
  return text;
}

OutputText spooled(const std::string& text, std::size_t step, Spool& spool) {
  OutputText output;
  for (std::size_t at = 0; at < text.size(); at += step) {
    EXPECT_TRUE(output.append(std::string_view(text).substr(at, step), spool));
    EXPECT_LE(output.memory().size(), OutputText::kMostInMemory);
  }
  return output;
}

std::vector<std::string> pieces_of(const OutputText& output) {
  std::vector<std::string> pieces;
  EXPECT_TRUE(output.read([&](std::string_view piece) { pieces.emplace_back(piece); }));
  return pieces;
}

TEST(OutputText, HoldsTheSameBytesInMemoryAndInASpool) {
  TemporaryDirectory directory;
  const auto spool = Spool::make(directory / "");
  const std::string text = lines(2'000'000);
  for (const std::size_t step : std::vector<std::size_t>{1'000, 100'000, 2'000'000}) {
    const OutputText output = spooled(text, step, *spool);
    EXPECT_TRUE(output.is_spooled());
    EXPECT_EQ(output.size(), text.size());
    EXPECT_EQ(output.ends_line(), text.ends_with('\n'));
    EXPECT_EQ(output.whole().value(), text);
    EXPECT_EQ(output, OutputText(text));
    EXPECT_FALSE(output == OutputText(lines(1'999'999) + "\x01"));
  }
}

TEST(OutputText, SmallOnesNeedNoDisk) {
  const auto nowhere = Spool::make("/nonexistent/directory");
  OutputText output;
  ASSERT_TRUE(output.append(lines(OutputText::kMostInMemory), *nowhere));
  EXPECT_FALSE(output.is_spooled());
  EXPECT_FALSE(output.append("more", *nowhere));
  EXPECT_EQ(output.size(), OutputText::kMostInMemory + 4) << "what the disk refuses stays";
}

TEST(OutputText, PiecesEndWhereLinesDo) {
  TemporaryDirectory directory;
  const auto spool = Spool::make(directory / "");
  const std::string text = lines(3 * kPiece);
  std::string all;
  auto pieces = pieces_of(spooled(text, 5'000, *spool));
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    EXPECT_LE(pieces[i].size(), kPiece);
    EXPECT_TRUE(i + 1 == pieces.size() || pieces[i].ends_with('\n'));
    all += pieces[i];
  }
  EXPECT_EQ(all, text);
}

TEST(OutputText, PiecesOfALongLineDoNotCutCharacters) {
  TemporaryDirectory directory;
  const auto spool = Spool::make(directory / "");
  for (const std::string shift : {"", "x", "xx", "xxx"}) {
    std::string text = shift;
    while (text.size() < 5 * kPiece) text += "\xF0\x9F\x98\x80";
    for (const std::string& piece : pieces_of(spooled(text, 70'000, *spool))) {
      EXPECT_EQ(to_utf8(piece), piece);
    }
  }
  // What is no UTF-8 at all still comes in pieces.
  const std::string continuations(3 * kPiece, '\x80');
  EXPECT_EQ(spooled(continuations, 70'000, *spool).whole().value(), continuations);
}

TEST(OutputText, CopiesShareTheSpoolAndTheLastOneGivesItsRoomBack) {
  TemporaryDirectory directory;
  const auto spool = Spool::make(directory / "");
  const std::string text = lines(2'000'000);
  auto first = std::make_unique<OutputText>(spooled(text, 100'000, *spool));
  auto second = std::make_unique<OutputText>(*first);
  std::string file;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const auto target = std::filesystem::read_symlink(entry.path(), gone).string();
    if (target.starts_with(directory / "")) file = entry.path();
  }
  ASSERT_FALSE(file.empty());
  const auto size = [&file] {
    struct stat status{};
    return stat(file.c_str(), &status) == 0 ? status.st_size : -1;
  };
  first.reset();
  EXPECT_EQ(second->whole().value(), text);
  EXPECT_GT(size(), 0);
  second.reset();
  EXPECT_EQ(size(), 0);
}

TEST(OutputText, AFullDiskLosesNothing) {
  SmallDisk disk(900);
  ASSERT_TRUE(disk.mounted()) << "needs root to mount a tmpfs";
  const auto spool = Spool::make(disk / "");
  const std::string text = lines(3'000'000);
  OutputText output;
  int refused = 0;
  for (std::size_t at = 0; at < text.size(); at += 100'000) {
    const auto kept = output.append(std::string_view(text).substr(at, 100'000), *spool);
    if (kept) continue;
    EXPECT_NE(kept.error().message.find("the disk is full"), std::string::npos);
    ++refused;
  }
  EXPECT_GT(refused, 0);
  EXPECT_TRUE(output.is_spooled());
  EXPECT_EQ(output.whole().value(), text);
}

TEST(OutputText, WhatTheDiskHasLostIsAnError) {
  TemporaryDirectory directory;
  const auto spool = Spool::make(directory / "");
  const OutputText output = spooled(lines(2'000'000), 100'000, *spool);
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const auto target = std::filesystem::read_symlink(entry.path(), gone).string();
    if (target.starts_with(directory / "")) {
      ASSERT_EQ(truncate(entry.path().c_str(), 300'000), 0);
    }
  }
  EXPECT_FALSE(output.whole());
  EXPECT_FALSE(output == output);
}

}  // namespace
}  // namespace netfleet

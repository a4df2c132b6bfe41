// Every transcript, with the device's bytes cut at every chunk size: the same is sent, the same
// comes out.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/replay/transcript.h"

namespace netfleet::replay {
namespace {

const std::filesystem::path kDirectory = NETFLEET_SOURCE_DIR "/tests/replay/transcripts";

std::vector<std::string> transcript_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kDirectory)) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class Replay : public testing::TestWithParam<std::string> {};

TEST_P(Replay, IsTheSameAtEveryChunkSize) {
  const Transcript transcript = read_transcript(kDirectory / (GetParam() + ".txt"));
  const std::size_t longest = longest_run(transcript);
  // The whole first: its message is the one to read.
  for (std::size_t chunk = longest; chunk >= 1; --chunk) {
    const std::string difference = replay(transcript, chunk);
    ASSERT_EQ(difference, "") << GetParam() << " cut to pieces of " << chunk << "\n" << difference;
  }
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Transcripts, Replay, testing::ValuesIn(transcript_names()), test_name);

}  // namespace
}  // namespace netfleet::replay

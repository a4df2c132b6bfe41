// Every transcript, with the device's bytes cut at every chunk size: the same is sent, the same
// comes out.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "worker/device/session_replay.h"

namespace netfleet {
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

std::string compare(const std::string& what, const std::string& expected,
                    const std::string& actual) {
  if (expected == actual) return "";
  return fmt::format("{}\n  expected: {}\n  actual:   {}\n", what, escape(expected),
                     escape(actual));
}

std::string describe(const std::vector<Dialogue::Output>& outputs, std::size_t which) {
  if (which >= outputs.size()) return "[no such output]";
  const Dialogue::Output& output = outputs[which];
  return fmt::format("{}{}{}", output.text, output.truncated ? "[truncated]" : "",
                     output.failed ? "[refused: " + output.error + "]" : "");
}

// Empty when all is as the transcript says.
std::string difference(const SessionLog& transcript, const Replay& replay) {
  std::string result;
  for (const Replay::Difference& each : replay.differences) {
    result += compare(fmt::format("typed by line {}, after \"{}\"", each.line, each.last_line),
                      each.logged, each.typed);
  }
  const std::size_t ended = replay.outputs.size() - (replay.unfinished_output ? 1 : 0);
  for (std::size_t i = 0; i < std::max(ended, transcript.outputs.size()); ++i) {
    result += compare(fmt::format("output of command {}", i), describe(transcript.outputs, i),
                      describe(replay.outputs, i));
  }
  std::string end = replay.done ? "done" : "still going on";
  if (replay.failure) {
    end = fmt::format("{} {}", outcome_name(replay.failure->outcome), replay.failure->reason);
  }
  result += compare("how the dialogue ended", transcript.failure.value_or("done"), end);
  if (!transcript.detected.empty()) {
    result += compare("platform", transcript.detected, replay.platform);
  }
  return result;
}

class ReplayTest : public testing::TestWithParam<std::string> {};

TEST_P(ReplayTest, IsTheSameAtEveryChunkSize) {
  std::ifstream in(kDirectory / (GetParam() + ".txt"), std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  const auto transcript = parse_session_log(text);
  ASSERT_TRUE(transcript) << GetParam() << ".txt:" << transcript.error().message;
  ASSERT_FALSE(transcript->steps.empty());
  // The whole first: its message is the one to read.
  for (std::size_t chunk = transcript->longest_run(); chunk >= 1; --chunk) {
    const Replay replayed = replay(*transcript, PlatformSet::builtin(), chunk);
    const std::string found = difference(*transcript, replayed);
    ASSERT_EQ(found, "") << GetParam() << " cut to pieces of " << chunk << "\n" << found;
  }
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Transcripts, ReplayTest, testing::ValuesIn(transcript_names()), test_name);

}  // namespace
}  // namespace netfleet

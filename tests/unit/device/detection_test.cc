#include "worker/device/detection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "worker/device/dialogue.h"
#include "worker/device/platform_reader.h"

namespace netfleet {
namespace {

using testing::HasSubstr;

// A family of four with the same prompt, one with another, and two named by more than that.
constexpr const char* kPlatforms[] = {
    R"(name: generic
modes: [{name: any, prompt: '^.{0,80}[>#$]\s?$'}]
confirm_prompt: true
)",
    R"(name: old
confidence: high
modes: [{name: privileged, prompt: '^[\w.]+#$'}]
prepare: [{command: page 0}]
detect:
  server: '^SSH-2\.0-Family'
  probes: [{command: show version, output: 'Family System'}]
  fallback: true
)",
    R"(name: modern
confidence: high
modes: [{name: privileged, prompt: '^[\w.]+#$'}]
prepare: [{command: page 0}]
detect:
  server: '^SSH-2\.0-Family'
  probes: [{command: show version, output: 'Family System Modern'}]
)",
    R"(name: rare
confidence: low
modes: [{name: privileged, prompt: '^[\w.]+#$'}]
detect:
  banner: '^Rare goods$'
  probes: [{command: get name, output: '^rare$'}]
)",
    R"(name: plain
confidence: medium
modes: [{name: privileged, prompt: '^[\w.]+#$'}]
detect:
  probes: [{command: list, output: plain}, {command: show version, output: '^Plain'}]
)",
    R"(name: angled
modes: [{name: user, prompt: '^<[\w.]+>$'}]
detect: {prompt: '^<angle'}
)",
};

class DetectionTest : public testing::Test {
 protected:
  DetectionTest() {
    for (const char* text : kPlatforms) {
      EXPECT_TRUE(set_.add(parse_platform(text, "x.yaml").value()).has_value());
    }
  }
  Detection at(std::string_view prompt, Detection::Clues clues = {}) {
    return Detection(set_, clues, prompt);
  }
  static std::string name_of(const Detection& detection) {
    return detection.found() ? detection.found()->platform->name : "";
  }
  PlatformSet set_;
};

TEST_F(DetectionTest, NeedsNoProbeForWhatOneClueNames) {
  Detection by_prompt = at("<angle1>");
  EXPECT_EQ(name_of(by_prompt), "angled");
  EXPECT_EQ(by_prompt.found()->evidence, "the prompt is \"<angle\"");
  EXPECT_EQ(by_prompt.next_probe(), std::nullopt);

  Detection by_banner = at("R1#", {"", "Welcome\nRare goods\nto all\n"});
  EXPECT_EQ(name_of(by_banner), "rare");
  EXPECT_EQ(by_banner.found()->evidence, "it says \"Rare goods\"");
}

TEST_F(DetectionTest, ClueCountsOnlyWithThePlatformsPrompt) {
  EXPECT_EQ(name_of(at("R1>", {"", "Rare goods\n"})), "");
  EXPECT_EQ(at("R1>", {"SSH-2.0-Family", ""}).best_guess().has_value(), false);
}

TEST_F(DetectionTest, AsksFirstWhatSettlesMost) {
  Detection detection = at("R1#");
  EXPECT_EQ(name_of(detection), "");
  EXPECT_EQ(detection.next_probe(), "show version");
  detection.judge("% no such thing\n");
  EXPECT_EQ(detection.next_probe(), "list");
  detection.judge("");
  EXPECT_EQ(detection.next_probe(), "get name");
  detection.judge("not\nrare\n");
  EXPECT_EQ(name_of(detection), "rare");
  EXPECT_EQ(detection.found()->evidence, "'get name' says \"rare\"");
  EXPECT_EQ(detection.next_probe(), std::nullopt);
}

TEST_F(DetectionTest, TakesTheLongestMatch) {
  Detection modern = at("R1#");
  modern.next_probe();
  modern.judge("Family System Modern, Version 2\n");
  EXPECT_EQ(name_of(modern), "modern");
  Detection old = at("R1#");
  old.next_probe();
  old.judge("Family System, Version 1\n");
  EXPECT_EQ(name_of(old), "old");
}

TEST_F(DetectionTest, ProbesTellThoseApartThatOneClueNames) {
  Detection detection = at("R1#", {"SSH-2.0-Family", ""});
  EXPECT_EQ(name_of(detection), "");
  EXPECT_EQ(detection.next_probe(), "show version");
  detection.judge("Plain\n");  // that is no candidate any more
  EXPECT_EQ(name_of(detection), "");
  EXPECT_EQ(detection.next_probe(), std::nullopt);
  ASSERT_TRUE(detection.best_guess().has_value());
  EXPECT_EQ(detection.best_guess()->platform->name, "old");
  EXPECT_EQ(detection.best_guess()->evidence, "the server is \"SSH-2.0-Family\"");
}

TEST_F(DetectionTest, LooksAtTheTopOfAnOutputOnly) {
  Detection detection = at("R1#");
  detection.next_probe();
  detection.judge(std::string(Detection::kMostOutput, 'x') + "\nFamily System\n");
  EXPECT_EQ(name_of(detection), "");
}

TEST_F(DetectionTest, SendsFewProbes) {
  std::string text = "name: curious\nmodes: [{name: user, prompt: '^curious>$'}]\ndetect:\n";
  text += "  probes:\n";
  for (char name = 'a'; name <= 't'; ++name) {
    text += std::string("    - {command: show ") + name + ", output: z}\n";
  }
  ASSERT_TRUE(set_.add(parse_platform(text, "x.yaml").value()).has_value());
  Detection detection = at("curious>");
  int sent = 0;
  for (; detection.next_probe(); ++sent) detection.judge("% no\n");
  EXPECT_EQ(sent, Detection::kMostProbes);
  EXPECT_EQ(detection.best_guess().has_value(), false);
}

// The whole of it, in a dialogue.
class DetectingDialogue : public DetectionTest {
 protected:
  void begin(const std::string& banner = "", const std::string& remembered = "") {
    Dialogue::Options options;
    options.commands = {"show clock"};
    options.banner = banner;
    options.remembered_platform = remembered;
    dialogue_.emplace(set_, "auto", std::move(options));
  }
  std::string hears(std::string_view bytes) {
    dialogue_->receive(bytes);
    return dialogue_->take_outgoing().bytes;
  }
  std::optional<Dialogue> dialogue_;
};

TEST_F(DetectingDialogue, GoesOnAsThePlatformThatAProbeFound) {
  begin();
  EXPECT_EQ(hears("hello\r\nR1#"), "\n");  // is it a prompt?
  EXPECT_EQ(hears("\r\nR1#"), "show version\n");
  EXPECT_EQ(dialogue_->phase(), Dialogue::Phase::kPrepare);
  EXPECT_EQ(hears("show version\r\nFamily System, Version 1\r\nR1#"), "page 0\n");
  EXPECT_EQ(dialogue_->platform_name(), "old");
  EXPECT_EQ(dialogue_->evidence(), "'show version' says \"Family System\"");
  EXPECT_EQ(hears("page 0\r\nR1#"), "show clock\n");
  EXPECT_EQ(dialogue_->phase(), Dialogue::Phase::kCommand);
  hears("show clock\r\nnoon\r\nR1#");
  ASSERT_EQ(dialogue_->outputs().size(), 1u);
  EXPECT_EQ(dialogue_->outputs()[0].text, "noon\n");
}

TEST_F(DetectingDialogue, CollectsAProbesOutputOfADeviceWithoutEcho) {
  begin();
  hears("R1#");
  EXPECT_EQ(hears("\r\nR1#"), "show version\n");
  EXPECT_EQ(hears("Family System Modern\r\nR1#"), "page 0\n");
  EXPECT_EQ(dialogue_->platform_name(), "modern");
}

TEST_F(DetectingDialogue, StaysGenericWhereNothingIsKnown) {
  begin();
  hears("R1#");
  hears("\r\nR1#");
  EXPECT_EQ(hears("show version\r\n% no\r\nR1#"), "list\n");
  EXPECT_EQ(hears("list\r\n% no\r\nR1#"), "get name\n");
  EXPECT_EQ(hears("get name\r\n% no\r\nR1#"), "show clock\n");
  EXPECT_EQ(dialogue_->platform_name(), "generic");
  EXPECT_EQ(hears("show clock\r\nnoon\r\nR1#"), "");
  EXPECT_EQ(dialogue_->outputs()[0].text, "noon\n");
}

TEST_F(DetectingDialogue, SeesTheBannerOfTheShell) {
  begin();
  EXPECT_EQ(hears("Rare goods\r\n\r\nR1#"), "\n");
  EXPECT_EQ(dialogue_->platform_name(), "rare");
}

TEST_F(DetectingDialogue, SeesTheBannerOfTheServer) {
  begin("Rare goods");
  hears("R1#");
  EXPECT_EQ(dialogue_->platform_name(), "rare");
}

TEST_F(DetectingDialogue, TakesTheRememberedPlatformWhereThePromptFits) {
  begin("", "old");
  EXPECT_EQ(hears("R1#"), "page 0\n");
  EXPECT_EQ(hears("page 0\r\nR1#"), "show clock\n");
  EXPECT_EQ(dialogue_->platform_name(), "old");
  EXPECT_THAT(dialogue_->evidence(), HasSubstr("remembered"));
}

TEST_F(DetectingDialogue, DetectsAnewWhereTheRememberedPlatformDoesNotFit) {
  begin("", "old");
  hears("<angle1>");
  EXPECT_EQ(dialogue_->platform_name(), "angled");
  begin("", "no longer there");
  hears("<angle1>");
  EXPECT_EQ(dialogue_->platform_name(), "angled");
}

TEST_F(DetectingDialogue, TurnsFromALineThatWasNoPrompt) {
  begin();
  EXPECT_EQ(hears("<angle"), "");
  EXPECT_EQ(hears("s>"), "\n");  // a greeting that looks like a prompt
  EXPECT_EQ(dialogue_->platform_name(), "angled");
  EXPECT_EQ(hears("\r\nR1#\r\nR1#"), "");
  EXPECT_EQ(hears("\r\n<angles>"), "show clock\n");
}

TEST_F(DetectingDialogue, ProbesKeepLittle) {
  begin();
  hears("R1#");
  hears("\r\nR1#");
  hears("show version\r\n");
  const std::string line = std::string(1000, 'x') + "\r\n";
  for (int i = 0; i < 1000; ++i) hears(line);
  EXPECT_LE(dialogue_->take_partial_output().text.capacity(), 2 * Detection::kMostOutput);
}

}  // namespace
}  // namespace netfleet

// A dialogue with a device that is written down in the test: what it sends, and what netfleet must
// have typed then. Runs at every chunk size, since no result may depend on how the bytes are cut.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "worker/device/dialogue.h"
#include "worker/device/platform_reader.h"

namespace netfleet {

struct Scenario {
  struct Step {
    std::string device;  // sends this
    std::string typed;   // and then this was typed, since the step before
  };
  std::string platform;  // the text of its file
  Dialogue::Options options;
  std::vector<Step> steps;

  // What is left when all was said. Failures are of the test.
  std::unique_ptr<Dialogue> run(std::size_t chunk) const {
    static std::vector<std::unique_ptr<PlatformSet>> sets;  // outlive the dialogues
    Expected<Platform> parsed = parse_platform(platform, "test.yaml");
    if (!parsed) {
      ADD_FAILURE() << parsed.error().message;
      return nullptr;
    }
    const std::string name = parsed->name;
    PlatformSet& set = *sets.emplace_back(std::make_unique<PlatformSet>(PlatformSet::builtin()));
    EXPECT_TRUE(set.add(*std::move(parsed)).has_value());
    auto dialogue = std::make_unique<Dialogue>(set, name, options);
    std::string typed = dialogue->take_outgoing().bytes;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      for (std::size_t at = 0; at < steps[i].device.size(); at += chunk) {
        dialogue->receive(std::string_view(steps[i].device).substr(at, chunk));
        typed += dialogue->take_outgoing().bytes;
      }
      EXPECT_EQ(typed, steps[i].typed)
          << "step " << i << " in pieces of " << chunk << ", after: " << dialogue->last_line()
          << (dialogue->failure() ? "\nfailed: " + dialogue->failure()->reason : "");
      if (typed != steps[i].typed) break;
      typed.clear();
    }
    return dialogue;
  }

  // At every chunk size; `check` looks at each of the dialogues.
  template <typename Check>
  void run_in_pieces(Check check) const {
    std::size_t longest = 1;
    for (const Step& step : steps) longest = std::max(longest, step.device.size());
    for (std::size_t chunk = longest; chunk >= 1 && !testing::Test::HasFailure(); --chunk) {
      const std::unique_ptr<Dialogue> dialogue = run(chunk);
      if (dialogue) check(*dialogue);
    }
  }
};

}  // namespace netfleet

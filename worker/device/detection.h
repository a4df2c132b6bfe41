// worker/device: which platform a device is, judged by what its server says, by what it shows
// before its first prompt, by that prompt, and by what harmless commands (probes) print. Judges
// only: sending is the conversation's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "worker/device/platform.h"

namespace netfleet {

// One device at one prompt. `platforms` outlives it.
//
// The server's identification is the best evidence, then the banner, then the prompt: each chooses
// among the platforms that those before it have named, and one alone is found at once. Where none
// is named, all platforms are candidates that have such a prompt. Probes tell candidates apart:
// first the command that can settle most of them, for at most kMostProbes commands; those come
// first that would have refused the last ones in the same words. Of several platforms whose
// expression matches an output, the one with the longest match is the most specific.
class Detection {
 public:
  static constexpr int kMostProbes = 6;
  static constexpr std::size_t kMostOutput = 64u << 10;  // bytes of a probe's output looked at

  struct Clues {
    std::string_view server;  // "SSH-2.0-Cisco-1.25"
    std::string_view text;    // what was shown before the prompt: banner, message of the day
  };
  struct Found {
    const Platform* platform;
    std::string evidence;  // why, for people
  };

  Detection(const PlatformSet& platforms, const Clues& clues, std::string_view prompt);

  // Set as soon as it is known. Without it, what is left when there are no more probes.
  const std::optional<Found>& found() const { return found_; }
  // The command to send next; none: ask found(), then best_guess().
  std::optional<std::string> next_probe();
  // What the last next_probe() printed.
  void judge(std::string_view output);
  // When no probe told: the one of the named platforms whose file says that it is the fallback.
  std::optional<Found> best_guess() const;

 private:
  struct Candidate {
    const Platform* platform;
    std::string evidence;     // by which it was named; empty: its prompt fits, as others' do
    bool understood = false;  // it would refuse a command as this device did
  };
  void name_candidates(const std::vector<const Platform*>& fitting, const Clues& clues,
                       std::string_view prompt, const std::vector<const Platform*>& all);

  std::vector<Candidate> candidates_;
  bool named_ = false;
  std::vector<std::string> sent_;
  std::optional<Found> found_;
};

}  // namespace netfleet

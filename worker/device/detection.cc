#include "worker/device/detection.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "worker/device/prompt.h"
#include "worker/device/text.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxShown = 60;  // characters of what a device said, in the evidence
constexpr int kUnderstood = 16;        // times the weight of others

std::string shown(std::string_view text) {
  return printable(trim_left(text.substr(0, text.find('\n'))), kMaxShown);
}

std::string matched(const Pattern::Span& span, std::string_view text) {
  return shown(text.substr(span.begin, span.end - span.begin));
}

// What is well supported is also what is met most often.
int weight(const Platform& platform) {
  switch (platform.confidence) {
    case Platform::Confidence::kHigh:
      return 4;
    case Platform::Confidence::kMedium:
      return 2;
    case Platform::Confidence::kLow:
      return 1;
  }
  return 0;
}

}  // namespace

Detection::Detection(const PlatformSet& platforms, const Clues& clues, std::string_view prompt) {
  const std::vector<const Platform*> all = platforms.all();
  std::vector<const Platform*> fitting;
  for (const Platform* platform : all) {
    if (PromptFinder(*platform).fits(prompt)) fitting.push_back(platform);
  }
  name_candidates(fitting, clues, prompt, all);
  named_ = !candidates_.empty();
  if (candidates_.size() == 1) {
    found_ = Found{candidates_[0].platform, candidates_[0].evidence};
  }
  if (named_) return;
  for (const Platform* platform : fitting) candidates_.push_back({platform, "", false});
}

void Detection::name_candidates(const std::vector<const Platform*>& fitting, const Clues& clues,
                                std::string_view prompt, const std::vector<const Platform*>& all) {
  // Each clue chooses among those that the ones before it have named.
  const auto name = [&](const std::vector<const Platform*>& among, std::string_view text,
                        std::string_view where, std::optional<Pattern> Platform::Detect::* clue) {
    std::vector<const Platform*> asked;
    for (const Candidate& candidate : candidates_) asked.push_back(candidate.platform);
    if (asked.size() == 1) return;
    std::vector<Candidate> named;
    for (const Platform* platform : asked.empty() ? among : asked) {
      const std::optional<Pattern>& pattern = platform->detect.*clue;
      if (!pattern) continue;
      const auto span = pattern->find(text);
      if (!span) continue;
      named.push_back({platform, fmt::format("{} \"{}\"", where, matched(*span, text)), false});
    }
    if (!named.empty()) candidates_ = std::move(named);
  };
  name(fitting, clues.server, "the server is", &Platform::Detect::server);
  name(fitting, clues.text, "it says", &Platform::Detect::banner);
  name(all, prompt, "the prompt is", &Platform::Detect::prompt);
}

std::optional<std::string> Detection::next_probe() {
  if (found_ || sent_.size() == kMostProbes) return std::nullopt;
  std::map<std::string_view, int> settles;
  for (const Candidate& candidate : candidates_) {
    for (const Platform::Probe& probe : candidate.platform->detect.probes) {
      if (std::find(sent_.begin(), sent_.end(), probe.command) != sent_.end()) continue;
      settles[probe.command] +=
          weight(*candidate.platform) * (candidate.understood ? kUnderstood : 1);
    }
  }
  const auto best =
      std::max_element(settles.begin(), settles.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  if (best == settles.end()) return std::nullopt;
  sent_.emplace_back(best->first);
  return sent_.back();
}

void Detection::judge(std::string_view output) {
  output = output.substr(0, kMostOutput);
  std::size_t longest = 0;
  for (Candidate& candidate : candidates_) {
    const std::vector<Pattern>& errors = candidate.platform->errors;
    candidate.understood = candidate.understood || std::any_of(errors.begin(), errors.end(),
                                                               [output](const Pattern& error) {
                                                                 return error.matches(output);
                                                               });
    for (const Platform::Probe& probe : candidate.platform->detect.probes) {
      if (probe.command != sent_.back()) continue;
      const auto span = probe.output.find(output);
      if (!span || span->end - span->begin <= longest) continue;
      longest = span->end - span->begin;
      found_ = Found{candidate.platform,
                     fmt::format("'{}' says \"{}\"", probe.command, matched(*span, output))};
    }
  }
}

std::optional<Detection::Found> Detection::best_guess() const {
  for (const Candidate& candidate : candidates_) {
    if (named_ && candidate.platform->detect.fallback) {
      return Found{candidate.platform, candidate.evidence};
    }
  }
  return std::nullopt;
}

}  // namespace netfleet

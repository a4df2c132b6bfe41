// The part of the conversation that finds out which platform this is.
#include <algorithm>
#include <utility>

#include "worker/device/conversation.h"
#include "worker/device/detection.h"
#include "worker/device/text.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxSaid = 16u << 10;  // bytes looked at of what stands before the prompt
constexpr const char* kRemembered = "remembered by its host key";
constexpr const char* kUnknown = "nothing that it says or shows is known";

}  // namespace

// What the device shows before its first prompt.
void Conversation::note_said() {
  if (!detecting_ || said_.size() >= kMaxSaid) return;
  said_.append(std::string_view(lines_).substr(taken_, kMaxSaid - said_.size()));
}

Detection Conversation::detection_at(std::string_view prompt) const {
  return Detection(platforms_, {options_.server_identification, said_}, prompt);
}

// At a line that may be the first prompt: takes the platform that needs no probe.
void Conversation::recognize(std::string_view line) {
  recognized_at_ = line;
  evidence_.clear();
  const Platform* const remembered = platforms_.find(options_.remembered_platform);
  if (remembered != nullptr && PromptFinder(*remembered).fits(line)) {
    evidence_ = kRemembered;
    return use(*remembered);
  }
  const Detection detection = detection_at(line);
  if (detection.found()) {
    evidence_ = detection.found()->evidence;
    return use(*detection.found()->platform);
  }
  use(*platforms_.find("generic"));
}

// Whether this prompt is the one that the platform was recognized at, as it is now.
bool Conversation::recognized_here(std::string_view prompt) const {
  if (evidence_.empty()) return false;
  if (PromptFinder::equal_but_digits(trim_right(prompt), trim_right(recognized_at_))) return true;
  return std::any_of(platform_->prepare.begin(), platform_->prepare.end(),
                     [prompt](const Platform::Prepare& step) {
                       return step.new_prompt && step.new_prompt->matches(prompt);
                     });
}

// Under the platform that it was taken for at first.
bool Conversation::was_sent(const Platform::Prepare& step) const {
  return detecting_ && !step.new_prompt &&
         std::any_of(prepared_.begin(), prepared_.end(),
                     [&](const Platform::Prepare* sent) { return sent->command == step.command; });
}

// At the first prompt that is known to be one. What was taken for a prompt before was perhaps none,
// and this is another platform's; or no evidence has told, and probes have to.
Script Conversation::find_platform() {
  const std::string prompt = prompt_.literal();
  if (recognized_here(prompt)) co_return;
  const Platform* const prepared_as = platform_;
  recognize(prompt);
  if (evidence_.empty()) {
    Detection detection = detection_at(prompt);
    while (const std::optional<std::string> probe = detection.next_probe()) {
      Script execution = execute(*probe);
      co_await execution;
      detection.judge(std::exchange(running_, {}).text);
    }
    const auto& found = detection.found() ? detection.found() : detection.best_guess();
    evidence_ = found ? found->evidence : kUnknown;
    if (found) use(*found->platform);
  }
  if (platform_ == prepared_as) co_return;
  Script preparation = prepare();
  co_await preparation;
}

void Conversation::use(const Platform& platform) {
  platform_ = &platform;
  prompt_.use(platform);
}

}  // namespace netfleet

// The part of the conversation that finds out which platform this is.
#include "worker/device/conversation.h"

namespace netfleet {

// By what the server says it is, then by its prompt.
const Platform* Conversation::detect(std::string_view line) const {
  for (const std::string& name : platforms_.names()) {
    const Platform* const platform = platforms_.find(name);
    if (platform->detect.server && PromptFinder(*platform).fits(line) &&
        platform->detect.server->matches(options_.server_identification)) {
      return platform;
    }
  }
  for (const std::string& name : platforms_.names()) {
    const Platform* const platform = platforms_.find(name);
    if (platform->detect.prompt && platform->detect.prompt->matches(line)) return platform;
  }
  return nullptr;
}

void Conversation::use(const Platform& platform) {
  platform_ = &platform;
  prompt_ = PromptFinder(platform);
}

}  // namespace netfleet

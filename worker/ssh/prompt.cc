#include "worker/ssh/prompt.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace netfleet::ssh {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

}  // namespace

Prompt classify_prompt(std::string_view introduction, std::string_view prompt, bool echo) {
  const std::string asked = lower(prompt);
  const std::string said = lower(introduction);
  const auto contains = [](const std::string& text, std::string_view word) {
    return text.find(word) != std::string::npos;
  };
  for (const std::string_view word :
       {"new pass", "retype", "re-enter", "change", "expired", "current"}) {
    if (contains(asked, word)) return Prompt::kNewPassword;
  }
  for (const std::string_view phrase : {"expired", "required to change", "must change"}) {
    if (contains(said, phrase)) return Prompt::kNewPassword;
  }
  return !echo && contains(asked, "pass") ? Prompt::kPassword : Prompt::kOther;
}

}  // namespace netfleet::ssh

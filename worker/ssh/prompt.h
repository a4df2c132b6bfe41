// worker/ssh: what a keyboard-interactive prompt wants. No input or output.
#pragma once

#include <string_view>

namespace netfleet::ssh {

enum class Prompt { kPassword, kNewPassword, kOther };

// `introduction`: name and instruction of the request. A password is typed only where it is asked
// for and not echoed.
Prompt classify_prompt(std::string_view introduction, std::string_view prompt, bool echo);

}  // namespace netfleet::ssh
